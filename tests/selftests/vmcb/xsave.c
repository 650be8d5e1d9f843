// SPDX-License-Identifier: GPL-2.0
/*
 * Values that the XSAVE area and XCR0 may not contain: RUN ends with VMEXIT_INVALID
 * and the offset.
 */
#include "xsave.h"

/* The XSAVE area is only checked when the guest uses extended state. */
GUEST(halt, 64, "fnop\n hlt");

MACHINE_FIXTURE(xsave)

/*
 * XRSTOR does not report which field was wrong, so accept any offset in the area.
 */
static void area_refused(struct __test_metadata *_metadata, struct machine *m,
			 uint32_t offset, uint64_t value, uint32_t size)
{
	struct svmrun_registers *regs = m->vcpu.regs;

	MACHINE_LOAD(m, MODE_LONG, halt);
	*(uint64_t *)xsave_at(m, XSAVE_XSTATE_BV) = XCR0_X87 | XCR0_SSE;
	memcpy(xsave_at(m, offset), &value, size);
	ASSERT_EXIT(VMEXIT_INVALID, m);
	EXPECT_LE(SVMRUN_VCPU_XSAVE, regs->out_invalid_offset);
	EXPECT_GT(SVMRUN_VCPU_XSAVE + m->vcpu.xsave_size,
		  regs->out_invalid_offset);
	EXPECT_EQ(SVMRUN_INVALID_VALUE, regs->out_invalid_reason);

	MACHINE_LOAD(m, MODE_LONG, halt);
	memset(xsave_at(m, offset), 0, size);
	ASSERT_EXIT(VMEXIT_HLT, m);
}

#define TEST_AREA_REFUSED(name, offset, value, size)			\
	TEST_F(xsave, name##_refused)					\
	{								\
		area_refused(_metadata, &self->m, offset, value, size);	\
	}

TEST_AREA_REFUSED(xstate_bv_undefined, XSAVE_XSTATE_BV, 1ull << 62, 8)
TEST_AREA_REFUSED(xcomp_bv, XSAVE_XCOMP_BV, 1ull << 63, 8)
TEST_AREA_REFUSED(header_reserved, XSAVE_RESERVED, 1, 8)

/*
 * Return whether the processor itself accepts reserved bits of MXCSR, as some
 * emulators do.
 */
static bool takes_any_mxcsr(void)
{
	const uint32_t reserved = 1u << 16;
	int status;
	pid_t child = fork();

	if (!child) {
		asm volatile("ldmxcsr %0" : : "m"(reserved));
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status);
}

TEST_F(xsave, mxcsr_reserved_refused)
{
	if (takes_any_mxcsr())
		SKIP(return, "LDMXCSR accepts reserved bits");
	area_refused(_metadata, &self->m, XSAVE_MXCSR, 1u << 16, 4);
}

static void xcr0_refused(struct __test_metadata *_metadata, struct machine *m,
			 uint64_t value)
{
	struct svmrun_registers *regs = m->vcpu.regs;

	MACHINE_LOAD(m, MODE_LONG, halt);
	regs->xcr0 = value;
	ASSERT_EXIT(VMEXIT_INVALID, m);
	EXPECT_EQ(SVMRUN_VCPU_REGISTERS +
			  offsetof(struct svmrun_registers, xcr0),
		  regs->out_invalid_offset);
	EXPECT_EQ(SVMRUN_INVALID_VALUE, regs->out_invalid_reason);
	regs->xcr0 = XCR0_X87;
	ASSERT_EXIT(VMEXIT_HLT, m);
}

#define TEST_XCR0_REFUSED(name, value)					\
	TEST_F(xsave, name##_refused)					\
	{								\
		xcr0_refused(_metadata, &self->m, value);		\
	}

TEST_XCR0_REFUSED(xcr0_zero, 0)
TEST_XCR0_REFUSED(xcr0_without_x87, XCR0_SSE)
TEST_XCR0_REFUSED(xcr0_avx_without_sse, XCR0_X87 | XCR0_AVX)
TEST_XCR0_REFUSED(xcr0_undefined, XCR0_X87 | 1ull << 62)

TEST_HARNESS_MAIN
