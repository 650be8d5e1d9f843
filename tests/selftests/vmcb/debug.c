// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers (APM 13.1): the guest has its own, and those of the host are the
 * same after a run as before it.
 */
#include "breakpoints.h"
#include "tables.h"

#define VECTOR_DB 1
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_RF (1ull << 16)

#define DR6_RESERVED 0xffff0ff0ull
#define DR6_BD (1ull << 13)
#define DR6_BS (1ull << 14)
#define DR7_GD (1ull << 13)

/* Add 1 to each of DR0 to DR3. */
GUEST(step, 64,
      "mov %dr0, %rax\n inc %rax\n mov %rax, %dr0\n"
      "mov %dr1, %rax\n inc %rax\n mov %rax, %dr1\n"
      "mov %dr2, %rax\n inc %rax\n mov %rax, %dr2\n"
      "mov %dr3, %rax\n inc %rax\n mov %rax, %dr3\n"
      "hlt");

/* Leave DR7 with four breakpoints enabled, and bits of every kind set in DR6. */
GUEST(litter, 64,
      "mov $0xffff4fff, %eax\n mov %rax, %dr6\n"
      "mov $0x7ff, %eax\n mov %rax, %dr7\n hlt");

static volatile long watched;

MACHINE_FIXTURE(debug)

TEST_F(debug, guest_has_its_own)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;

	MACHINE_LOAD(&self->m, MODE_LONG, step);
	for (uint64_t i = 0; i < 4; i++)
		vcpu->regs->dr[i] = 0x1000 * (i + 1);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	for (uint64_t i = 0; i < 4; i++)
		EXPECT_EQ(0x1000 * (i + 1) + 1, vcpu->regs->dr[i]);
}

TEST_F(debug, intercepted_registers_do_not_change)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;

	MACHINE_LOAD(&self->m, MODE_LONG, step);
	vcpu->regs->dr[0] = 0x1234;
	vcpu->vmcb->control.intercept[1] = 0x000f000f;
	ASSERT_EXIT(VMEXIT_DR_READ(0), &self->m);
	EXPECT_EQ(0x1234, vcpu->regs->dr[0]);
}

/*
 * The host's breakpoint fires before and after a guest runs, and never because of
 * it.
 */
TEST_F(debug, hosts_breakpoints_survive)
{
	int breakpoint = breakpoint_open(HW_BREAKPOINT_W, &watched);

	if (breakpoint < 0)
		SKIP(return, "no hardware breakpoint is available");
	watched++;
	ASSERT_EQ(1, breakpoint_hits(breakpoint));
	for (uint64_t i = 0; i < 10; i++) {
		MACHINE_LOAD(&self->m, MODE_LONG, step);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		MACHINE_LOAD(&self->m, MODE_LONG, litter);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(i + 1, breakpoint_hits(breakpoint));
		watched++;
		EXPECT_EQ(i + 2, breakpoint_hits(breakpoint));
	}
	close(breakpoint);
}

GUEST(halt_and_look, 64, "hlt\n mov %dr6, %rcx\n hlt");

/*
 * Return whether DR6 is lost although its clean bit is set (APM 15.15). An outer
 * hypervisor may use the host's DR6 in its place.
 */
static bool loses_dr6(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	if (!tables_nmi_lacks_vector(m))
		return false;
	MACHINE_LOAD(m, MODE_LONG, halt_and_look);
	vmcb->save.dr6 = DR6_RESERVED | 1;
	if (machine_run(m))
		return false;
	vmcb->save.rip++;
	vmcb->control.clean = SVM_CLEAN_DRx;
	return !machine_run(m) && !(m->vcpu.regs->rcx & 1);
}

#define SKIP_LOST_DR6(m)                                                       \
	do {                                                                   \
		if (loses_dr6(m))                                              \
			SKIP(return, "the processor loses a guest's DR6");     \
	} while (0)

/*
 * The host must not see bits that the guest has left in DR6, such as a single step.
 */
TEST_F(debug, guests_dr6_is_not_the_hosts)
{
	int breakpoint = breakpoint_open(HW_BREAKPOINT_W, &watched);

	if (breakpoint < 0)
		SKIP(return, "no hardware breakpoint is available");
	SKIP_LOST_DR6(&self->m);
	MACHINE_LOAD(&self->m, MODE_LONG, litter);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_NE(DR6_RESERVED, self->m.vcpu.vmcb->save.dr6);
	/* A wrong DR6 would end the test here, with SIGTRAP. */
	watched++;
	EXPECT_EQ(1, breakpoint_hits(breakpoint));
	close(breakpoint);
}

/*
 * A guest whose accesses to debug registers are all intercepted leaves them
 * unchanged.
 */
TEST_F(debug, hosts_breakpoints_are_not_switched)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;
	int breakpoint = breakpoint_open(HW_BREAKPOINT_W, &watched);

	if (breakpoint < 0)
		SKIP(return, "no hardware breakpoint is available");
	for (uint64_t i = 0; i < 10; i++) {
		MACHINE_LOAD(&self->m, MODE_LONG, step);
		vcpu->vmcb->control.intercept[1] = ~0u;
		for (int n = 0; n < 4; n++)
			vcpu->regs->dr[n] = (uintptr_t)&watched;
		ASSERT_EXIT(VMEXIT_DR_READ(0), &self->m);
		for (int n = 0; n < 4; n++)
			EXPECT_EQ((uintptr_t)&watched, vcpu->regs->dr[n]);
		EXPECT_EQ(i, breakpoint_hits(breakpoint));
		watched++;
		EXPECT_EQ(i + 1, breakpoint_hits(breakpoint));
	}
	close(breakpoint);
}

/* ---- single steps -------------------------------------------------------- */

GUEST(four, 64, "nop\n nop\n nop\n hlt");
/* Count #DB in RBX, and leave its reason in RCX. */
GUEST(count_db, 64, "inc %rbx\n mov %dr6, %rcx\n iretq");
/* The same for a fault, which would be raised again without RF (APM 13.1.3.1) */
GUEST(count_fault, 64,
      "inc %rbx\n mov %dr6, %rcx\n orl $0x10000, 16(%rsp)\n iretq");

static void begin(struct machine *m, const char *code, const char *code_end)
{
	machine_load(m, MODE_LONG, code, code_end);
	tables_set(m, MODE_LONG);
}

#define BEGIN(m, guest) begin(m, guest, guest##_end)

static void set_handler(struct machine *m, const char *code,
			const char *code_end)
{
	memcpy(machine_at(m, HANDLER(VECTOR_DB)), code, code_end - code);
	m->vcpu.regs->rbx = 0;
}

#define SET_HANDLER(m, guest) set_handler(m, guest, guest##_end)

static void intercept_db(struct machine *m)
{
	uint32_t *intercept = m->vcpu.vmcb->control.intercept;

	intercept[2] |= SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
}

TEST_F(debug, single_step_intercepted)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

	BEGIN(&self->m, four);
	intercept_db(&self->m);
	save->rflags |= RFLAGS_TF;
	for (int i = 1; i <= 3; i++) {
		save->dr6 = DR6_RESERVED;
		ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), &self->m);
		EXPECT_EQ(MACHINE_CODE + i, save->rip);
		EXPECT_EQ(DR6_RESERVED | DR6_BS, save->dr6);
		EXPECT_NE(0, save->rflags & RFLAGS_TF);
	}
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0, self->m.vcpu.regs->out_exits_reflected);
}

TEST_F(debug, single_step_of_the_guests_own)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	BEGIN(&self->m, four);
	SET_HANDLER(&self->m, count_db);
	self->m.vcpu.vmcb->save.rflags |= RFLAGS_TF;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 3, self->m.vcpu.vmcb->save.rip);
	EXPECT_EQ(3, regs->rbx);
	EXPECT_NE(0, regs->rcx & DR6_BS);
	EXPECT_EQ(3, regs->out_exits_reflected);
}

/* ---- breakpoints --------------------------------------------------------- */

FIXTURE(breakpoint)
{
	struct machine m;
};

FIXTURE_VARIANT(breakpoint)
{
	int n;
};

#define BREAKPOINT(n_)                                                         \
	FIXTURE_VARIANT_ADD(breakpoint, dr##n_)                                \
	{                                                                      \
		.n = n_,                                                       \
	}

BREAKPOINT(0);
BREAKPOINT(1);
BREAKPOINT(2);
BREAKPOINT(3);

FIXTURE_SETUP(breakpoint)
{
	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(breakpoint)
{
	breakpoints_disarm(&self->m, self->m.vcpu.vmcb->save.dr7);
	machine_destroy(&self->m);
}

/* The guests load DR7 from RDI. */
GUEST(execute, 64, "mov %rdi, %dr7\n nop\n execute_here: nop\n" DISARM);
GUEST(store, 64, "mov %rdi, %dr7\n movl $7, 0xa000\n store_next: nop\n" DISARM);
GUEST(armed, 64, "nop\n armed_here: nop\n hlt");
GUEST_LABEL(execute_here);
GUEST_LABEL(store_next);
GUEST_LABEL(armed_here);

#define AT(guest, label) (MACHINE_CODE + (label - guest))

static void begin_break(struct machine *m, int n, uint64_t address,
			uint64_t dr7)
{
	m->vcpu.regs->dr[n] = address;
	m->vcpu.regs->rdi = DR7_ALWAYS | dr7;
}

static void begin_execute(struct machine *m, int n)
{
	BEGIN(m, execute);
	begin_break(m, n, AT(execute, execute_here), DR7_EXECUTE(n));
}

static void begin_write(struct machine *m, int n)
{
	BEGIN(m, store);
	begin_break(m, n, MACHINE_DATA, DR7_WRITE(n));
}

TEST_F(breakpoint, execute_intercepted)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

	begin_execute(&self->m, variant->n);
	intercept_db(&self->m);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), &self->m);
	EXPECT_EQ(AT(execute, execute_here), save->rip);
	EXPECT_EQ(DR6_RESERVED | 1u << variant->n, save->dr6);
	EXPECT_EQ(DR7_ALWAYS | DR7_EXECUTE(variant->n), save->dr7);
	save->rflags |= RFLAGS_RF;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(DR7_ALWAYS, save->dr7);
}

TEST_F(breakpoint, execute_of_the_guests_own)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	SKIP_LOST_DR6(&self->m);
	begin_execute(&self->m, variant->n);
	SET_HANDLER(&self->m, count_fault);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(1, regs->rbx);
	EXPECT_EQ(1u << variant->n, regs->rcx & 0xf);
	EXPECT_EQ(1, regs->out_exits_reflected);
}

TEST_F(breakpoint, write_intercepted)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

	begin_write(&self->m, variant->n);
	intercept_db(&self->m);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), &self->m);
	EXPECT_EQ(AT(store, store_next), save->rip);
	EXPECT_EQ(DR6_RESERVED | 1u << variant->n, save->dr6);
	EXPECT_EQ(7, *(uint32_t *)machine_at(&self->m, MACHINE_DATA));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(DR7_ALWAYS, save->dr7);
}

TEST_F(breakpoint, write_of_the_guests_own)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	SKIP_LOST_DR6(&self->m);
	begin_write(&self->m, variant->n);
	SET_HANDLER(&self->m, count_db);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(1, regs->rbx);
	EXPECT_EQ(1u << variant->n, regs->rcx & 0xf);
	EXPECT_EQ(1, regs->out_exits_reflected);
}

/* Breakpoints that the program enables in the VMCB; VMRUN loads DR7. */
TEST_F(breakpoint, of_the_programs_own)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

	BEGIN(&self->m, armed);
	intercept_db(&self->m);
	self->m.vcpu.regs->dr[variant->n] = AT(armed, armed_here);
	save->dr7 = DR7_ALWAYS | DR7_EXECUTE(variant->n);
	ASSERT_EQ(0, machine_run(&self->m));
	if (self->m.vcpu.vmcb->control.exitcode == VMEXIT_HLT)
		SKIP(return, "VMRUN does not arm breakpoints");
	EXPECT_EQ(VMEXIT_EXCP(VECTOR_DB), self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(AT(armed, armed_here), save->rip);
	EXPECT_EQ(DR6_RESERVED | 1u << variant->n, save->dr6);
}

/* ---- other causes of #DB ------------------------------------------------- */

/* Access DR0 with DR7.GD set (APM 13.1.1.4); the handler may access it. */
GUEST(detected, 64, "mov %rdi, %dr7\n detected_here: mov %dr0, %rax\n hlt");
GUEST_LABEL(detected_here);

TEST_F(debug, general_detect_intercepted)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

	BEGIN(&self->m, detected);
	intercept_db(&self->m);
	self->m.vcpu.regs->rdi = DR7_ALWAYS | DR7_GD;
	ASSERT_EQ(0, machine_run(&self->m));
	if (self->m.vcpu.vmcb->control.exitcode == VMEXIT_HLT)
		SKIP(return, "the processor ignores DR7.GD");
	EXPECT_EQ(VMEXIT_EXCP(VECTOR_DB), self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(AT(detected, detected_here), save->rip);
	EXPECT_NE(0, save->dr6 & DR6_BD);
}

TEST_F(debug, general_detect_of_the_guests_own)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	BEGIN(&self->m, detected);
	self->m.vcpu.regs->rdi = DR7_ALWAYS | DR7_GD;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	if (self->m.vcpu.vmcb->save.rip != HANDLER(VECTOR_DB))
		SKIP(return, "the processor ignores DR7.GD");
	EXPECT_EQ(DR7_ALWAYS, self->m.vcpu.vmcb->save.dr7);
	EXPECT_EQ(1, regs->out_exits_reflected);
}

GUEST(icebp, 64, ".byte 0xf1\n icebp_next: hlt");
GUEST_LABEL(icebp_next);

/*
 * The #DB of ICEBP is a trap, and is not intercepted by the #DB intercept (APM
 * 15.9).
 */
TEST_F(debug, icebp)
{
	BEGIN(&self->m, icebp);
	intercept_db(&self->m);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	if (self->m.vcpu.vmcb->save.rip != HANDLER(VECTOR_DB))
		SKIP(return, "the processor has no ICEBP");
	EXPECT_EQ(AT(icebp, icebp_next),
		  frame_read(&self->m, MODE_LONG, false).rip);
	EXPECT_EQ(0, self->m.vcpu.regs->out_exits_reflected);
}

TEST_HARNESS_MAIN
