// SPDX-License-Identifier: GPL-2.0
/* Extended state: the guest's is in the XSAVE area, and the host's is preserved. */
#include <sys/syscall.h>

#include "xsave.h"

#define CR4_OSXSAVE	(1u << 18)
#define CR4_PKE		(1u << 22)

#define XMMS 16

struct xmm {
	uint64_t low, high;
};

#define EACH_XMM(op)							\
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10)     \
		op(11) op(12) op(13) op(14) op(15)
#define DOUBLE(n) "paddb %xmm" #n ", %xmm" #n "\n"

/* Double every byte of XMM0 to XMM15, and push two constants on the x87 stack. */
GUEST(double_xmm, 64, EACH_XMM(DOUBLE) "fld1\n fldpi\n hlt");
GUEST(halt, 64, "hlt");
GUEST(broadcast_ymm, 64, "vbroadcastss 0xa000, %ymm3\n hlt");
GUEST(write_pkru, 64,
      "xor %ecx, %ecx\n xor %edx, %edx\n"
      "mov $0x55555550, %eax\n wrpkru\n"
      "xor %eax, %eax\n rdpkru\n hlt");

MACHINE_FIXTURE(xstate)

static struct xmm xmm_value(uint64_t seed)
{
	return (struct xmm){
		.low = 0x0101010101010101ull * seed,
		.high = 0x0102030405060708ull + seed,
	};
}

static void set_xmms(struct machine *m)
{
	struct xmm *xmms = xsave_at(m, XSAVE_XMM(0));

	for (int i = 0; i < XMMS; i++)
		xmms[i] = xmm_value(i);
	*(uint64_t *)xsave_at(m, XSAVE_XSTATE_BV) |= XCR0_X87 | XCR0_SSE;
}

/* ---- guest --------------------------------------------------------------- */

static uint64_t doubled_bytes(uint64_t value)
{
	return (value & 0x7f7f7f7f7f7f7f7full) << 1;
}

static void expect_doubled(struct __test_metadata *_metadata, struct machine *m,
			   int times)
{
	const struct xmm *xmms = xsave_at(m, XSAVE_XMM(0));

	for (int i = 0; i < XMMS; i++) {
		struct xmm want = xmm_value(i);

		for (int t = 0; t < times; t++) {
			want.low = doubled_bytes(want.low);
			want.high = doubled_bytes(want.high);
		}
		EXPECT_EQ(want.low, xmms[i].low);
		EXPECT_EQ(want.high, xmms[i].high);
	}
}

TEST_F(xstate, guest_registers_persist)
{
	static const uint8_t one[10] = { [7] = 0x80, 0xff, 0x3f };

	MACHINE_LOAD(&self->m, MODE_LONG, double_xmm);
	self->m.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	set_xmms(&self->m);
	for (int run = 1; run <= 3; run++) {
		self->m.vcpu.vmcb->save.rip = MACHINE_CODE;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		expect_doubled(_metadata, &self->m, run);
	}
	/* ST0 is pi, ST1 is 1 */
	EXPECT_EQ(0, memcmp(one, xsave_at(&self->m, XSAVE_ST(1)), sizeof(one)));
	EXPECT_NE(0, memcmp(one, xsave_at(&self->m, XSAVE_ST(0)), sizeof(one)));
}

TEST_F(xstate, two_vcpus_have_their_own)
{
	struct machine other = self->m;

	ASSERT_EQ(0, svmrun_vcpu_create(&other.vcpu, &self->m.vm));
	MACHINE_LOAD(&other, MODE_LONG, double_xmm);
	MACHINE_LOAD(&self->m, MODE_LONG, double_xmm);
	self->m.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	other.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	set_xmms(&self->m);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	ASSERT_EXIT(VMEXIT_HLT, &other);
	expect_doubled(_metadata, &self->m, 1);
	for (int i = 0; i < XMMS; i++)
		EXPECT_EQ(0, *(uint64_t *)xsave_at(&other, XSAVE_XMM(i)));
}

TEST_F(xstate, guest_avx)
{
	const uint64_t both = 0x1234567812345678;
	struct svmrun_vcpu *vcpu = &self->m.vcpu;
	uint64_t *ymm3 = xsave_at(&self->m, XSAVE_YMM(3));

	if (!(self->m.info.out_xcr0 & XCR0_AVX))
		SKIP(return, "the processor has no AVX");
	MACHINE_LOAD(&self->m, MODE_LONG, broadcast_ymm);
	*(uint32_t *)machine_at(&self->m, MACHINE_DATA) = (uint32_t)both;
	vcpu->vmcb->save.cr4 |= CR4_OSXSAVE;
	vcpu->regs->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(both, ymm3[0]);
	EXPECT_EQ(both, ymm3[1]);
	EXPECT_EQ(XCR0_AVX,
		  *(uint64_t *)xsave_at(&self->m, XSAVE_XSTATE_BV) & XCR0_AVX);
}

/* ---- host ---------------------------------------------------------------- */

#define LOAD(n) "movups 16*" #n "(%[before]), %%xmm" #n "\n"
#define STORE(n) "movups %%xmm" #n ", 16*" #n "(%[after])\n"

/* RUN with only the system call between loading and storing registers */
static long run_between(int fd, const struct xmm *before, struct xmm *after)
{
	long result = SYS_ioctl;

	asm volatile(EACH_XMM(LOAD) "syscall\n" EACH_XMM(STORE)
		     : "+a"(result)
		     : "D"((long)fd), "S"(SVMRUN_RUN),
		       "d"(0l), [before] "r"(before), [after] "r"(after)
		     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return result;
}

TEST_F(xstate, host_registers_survive)
{
	struct xmm before[XMMS], after[XMMS];

	MACHINE_LOAD(&self->m, MODE_LONG, double_xmm);
	self->m.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	set_xmms(&self->m);
	for (int i = 0; i < XMMS; i++)
		before[i] = xmm_value(0x70 + i);
	for (int run = 0; run < 100; run++) {
		self->m.vcpu.vmcb->save.rip = MACHINE_CODE;
		ASSERT_EQ(0, run_between(self->m.vcpu.fd, before, after));
		ASSERT_EQ(0, memcmp(before, after, sizeof(before)));
	}
}

TEST_F(xstate, host_control_words_survive)
{
	const uint32_t mxcsr = 0x7f80, guest_mxcsr = 0x1f80 | 1u << 15;
	const uint16_t fcw = 0x27f, guest_fcw = 0xf7f;
	uint32_t mxcsr_after;
	uint16_t fcw_after;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	self->m.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	*(uint64_t *)xsave_at(&self->m, XSAVE_XSTATE_BV) = XCR0_X87 | XCR0_SSE;
	*(uint32_t *)xsave_at(&self->m, XSAVE_MXCSR) = guest_mxcsr;
	*(uint16_t *)xsave_at(&self->m, XSAVE_FCW) = guest_fcw;
	asm volatile("ldmxcsr %0\n fldcw %1" : : "m"(mxcsr), "m"(fcw));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	asm volatile("stmxcsr %0\n fnstcw %1"
		     : "=m"(mxcsr_after), "=m"(fcw_after));
	EXPECT_EQ(mxcsr, mxcsr_after);
	EXPECT_EQ(fcw, fcw_after);
	EXPECT_EQ(guest_mxcsr, *(uint32_t *)xsave_at(&self->m, XSAVE_MXCSR));
	EXPECT_EQ(guest_fcw, *(uint16_t *)xsave_at(&self->m, XSAVE_FCW));
}

static uint32_t read_pkru(void)
{
	uint32_t value, edx;

	asm volatile("rdpkru" : "=a"(value), "=d"(edx) : "c"(0));
	return value;
}

TEST_F(xstate, host_pkru_survives)
{
	uint32_t before;

	if (!(self->m.info.out_xcr0 & XCR0_PKRU))
		SKIP(return, "the processor has no protection keys");
	before = read_pkru();
	MACHINE_LOAD(&self->m, MODE_LONG, write_pkru);
	self->m.vcpu.vmcb->save.cr4 |= CR4_OSXSAVE | CR4_PKE;
	self->m.vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_PKRU;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0x55555550, self->m.vcpu.vmcb->save.rax);
	EXPECT_EQ(before, read_pkru());
}

TEST_HARNESS_MAIN
