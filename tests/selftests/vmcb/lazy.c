// SPDX-License-Identifier: GPL-2.0
/*
 * Lazy state: extended state and DR0 to DR3 are loaded when a guest first uses
 * them. Neither the guest nor the program can detect that they were not loaded
 * before.
 */
#include "tables.h"
#include "xsave.h"

#define VECTOR_DB 1
#define VECTOR_NM 7
#define VECTOR_MF 16
#define VECTOR 0x30

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_WP (1ull << 16)
#define CR4_OSXSAVE (1ull << 18)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define DR6_RESERVED 0xffff0ff0ull
#define DR7_ALWAYS 0x400ull

#define FSW_ZE (1u << 2)
#define FSW_ES (1u << 7)
#define FCW_ZE_UNMASKED 0x37bu
#define MXCSR_INIT 0x1f80u

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

MACHINE_FIXTURE(lazy)

/* Replace the machine's vCPU by one none of whose lazy state is active. */
static int vcpu_renew(struct machine *m)
{
	svmrun_vcpu_destroy(&m->vcpu);
	return svmrun_vcpu_create(&m->vcpu, &m->vm);
}

static void intercept(struct machine *m, uint64_t code)
{
	m->vcpu.vmcb->control.intercept[code / 32] |= 1u << code % 32;
}

/* The library's modes intercept CPUID. */
static void pass_cpuid(struct machine *m)
{
	m->vcpu.vmcb->control.intercept[3] &= ~SVM_INTERCEPT3_CPUID;
}

/* ---- the XSAVE area ------------------------------------------------------ */

FIXTURE(use)
{
	struct machine m;
};

FIXTURE_VARIANT(use)
{
	const char *code, *end;
	enum machine_mode mode;
	uint64_t cr0; /* bits to toggle */
};

FIXTURE_SETUP(use)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(use)
{
	machine_destroy(&self->m);
}

/*
 * Instructions that make a guest use extended state; the code after them is the
 * same.
 */
#define USE(name, mode_, bits, text, ...)                                      \
	GUEST(use_##name, bits, "nop\n" text "\n hlt");                        \
	FIXTURE_VARIANT_ADD(use, name)                                         \
	{                                                                      \
		.code = use_##name, .end = use_##name##_end, .mode = (mode_),  \
		__VA_ARGS__                                                    \
	}

USE(x87, MODE_LONG, 64, "fld1");
USE(x87_real, MODE_REAL, 16, "fld1");
USE(x87_no_wait, MODE_PROTECTED, 32, "fnstsw %ax");
USE(mmx, MODE_LONG, 64, "paddb %mm0, %mm0");
USE(sse, MODE_LONG, 64, "paddb %xmm0, %xmm0");
USE(mxcsr, MODE_LONG, 64, "stmxcsr 0xa000");
USE(fxsave, MODE_LONG, 64, "fxsave 0xa000");
USE(fwait, MODE_LONG, 64, "fwait");
USE(fwait_without_mp, MODE_LONG, 64, "fwait", .cr0 = CR0_MP);
USE(fwait_real, MODE_REAL, 16, "fwait");
USE(read_cr0, MODE_LONG, 64, "mov %cr0, %rcx");
USE(smsw, MODE_LONG, 64, "smsw %ecx");
USE(clts, MODE_LONG, 64, "clts");
USE(lmsw, MODE_PROTECTED, 32, "lmsw %bx");
USE(cpuid, MODE_LONG, 64, "cpuid");

static void use_begin(struct __test_metadata *_metadata, struct machine *m,
		      const FIXTURE_VARIANT(use) * variant)
{
	machine_load(m, variant->mode, variant->code, variant->end);
	pass_cpuid(m);
	m->vcpu.vmcb->save.cr0 ^= variant->cr0;
	m->vcpu.regs->rbx = 1; /* PE */
	m->vcpu.regs->rsi = m->vcpu.vmcb->save.cr4;
}

/* A malformed area is refused when it is needed, not before. */
TEST_F(use, malformed_area)
{
	const struct svm_vmcb *vmcb = VMCB;

	use_begin(_metadata, &self->m, variant);
	memset(self->m.vcpu.xsave, 0xff, self->m.info.out_xsave_size);
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(SVMRUN_INVALID_VALUE, REGS->out_invalid_reason);
	EXPECT_EQ(SVMRUN_VCPU_XSAVE, REGS->out_invalid_offset);
	EXPECT_EQ(MACHINE_CODE + 1, vmcb->save.rip);
	for (uint32_t i = 0; i < self->m.info.out_xsave_size; i++)
		ASSERT_EQ(0xff, *(uint8_t *)xsave_at(&self->m, i));
	/* The result is the same if the run is repeated. */
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(MACHINE_CODE + 1, vmcb->save.rip);
	memset(self->m.vcpu.xsave, 0, self->m.info.out_xsave_size);
	ASSERT_EQ(0, machine_run(&self->m));
	/* LMSW always exits, whatever it changes (APM 15.9). */
	if (vmcb->control.exitcode == VMEXIT_CR0_SEL_WRITE) {
		EXPECT_TRUE(variant->code == use_lmsw);
		return;
	}
	ASSERT_EQ(VMEXIT_HLT, vmcb->control.exitcode);
}

GUEST(halt, 64, "nop\n hlt");

TEST_F(lazy, unused_area_is_not_looked_at)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	memset(self->m.vcpu.xsave, 0xff, self->m.info.out_xsave_size);
	for (int i = 0; i < 3; i++) {
		VMCB->save.rip = MACHINE_CODE;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		for (uint32_t n = 0; n < self->m.info.out_xsave_size; n++)
			ASSERT_EQ(0xff, *(uint8_t *)xsave_at(&self->m, n));
	}
}

/*
 * If the guest cannot be kept from using the state, load it at the first
 * instruction.
 */
TEST_F(lazy, in_reach_from_the_beginning)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	memset(self->m.vcpu.xsave, 0xff, self->m.info.out_xsave_size);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	VMCB->save.rip = MACHINE_CODE;
	VMCB->save.cr4 |= CR4_OSXSAVE;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(SVMRUN_VCPU_XSAVE, REGS->out_invalid_offset);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

GUEST(use_both, 64,
      "nop\n hlt\n paddq %xmm3, %xmm3\n movq %xmm3, %rcx\n fnstcw 0xa000\n"
      "fld1\n fldpi\n hlt\n 1: paddq %xmm3, %xmm3\n hlt\n jmp 1b");

/*
 * Load what the program has set last, even after the guest has run without the
 * state.
 */
TEST_F(lazy, loaded_and_saved)
{
	static const uint8_t one[10] = { [7] = 0x80, 0xff, 0x3f };
	const uint16_t fcw = 0x27f;

	MACHINE_LOAD(&self->m, MODE_LONG, use_both);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	*(uint64_t *)xsave_at(&self->m, XSAVE_XMM(3)) = 0x1234;
	*(uint16_t *)xsave_at(&self->m, XSAVE_FCW) = fcw;
	*(uint32_t *)xsave_at(&self->m, XSAVE_MXCSR) = MXCSR_INIT;
	*(uint64_t *)xsave_at(&self->m, XSAVE_XSTATE_BV) = XCR0_X87 | XCR0_SSE;
	VMCB->save.rip++;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0x2468, REGS->rcx);
	EXPECT_EQ(0x2468, *(uint64_t *)xsave_at(&self->m, XSAVE_XMM(3)));
	EXPECT_EQ(fcw, *(uint16_t *)machine_at(&self->m, MACHINE_DATA));
	EXPECT_EQ(0, memcmp(one, xsave_at(&self->m, XSAVE_ST(1)), sizeof(one)));
	for (uint64_t i = 1; i < 4; i++) {
		VMCB->save.rip++;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(0x2468ull << i,
			  *(uint64_t *)xsave_at(&self->m, XSAVE_XMM(3)));
	}
}

GUEST(wait_for_x87, 64, "fwait\n hlt");

/*
 * FWAIT is the only one of these that need not raise #NM, and reports x87
 * exceptions.
 */
TEST_F(lazy, exception_of_the_guests_own)
{
	for (int mp = 0; mp < 2; mp++) {
		ASSERT_EQ(0, vcpu_renew(&self->m));
		MACHINE_LOAD(&self->m, MODE_LONG, wait_for_x87);
		intercept(&self->m, VMEXIT_EXCP(VECTOR_MF));
		VMCB->save.cr0 = mp ? VMCB->save.cr0 | CR0_MP :
				      VMCB->save.cr0 & ~CR0_MP;
		*(uint32_t *)xsave_at(&self->m, XSAVE_FCW) = FCW_ZE_UNMASKED |
							     (FSW_ES | FSW_ZE)
								     << 16;
		*(uint64_t *)xsave_at(&self->m, XSAVE_XSTATE_BV) = XCR0_X87;
		ASSERT_EXIT(VMEXIT_EXCP(VECTOR_MF), &self->m);
		EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
	}
}

/* ---- CR0 ----------------------------------------------------------------- */

FIXTURE(cr0)
{
	struct machine m;
	uint64_t cr0;
};

FIXTURE_VARIANT(cr0)
{
	uint64_t bits;
};

#define CR0(name, bits_)                                                       \
	FIXTURE_VARIANT_ADD(cr0, name)                                         \
	{                                                                      \
		.bits = (bits_),                                               \
	}

CR0(none, 0);
CR0(mp, CR0_MP);
CR0(ts, CR0_TS);
CR0(mp_ts, CR0_MP | CR0_TS);

FIXTURE_SETUP(cr0)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(cr0)
{
	machine_destroy(&self->m);
}

static uint64_t set_cr0(struct machine *m, uint64_t bits)
{
	__u64 *cr0 = &m->vcpu.vmcb->save.cr0;

	*cr0 = (*cr0 & ~(CR0_MP | CR0_TS)) | bits;
	return *cr0;
}

#define BEGIN_CR0(guest)                                                       \
	do {                                                                   \
		MACHINE_LOAD(&self->m, MODE_LONG, guest);                      \
		self->cr0 = set_cr0(&self->m, variant->bits);                  \
	} while (0)

GUEST(read_cr0, 64, "mov %cr0, %rcx\n hlt");
GUEST(read_cr0_smsw, 64, "smsw %rcx\n hlt");
GUEST(store_cr0, 64, "smsw 0xa000\n hlt");
GUEST(write_cr0, 64, "mov %rdi, %cr0\n hlt");
GUEST(clear_ts, 64, "clts\n hlt");
GUEST(write_msw, 64, "lmsw %di\n hlt");

/* The program emulates a write of RDI to CR0, an instruction of 3 bytes. */
static void carry_out_write(struct machine *m, uint64_t value)
{
	m->vcpu.vmcb->save.cr0 = value;
	m->vcpu.vmcb->save.rip += 3;
}

/* Expect that the program sees the guest's value of CR0. */
static void expect_left_to_program(struct __test_metadata *_metadata,
				   struct machine *m, uint64_t cr0)
{
	ASSERT_EXIT(VMEXIT_CR0_SEL_WRITE, m);
	EXPECT_EQ(cr0, m->vcpu.vmcb->save.cr0);
	carry_out_write(m, m->vcpu.regs->rdi);
}

TEST_F(cr0, untouched)
{
	BEGIN_CR0(halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
}

TEST_F(cr0, read)
{
	BEGIN_CR0(read_cr0);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0, REGS->rcx);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
}

TEST_F(cr0, smsw)
{
	BEGIN_CR0(read_cr0_smsw);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0 & 0xffff, REGS->rcx & 0xffff);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
}

TEST_F(cr0, smsw_to_memory)
{
	BEGIN_CR0(store_cr0);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0 & 0xffff,
		  *(uint16_t *)machine_at(&self->m, MACHINE_DATA));
}

TEST_F(cr0, write)
{
	for (uint64_t bits = 0; bits < 16; bits += 2) {
		ASSERT_EQ(0, vcpu_renew(&self->m));
		BEGIN_CR0(write_cr0);
		REGS->rdi = self->cr0 ^ bits;
		if (bits & ~(CR0_MP | CR0_TS))
			expect_left_to_program(_metadata, &self->m, self->cr0);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(self->cr0 ^ bits, VMCB->save.cr0);
	}
}

TEST_F(cr0, clts)
{
	BEGIN_CR0(clear_ts);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0 & ~CR0_TS, VMCB->save.cr0);
}

TEST_F(cr0, lmsw)
{
	uint64_t want;

	for (uint64_t bits = 0; bits < 16; bits += 2) {
		ASSERT_EQ(0, vcpu_renew(&self->m));
		BEGIN_CR0(write_msw);
		want = (self->cr0 & ~0xfull) | bits | 1;
		REGS->rdi = bits | 1; /* PE */
		ASSERT_EQ(0, machine_run(&self->m));
		if (VMCB->control.exitcode == VMEXIT_CR0_SEL_WRITE) {
			EXPECT_EQ(self->cr0, VMCB->save.cr0);
			carry_out_write(&self->m, want);
			ASSERT_EXIT(VMEXIT_HLT, &self->m);
		}
		ASSERT_EQ(VMEXIT_HLT, VMCB->control.exitcode);
		EXPECT_EQ(want, VMCB->save.cr0);
	}
}

/* A program that sets all clean bits except those of its changes */
TEST_F(cr0, changed_between_runs)
{
	BEGIN_CR0(halt);
	for (int i = 0; i < 4; i++) {
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(self->cr0, VMCB->save.cr0);
		self->cr0 ^= CR0_TS;
		VMCB->save.cr0 = self->cr0;
		VMCB->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_CRx;
	}
	memcpy(machine_at(&self->m, MACHINE_CODE + 1), read_cr0,
	       read_cr0_end - read_cr0);
	VMCB->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_CRx;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0, REGS->rcx);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
}

TEST_F(cr0, kept_between_runs)
{
	BEGIN_CR0(halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	VMCB->control.clean = SVM_CLEAN_ALL;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
	VMCB->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_I;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
}

/* ---- #NM ----------------------------------------------------------------- */

GUEST(load_one, 64, "nop\n fld1\n hlt");
GUEST(wait_x87, 64, "nop\n fwait\n hlt");

/* #NM of the guest itself is raised once, at the instruction. */
TEST_F(cr0, device_not_available)
{
	BEGIN_CR0(load_one);
	tables_set(&self->m, MODE_LONG);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	if (!(variant->bits & CR0_TS)) {
		EXPECT_EQ(MACHINE_CODE + 3, VMCB->save.rip);
		return;
	}
	EXPECT_EQ(HANDLER(VECTOR_NM), VMCB->save.rip);
	EXPECT_EQ(MACHINE_CODE + 1, frame_read(&self->m, MODE_LONG, false).rip);
	EXPECT_EQ(self->cr0, VMCB->save.cr0);
	EXPECT_EQ(0, REGS->out_exits_reflected);
	VMCB->save.cr0 &= ~CR0_TS;
	frame_return(&self->m, MODE_LONG, false);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 3, VMCB->save.rip);
}

TEST_F(cr0, device_not_available_intercepted)
{
	BEGIN_CR0(load_one);
	intercept(&self->m, VMEXIT_EXCP(VECTOR_NM));
	for (int i = 0; variant->bits & CR0_TS && i < 3; i++) {
		ASSERT_EXIT(VMEXIT_EXCP(VECTOR_NM), &self->m);
		EXPECT_EQ(MACHINE_CODE + 1, VMCB->save.rip);
		EXPECT_EQ(self->cr0, VMCB->save.cr0);
	}
	VMCB->save.cr0 &= ~CR0_TS;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 3, VMCB->save.rip);
}

TEST_F(cr0, fwait_intercepted)
{
	BEGIN_CR0(wait_x87);
	intercept(&self->m, VMEXIT_EXCP(VECTOR_NM));
	ASSERT_EXIT(variant->bits == (CR0_MP | CR0_TS) ?
			    VMEXIT_EXCP(VECTOR_NM) :
			    VMEXIT_HLT,
		    &self->m);
}

/* With CR0.EM set, there is no x87, whatever TS is. */
TEST_F(cr0, no_x87)
{
	BEGIN_CR0(load_one);
	VMCB->save.cr0 |= CR0_EM;
	intercept(&self->m, VMEXIT_EXCP(VECTOR_NM));
	for (int i = 0; i < 3; i++) {
		ASSERT_EXIT(VMEXIT_EXCP(VECTOR_NM), &self->m);
		EXPECT_EQ(MACHINE_CODE + 1, VMCB->save.rip);
	}
}

/* ---- exits that the program requests ------------------------------------- */

/* An instruction, and the exit that it raises if requested */
struct step {
	uint64_t code;
	uint8_t length;
	uint8_t bytes[4];
};

#define NO_EXIT ~0ull
#define STEP_DR_READ(n)                                                        \
	{                                                                      \
		VMEXIT_DR_READ(n), 3,                                          \
		{                                                              \
			0x0f, 0x21, 0xc0 | (n) << 3                            \
		}                                                              \
	}
#define STEP_DR_WRITE(n, source)                                               \
	{                                                                      \
		VMEXIT_DR_WRITE(n), 3,                                         \
		{                                                              \
			0x0f, 0x23, 0xc0 | (n) << 3 | (source)                 \
		}                                                              \
	}

enum { SOURCE_RAX, SOURCE_RDI = 7 };

/*
 * All instructions by which a guest uses lazy state; none of them changes anything.
 */
static const struct step steps[] = {
	{ VMEXIT_CR_READ(0), 3, { 0x0f, 0x20, 0xc0 } }, /* mov %cr0, %rax */
	{ VMEXIT_CR_WRITE(0), 3, { 0x0f, 0x22, 0xc0 } }, /* mov %rax, %cr0 */
	{ VMEXIT_CR_READ(0), 3, { 0x0f, 0x01, 0xe0 } }, /* smsw %eax */
	{ VMEXIT_CR_WRITE(0), 2, { 0x0f, 0x06 } }, /* clts */
	{ VMEXIT_CR_WRITE(4), 3, { 0x0f, 0x22, 0xe6 } }, /* mov %rsi, %cr4 */
	{ NO_EXIT, 2, { 0xd9, 0xd0 } }, /* fnop */
	{ NO_EXIT, 1, { 0x9b } }, /* fwait */
	{ NO_EXIT, 3, { 0x0f, 0x57, 0xc0 } }, /* xorps %xmm0, %xmm0 */
	{ VMEXIT_CPUID, 2, { 0x0f, 0xa2 } }, /* cpuid */
	STEP_DR_READ(0),
	STEP_DR_WRITE(0, SOURCE_RAX),
	STEP_DR_READ(1),
	STEP_DR_WRITE(1, SOURCE_RAX),
	STEP_DR_READ(2),
	STEP_DR_WRITE(2, SOURCE_RAX),
	STEP_DR_READ(3),
	STEP_DR_WRITE(3, SOURCE_RAX),
	STEP_DR_WRITE(5, SOURCE_RDI),
	STEP_DR_WRITE(7, SOURCE_RDI),
};

#define STEPS ((int)ARRAY_SIZE(steps))
#define DR_VALUE(n) (0x4000ull + 0x10 * (n))

/* Load all steps, starting at @first, and those before it at the end. */
static void steps_load(struct machine *m, int first)
{
	uint8_t *code = machine_at(m, MACHINE_CODE);

	MACHINE_LOAD(m, MODE_LONG, halt);
	for (int i = 0; i < STEPS; i++) {
		const struct step *step = &steps[(first + i) % STEPS];

		memcpy(code, step->bytes, step->length);
		code += step->length;
	}
	*code = 0xf4; /* hlt */
	pass_cpuid(m);
	for (int n = 0; n < 4; n++)
		m->vcpu.regs->dr[n] = DR_VALUE(n);
	m->vcpu.regs->rdi = DR7_ALWAYS;
	m->vcpu.regs->rsi = m->vcpu.vmcb->save.cr4;
}

/*
 * Return the value of RAX with which the instruction does not change its register.
 */
static uint64_t source_of(struct machine *m, const struct step *step)
{
	if (step->code == VMEXIT_CR_WRITE(0))
		return m->vcpu.vmcb->save.cr0;
	if (step->code >= VMEXIT_DR_WRITE(0) &&
	    step->code <= VMEXIT_DR_WRITE(3))
		return m->vcpu.regs->dr[step->code - VMEXIT_DR_WRITE(0)];
	return 0;
}

/* Emulate the instruction, and continue after it. */
static void step_over(struct machine *m, const struct step *step)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	save->rip += step->length;
	if (step->code == VMEXIT_CR_READ(0))
		save->rax = save->cr0;
	if (step->code >= VMEXIT_DR_READ(0) && step->code <= VMEXIT_DR_READ(3))
		save->rax = m->vcpu.regs->dr[step->code - VMEXIT_DR_READ(0)];
}

static bool exits(const struct machine *m, const struct step *step,
		  const uint32_t asked[6])
{
	uint32_t vector = step->code / 32, bit = 1u << step->code % 32;

	if (step->code == NO_EXIT)
		return false;
	return (asked[vector] | m->info.out_forced_intercepts[vector]) & bit;
}

/* Expect that each step exits if requested or forced, and that no other does. */
static void expect_exits(struct __test_metadata *_metadata, struct machine *m,
			 int first, const uint32_t asked[6])
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	uint64_t rip = MACHINE_CODE, cr0 = vmcb->save.cr0;

	vmcb->save.rax = source_of(m, &steps[first]);
	for (int i = 0; i < STEPS; i++) {
		const struct step *step = &steps[(first + i) % STEPS];

		if (exits(m, step, asked)) {
			ASSERT_EXIT(step->code, m);
			ASSERT_EQ(rip, vmcb->save.rip);
			step_over(m, step);
		}
		rip += step->length;
	}
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(rip, vmcb->save.rip);
	EXPECT_EQ(cr0, vmcb->save.cr0);
	EXPECT_EQ(DR7_ALWAYS, vmcb->save.dr7);
	for (int n = 0; n < 4; n++)
		EXPECT_EQ(DR_VALUE(n), m->vcpu.regs->dr[n]);
}

/* The guest starts with step @first. #NM is requested and must never be seen. */
static void expect_asked(struct __test_metadata *_metadata, struct machine *m,
			 int first, const uint32_t asked[6])
{
	ASSERT_EQ(0, vcpu_renew(m));
	steps_load(m, first);
	for (int i = 0; i < 6; i++)
		m->vcpu.vmcb->control.intercept[i] |= asked[i];
	intercept(m, VMEXIT_EXCP(VECTOR_NM));
	expect_exits(_metadata, m, first, asked);
}

FIXTURE(asked)
{
	struct machine m;
};

FIXTURE_VARIANT(asked)
{
	int first;
};

/* The number of the first step */
#define FIRST(n)                                                               \
	FIXTURE_VARIANT_ADD(asked, from_##n)                                   \
	{                                                                      \
		.first = (n),                                                  \
	}

FIRST(0);
FIRST(1);
FIRST(2);
FIRST(3);
FIRST(4);
FIRST(5);
FIRST(6);
FIRST(7);
FIRST(8);
FIRST(9);
FIRST(10);
FIRST(11);
FIRST(12);
FIRST(13);
FIRST(14);
FIRST(15);
FIRST(16);
FIRST(17);
FIRST(18);
FIRST(19);

FIXTURE_SETUP(asked)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(asked)
{
	machine_destroy(&self->m);
}

TEST_F(asked, none)
{
	const uint32_t asked[6] = {};

	expect_asked(_metadata, &self->m, variant->first, asked);
}

TEST_F(asked, one)
{
	for (int i = 0; i < STEPS; i++) {
		uint32_t asked[6] = {};

		if (steps[i].code == NO_EXIT)
			continue;
		asked[steps[i].code / 32] |= 1u << steps[i].code % 32;
		expect_asked(_metadata, &self->m, variant->first, asked);
	}
}

TEST_F(asked, all_but_one)
{
	for (int i = -1; i < STEPS; i++) {
		uint32_t asked[6] = {};

		for (int j = 0; j < STEPS; j++)
			if (steps[j].code != NO_EXIT)
				asked[steps[j].code / 32] |= 1u
							     << steps[j].code %
									32;
		if (i >= 0 && steps[i].code != NO_EXIT)
			asked[steps[i].code / 32] &= ~(1u
						       << steps[i].code % 32);
		expect_asked(_metadata, &self->m, variant->first, asked);
	}
}

/* ---- CPUID --------------------------------------------------------------- */

GUEST(cpuid_first, 64, "cpuid\n hlt");
GUEST(cpuid_later, 64, "fnop\n cpuid\n hlt");

struct cpuid {
	uint64_t rax, rbx, rcx, rdx;
};

static struct cpuid guest_cpuid(struct __test_metadata *_metadata,
				struct machine *m, const char *code,
				const char *code_end, uint32_t leaf,
				uint64_t cr4)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;
	struct svmrun_registers *regs = m->vcpu.regs;

	if (vcpu_renew(m))
		return (struct cpuid){};
	save = &m->vcpu.vmcb->save;
	regs = m->vcpu.regs;
	machine_load(m, MODE_LONG, code, code_end);
	pass_cpuid(m);
	save->cr4 |= cr4;
	save->rax = leaf;
	EXPECT_EQ(0, machine_run(m));
	EXPECT_EQ(VMEXIT_HLT, m->vcpu.vmcb->control.exitcode);
	return (struct cpuid){ save->rax, regs->rbx, regs->rcx, regs->rdx };
}

#define LEAF_FEATURES 1
#define LEAF_XSTATE 0xd
#define FEATURES_OSXSAVE (1ull << 27)

/* Sizes depend on the guest's XCR0, OSXSAVE on its CR4. */
TEST_F(lazy, cpuid)
{
	for (int i = 0; i < 2; i++) {
		uint64_t cr4 = i ? CR4_OSXSAVE : 0;
		struct cpuid first = guest_cpuid(_metadata, &self->m,
						 cpuid_first, cpuid_first_end,
						 LEAF_XSTATE, cr4);
		struct cpuid later = guest_cpuid(_metadata, &self->m,
						 cpuid_later, cpuid_later_end,
						 LEAF_XSTATE, cr4);

		EXPECT_EQ(0, memcmp(&first, &later, sizeof(first)));
		EXPECT_EQ(XSAVE_YMM(0), first.rbx);
		EXPECT_EQ(self->m.info.out_xsave_size, first.rcx);
		first = guest_cpuid(_metadata, &self->m, cpuid_first,
				    cpuid_first_end, LEAF_FEATURES, cr4);
		EXPECT_EQ(!!cr4, !!(first.rcx & FEATURES_OSXSAVE));
	}
}

/* ---- during events ------------------------------------------------------- */

FIXTURE(event)
{
	struct machine m;
};

FIXTURE_VARIANT(event)
{
	uint64_t event;
};

#define EVENT(name, event_)                                                    \
	FIXTURE_VARIANT_ADD(event, name)                                       \
	{                                                                      \
		.event = (event_),                                             \
	}

EVENT(interrupt, EVENT_INTR(VECTOR));
EVENT(nmi, EVENT_NMI);
EVENT(fault, EVENT_EXCEPTION(0));
EVENT(fault_with_code, EVENT_ERROR(13, 0x5678));
EVENT(soft, EVENT_SOFT(VECTOR));

FIXTURE_SETUP(event)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(event)
{
	machine_destroy(&self->m);
}

GUEST(handle_x87, 64, "fld1\n inc %rbx\n pop %rcx\n hlt");
GUEST(handle_cr0, 64, "mov %cr0, %rax\n inc %rbx\n pop %rcx\n hlt");
GUEST(handle_cpuid, 64,
      "push %rbx\n cpuid\n pop %rbx\n inc %rbx\n pop %rcx\n hlt");
GUEST(handle_dr, 64, "mov %dr2, %rax\n inc %rbx\n pop %rcx\n hlt");

static const struct {
	const char *code, *end;
} handlers[] = {
	{ handle_x87, handle_x87_end },
	{ handle_cr0, handle_cr0_end },
	{ handle_cpuid, handle_cpuid_end },
	{ handle_dr, handle_dr_end },
};

static void deliver(struct __test_metadata *_metadata,
		    FIXTURE_DATA(event) * self, uint64_t event, int handler)
{
	uint8_t vector = event & SVM_EVENT_VECTOR_MASK;

	ASSERT_EQ(0, vcpu_renew(&self->m));
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	tables_set(&self->m, MODE_LONG);
	pass_cpuid(&self->m);
	memcpy(machine_at(&self->m, HANDLER(vector)), handlers[handler].code,
	       handlers[handler].end - handlers[handler].code);
	VMCB->control.eventinj = event;
	VMCB->control.nrip = MACHINE_CODE;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/*
 * An event whose handler is the first to use the state is delivered once. All
 * memory that the delivery needs is mapped, so that no other exit interrupts it.
 */
TEST_F(event, used_in_the_handler)
{
	uint8_t vector = variant->event & SVM_EVENT_VECTOR_MASK;

	if ((variant->event & SVM_EVENT_TYPE_MASK) ==
		    SVM_EVENT_TYPE_SOFT_INTERRUPT &&
	    tables_lose_soft(&self->m))
		SKIP(return, "an INTn whose delivery faults is lost");
	deliver(_metadata, self, variant->event, 0);
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		deliver(_metadata, self, variant->event, i);
		EXPECT_EQ(HANDLER(vector) + handlers[i].end - handlers[i].code -
				  1,
			  VMCB->save.rip);
		EXPECT_EQ(1, REGS->rbx);
		EXPECT_EQ(variant->event & SVM_EVENT_ERROR_CODE_VALID ?
				  0x5678 :
				  MACHINE_CODE,
			  REGS->rcx);
		EXPECT_EQ(0, VMCB->control.eventinj & SVM_EVENT_VALID);
	}
}

GUEST(raise_twice, 64, "int $0x30\n fld1\n int $0x30\n hlt");
GUEST(count, 64, "fld1\n inc %rbx\n iretq");

static void set_handler(struct machine *m, uint8_t vector, const char *code,
			const char *code_end)
{
	memcpy(machine_at(m, HANDLER(vector)), code, code_end - code);
}

/* Used in a handler of a software interrupt, and after it */
TEST_F(lazy, used_after_an_instruction_raised_it)
{
	MACHINE_LOAD(&self->m, MODE_LONG, raise_twice);
	tables_set(&self->m, MODE_LONG);
	set_handler(&self->m, VECTOR, count, count_end);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(2, REGS->rbx);
	EXPECT_EQ(MACHINE_CODE + 6, VMCB->save.rip);
}

GUEST(open_and_use, 64, "sti\n fld1\n open_used: nop\n hlt");
GUEST(open_and_read, 64, "sti\n mov %cr0, %rdx\n open_read: nop\n hlt");
GUEST_LABEL(open_used);
GUEST_LABEL(open_read);
GUEST(count_at, 64, "inc %rbx\n mov (%rsp), %rcx\n iretq");

#define AT(guest, label) (MACHINE_CODE + (label - guest))
#define V_IRQ_HIGHEST                                                          \
	(SVM_VINTR_V_IRQ | 15ull << SVM_VINTR_V_INTR_PRIO_SHIFT |              \
	 (uint64_t)VECTOR << SVM_VINTR_V_INTR_VECTOR_SHIFT)

/*
 * Touch all pages that an interrupt needs, because a delivery that faults is
 * another test's subject.
 */
static void begin_counting(struct machine *m, const char *code,
			   const char *code_end)
{
	machine_load(m, MODE_LONG, halt, halt_end);
	tables_set(m, MODE_LONG);
	m->vcpu.vmcb->control.eventinj = EVENT_INTR(VECTOR);
	machine_run(m);
	machine_load(m, MODE_LONG, code, code_end);
	tables_set(m, MODE_LONG);
	set_handler(m, VECTOR, count_at, count_at_end);
	set_handler(m, VECTOR_DB, count_at, count_at_end);
	pass_cpuid(m);
}

#define BEGIN_COUNTING(m, guest) begin_counting(m, guest, guest##_end)

/* Return whether an interrupt shadow in the VMCB holds back an interrupt. */
static bool loads_shadow(struct machine *m)
{
	BEGIN_COUNTING(m, halt);
	m->vcpu.vmcb->save.rflags |= RFLAGS_IF;
	m->vcpu.vmcb->control.vintr = V_IRQ_HIGHEST;
	m->vcpu.vmcb->control.interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	return !machine_run(m) && m->vcpu.regs->rcx == MACHINE_CODE + 1;
}

/*
 * Used by the instruction after STI, before which a pending interrupt is held back
 */
TEST_F(lazy, used_in_an_interrupt_shadow)
{
	const uint64_t after[] = { AT(open_and_use, open_used),
				   AT(open_and_read, open_read) };
	bool shadow = loads_shadow(&self->m);

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vcpu_renew(&self->m));
		if (i)
			BEGIN_COUNTING(&self->m, open_and_read);
		else
			BEGIN_COUNTING(&self->m, open_and_use);
		VMCB->control.vintr = V_IRQ_HIGHEST;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(after[i] + 1, VMCB->save.rip);
		EXPECT_EQ(1, REGS->rbx);
		EXPECT_EQ(0, VMCB->control.vintr & SVM_VINTR_V_IRQ);
		if (shadow)
			EXPECT_EQ(after[i], REGS->rcx);
	}
	if (!shadow)
		SKIP(return, "the processor loads no interrupt shadow");
}

GUEST(step_all, 64,
      "fld1\n mov %cr0, %rax\n mov %rax, %cr0\n mov %dr1, %rdx\n"
      "mov %rdx, %dr1\n xor %eax, %eax\n fwait\n hlt");
GUEST(step_all_later, 64,
      "fld1\n mov %dr0, %rdx\n hlt\n"
      "fld1\n mov %cr0, %rax\n mov %rax, %cr0\n mov %dr1, %rdx\n"
      "mov %rdx, %dr1\n xor %eax, %eax\n fwait\n hlt");
GUEST(step_stack, 64, "mov %esi, %ss\n fld1\n nop\n hlt");
GUEST(step_stack_later, 64, "fld1\n hlt\n mov %esi, %ss\n fld1\n nop\n hlt");

/* Return the number of single steps of the guest, or of its second part. */
static uint64_t count_steps(struct __test_metadata *_metadata,
			    struct machine *m, bool later)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	if (later) {
		EXPECT_EQ(0, machine_run(m));
		vmcb->save.rip++;
	}
	m->vcpu.regs->rsi = SELECTOR_DATA;
	vmcb->save.rflags |= RFLAGS_TF;
	EXPECT_EQ(0, machine_run(m));
	EXPECT_EQ(VMEXIT_HLT, vmcb->control.exitcode);
	EXPECT_EQ(vmcb->save.rip, m->vcpu.regs->rcx);
	return m->vcpu.regs->rbx;
}

TEST_F(lazy, used_in_single_steps)
{
	uint64_t later;

	BEGIN_COUNTING(&self->m, step_all_later);
	later = count_steps(_metadata, &self->m, true);
	EXPECT_EQ(7, later);
	ASSERT_EQ(0, vcpu_renew(&self->m));
	BEGIN_COUNTING(&self->m, step_all);
	EXPECT_EQ(later, count_steps(_metadata, &self->m, false));
}

/* A single step over MOV to SS includes the next instruction. */
TEST_F(lazy, used_after_loading_the_stack_segment)
{
	uint64_t later;

	BEGIN_COUNTING(&self->m, step_stack_later);
	later = count_steps(_metadata, &self->m, true);
	ASSERT_EQ(0, vcpu_renew(&self->m));
	BEGIN_COUNTING(&self->m, step_stack);
	EXPECT_EQ(later, count_steps(_metadata, &self->m, false));
}

/* ---- task switches ------------------------------------------------------- */

GUEST(jump_to_task, 32, "ljmp $0x40, $0");
GUEST(jump_to_task_later, 32, "fnop\n ljmp $0x40, $0");
GUEST(halt_32, 32, "nop\n hlt");
GUEST(task, 32, "inc %ebx\n hlt");

static void begin_task(struct machine *m, const char *code,
		       const char *code_end)
{
	machine_load(m, MODE_PROTECTED, code, code_end);
	tables_set(m, MODE_PROTECTED);
	tables_set_task(m, HANDLER(0), MACHINE_STACK);
	set_handler(m, 0, task, task_end);
}

#define BEGIN_TASK(m, guest) begin_task(m, guest, guest##_end)

/* A task gate (APM 4.8.4) */
static void set_task_gate(struct machine *m, uint8_t vector)
{
	*(uint64_t *)machine_at(m, TABLES_IDT + 8 * vector) = SELECTOR_OTHER_TSS
								      << 16 |
							      0x85ull << 40;
}

static bool intercepts_task_switches(struct machine *m)
{
	BEGIN_TASK(m, jump_to_task);
	intercept(m, VMEXIT_TASK_SWITCH);
	return !machine_run(m) &&
	       m->vcpu.vmcb->control.exitcode == VMEXIT_TASK_SWITCH;
}

static void expect_switched(struct __test_metadata *_metadata,
			    struct machine *m)
{
	const struct svm_vmcb *vmcb = m->vcpu.vmcb;

	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(HANDLER(0) + task_end - task - 1, vmcb->save.rip);
	EXPECT_EQ(CR0_TS, vmcb->save.cr0 & CR0_TS);
}

TEST_F(lazy, task_switch_by_jump)
{
	if (!intercepts_task_switches(&self->m))
		SKIP(return, "the processor does not intercept task switches");
	ASSERT_EQ(0, vcpu_renew(&self->m));
	BEGIN_TASK(&self->m, jump_to_task_later);
	expect_switched(_metadata, &self->m);
	ASSERT_EQ(0, vcpu_renew(&self->m));
	BEGIN_TASK(&self->m, jump_to_task);
	expect_switched(_metadata, &self->m);
}

/* An event through a task gate is not lost with the exit. */
TEST_F(lazy, task_switch_by_event)
{
	if (!intercepts_task_switches(&self->m))
		SKIP(return, "the processor does not intercept task switches");
	ASSERT_EQ(0, vcpu_renew(&self->m));
	BEGIN_TASK(&self->m, halt_32);
	set_task_gate(&self->m, VECTOR);
	VMCB->control.eventinj = EVENT_INTR(VECTOR);
	expect_switched(_metadata, &self->m);
	EXPECT_EQ(SELECTOR_TSS,
		  *(uint32_t *)machine_at(&self->m, TABLES_OTHER_TSS) & 0xffff);
}

/* ---- several vCPUs ------------------------------------------------------- */

TEST_F(lazy, one_of_two)
{
	struct machine other = self->m;

	ASSERT_EQ(0, svmrun_vcpu_create(&other.vcpu, &self->m.vm));
	MACHINE_LOAD(&self->m, MODE_LONG, use_both);
	ASSERT_EQ(0, vcpu_begin(&other, &other.vcpu, MODE_LONG));
	memset(other.vcpu.xsave, 0xff, self->m.info.out_xsave_size);
	for (int i = 0; i < 5; i++) {
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		VMCB->save.rip++;
		ASSERT_EXIT(VMEXIT_HLT, &other);
	}
	other.vcpu.vmcb->save.rip++;
	ASSERT_EXIT(VMEXIT_INVALID, &other);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	svmrun_vcpu_destroy(&other.vcpu);
}

GUEST(doubles, 64, "hlt\n 1: paddq %xmm3, %xmm3\n hlt\n jmp 1b");

static uint64_t clone_run(struct __test_metadata *_metadata,
			  struct svmrun_clone *clone)
{
	struct svmrun_vcpu *vcpu = &clone->vcpus[0];

	vcpu->vmcb->save.rip++;
	EXPECT_EQ(0, svmrun_vcpu_run(vcpu));
	EXPECT_EQ(VMEXIT_HLT, vcpu->vmcb->control.exitcode);
	EXPECT_EQ(0, vcpu->vmcb->save.cr0 & CR0_TS);
	return *(uint64_t *)(vcpu->xsave + XSAVE_XMM(3));
}

/*
 * Clone from a snapshot in which the lazy state is inactive; the clones activate
 * it.
 */
static void expect_clones(struct __test_metadata *_metadata, struct machine *m,
			  uint64_t value)
{
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;

	ASSERT_EQ(0,
		  svmrun_snapshot_take(&snapshot, &m->memory, 1, &m->vcpu, 1));
	ASSERT_EQ(0, svmrun_clone(&clone, &snapshot, m->device));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(value << 1, clone_run(_metadata, &clone));
		EXPECT_EQ(value << 2, clone_run(_metadata, &clone));
		ASSERT_EQ(0, svmrun_reset(&clone));
	}
	svmrun_clone_destroy(&clone);
	svmrun_snapshot_destroy(&snapshot);
}

TEST_F(lazy, clone_and_reset)
{
	uint64_t *xmm3 = xsave_at(&self->m, XSAVE_XMM(3));

	MACHINE_LOAD(&self->m, MODE_LONG, doubles);
	*xmm3 = 0x1111;
	*(uint32_t *)xsave_at(&self->m, XSAVE_MXCSR) = MXCSR_INIT;
	*(uint64_t *)xsave_at(&self->m, XSAVE_XSTATE_BV) = XCR0_SSE;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	expect_clones(_metadata, &self->m, 0x1111);
	VMCB->save.rip++;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0x2222, *xmm3);
	expect_clones(_metadata, &self->m, 0x2222);
}

TEST_HARNESS_MAIN
