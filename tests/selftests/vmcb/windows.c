// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt and NMI windows: virtual interrupts and the VINTR intercept (APM
 * 15.21), the interrupt shadow, the IRET intercept, virtual GIF and virtual NMI.
 * Also task switches without an intercept, and shutdown.
 */
#include "runner.h"
#include "tables.h"

#define VECTOR 0x30
#define VECTOR_NMI 2
#define RFLAGS_IF (1ull << 9)

MACHINE_FIXTURE(windows)

#define VMCB (self->m.vcpu.vmcb)
#define CONTROL (&self->m.vcpu.vmcb->control)

/* The same bytes in each mode */
GUEST(closed, 64, "nop\n nop\n hlt");
GUEST(opened, 64, "nop\n sti\n nop\n opened_here: nop\n hlt");
GUEST_LABEL(opened_here);

#define AT(guest, label) (MACHINE_CODE + (label - guest))

/*
 * Make the guest touch all pages that an interrupt needs, because a delivery that
 * faults is another test's subject.
 */
static void touch(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	struct svm_vmcb_save save = vmcb->save;

	vmcb->control.eventinj = EVENT_INTR(VECTOR);
	machine_run(m);
	vmcb->save = save;
}

static void begin(struct machine *m, enum machine_mode mode, const char *code,
		  const char *code_end)
{
	machine_load(m, mode, code, code_end);
	tables_set(m, mode);
	touch(m);
}

#define BEGIN(m, mode, guest) begin(m, mode, guest, guest##_end)

/*
 * RUN, repeated from the same state if an interrupt of the host occurred meanwhile:
 * some processors do not load the interrupt shadow, which is then lost.
 */
static int run_alone(struct machine *m)
{
	const struct svmrun_registers regs = *m->vcpu.regs;
	const struct svm_vmcb vmcb = *m->vcpu.vmcb;
	int err;

	do {
		*m->vcpu.regs = regs;
		*m->vcpu.vmcb = vmcb;
		err = machine_run(m);
	} while (regs.out_exits_interrupt != m->vcpu.regs->out_exits_interrupt);
	return err;
}

/* ASSERT_EXIT(), with run_alone() */
#define ASSERT_EXIT_ALONE(code, m)                                             \
	do {                                                                   \
		ASSERT_EQ(0, run_alone(m));                                    \
		ASSERT_EQ((code), (m)->vcpu.vmcb->control.exitcode);           \
	} while (0)

/* A virtual interrupt with a priority and other flags */
static uint64_t virtual_interrupt(uint64_t priority, uint64_t flags)
{
	return SVM_VINTR_V_IRQ | priority << SVM_VINTR_V_INTR_PRIO_SHIFT |
	       (uint64_t)VECTOR << SVM_VINTR_V_INTR_VECTOR_SHIFT | flags;
}

#define V_IRQ_HIGHEST virtual_interrupt(15, 0)

/* ---- delivery of virtual interrupts -------------------------------------- */

MODE_FIXTURE(delivery)

/* Expect that the guest has halted in the handler, and that V_IRQ is clear. */
static void expect_taken(struct __test_metadata *_metadata, struct machine *m,
			 enum machine_mode mode, uint64_t from)
{
	const struct svm_vmcb *vmcb = m->vcpu.vmcb;
	struct frame frame;

	ASSERT_EXIT_ALONE(VMEXIT_HLT, m);
	ASSERT_EQ(HANDLER(VECTOR), vmcb->save.rip);
	EXPECT_EQ(0, vmcb->control.vintr & SVM_VINTR_V_IRQ);
	EXPECT_EQ(0, vmcb->save.rflags & RFLAGS_IF);
	frame = frame_read(m, mode, false);
	EXPECT_EQ(from, frame.rip);
	EXPECT_EQ(RFLAGS_IF, frame.flags & RFLAGS_IF);
}

static void expect_held(struct __test_metadata *_metadata, struct machine *m,
			uint64_t halted)
{
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(halted, m->vcpu.vmcb->save.rip);
	EXPECT_NE(0, m->vcpu.vmcb->control.vintr & SVM_VINTR_V_IRQ);
}

TEST_F(delivery, at_once)
{
	BEGIN(&self->m, variant->mode, closed);
	VMCB->save.rflags |= RFLAGS_IF;
	CONTROL->vintr = V_IRQ_HIGHEST;
	expect_taken(_metadata, &self->m, variant->mode, MACHINE_CODE);
	/* The handler's IRET returns. */
	frame_return(&self->m, variant->mode, false);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 2, VMCB->save.rip);
}

TEST_F(delivery, after_sti)
{
	BEGIN(&self->m, variant->mode, opened);
	CONTROL->vintr = V_IRQ_HIGHEST;
	expect_taken(_metadata, &self->m, variant->mode,
		     AT(opened, opened_here));
}

/* While IF is clear, V_IRQ stays set across exits, runs and signals. */
TEST_F(delivery, not_until_sti)
{
	BEGIN(&self->m, variant->mode, closed);
	CONTROL->vintr = V_IRQ_HIGHEST;
	expect_held(_metadata, &self->m, MACHINE_CODE + 2);
	expect_held(_metadata, &self->m, MACHINE_CODE + 2);
	ASSERT_EQ(0, call(self->m.vcpu.fd, SVMRUN_KICK, NULL));
	ASSERT_EQ(-EINTR, machine_run(&self->m));
	expect_held(_metadata, &self->m, MACHINE_CODE + 2);
	VMCB->save.rflags |= RFLAGS_IF;
	expect_taken(_metadata, &self->m, variant->mode, MACHINE_CODE + 2);
}

/* ---- priorities (APM 15.21.4) -------------------------------------------- */

GUEST(set_tpr, 64, "mov $3, %eax\n mov %rax, %cr8\n hlt");

static uint64_t halted_at(struct machine *m, uint64_t vintr)
{
	BEGIN(m, MODE_LONG, closed);
	m->vcpu.vmcb->save.rflags |= RFLAGS_IF;
	m->vcpu.vmcb->control.vintr = vintr;
	if (machine_run(m) || m->vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		return 0;
	return m->vcpu.vmcb->save.rip;
}

TEST_F(windows, priority_above_tpr)
{
	EXPECT_EQ(HANDLER(VECTOR),
		  halted_at(&self->m, virtual_interrupt(9, 8)));
	EXPECT_EQ(HANDLER(VECTOR),
		  halted_at(&self->m, virtual_interrupt(15, 14)));
}

TEST_F(windows, priority_below_tpr)
{
	EXPECT_EQ(MACHINE_CODE + 2,
		  halted_at(&self->m, virtual_interrupt(7, 8)));
	EXPECT_EQ(MACHINE_CODE + 2,
		  halted_at(&self->m, virtual_interrupt(0, 15)));
	EXPECT_NE(0, CONTROL->vintr & SVM_VINTR_V_IRQ);
}

TEST_F(windows, priority_equal_to_tpr)
{
	uint64_t at = halted_at(&self->m, virtual_interrupt(8, 8));

	if (at == HANDLER(VECTOR))
		SKIP(return, "delivered although its priority is not higher");
	EXPECT_EQ(MACHINE_CODE + 2, at);
}

TEST_F(windows, tpr_ignored)
{
	EXPECT_EQ(HANDLER(VECTOR),
		  halted_at(&self->m,
			    virtual_interrupt(7, 15 | SVM_VINTR_V_IGN_TPR)));
}

/* CR8 is V_TPR. */
TEST_F(windows, guest_sets_tpr)
{
	BEGIN(&self->m, MODE_LONG, set_tpr);
	CONTROL->vintr = 15;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(3, CONTROL->vintr & SVM_VINTR_V_TPR_MASK);
}

/* ---- the VINTR intercept ------------------------------------------------- */

GUEST(popped, 64,
      "pushf\n orl $0x200, (%rsp)\n popf\n popped_here: nop\n"
      "hlt");
GUEST_LABEL(popped_here);

TEST_F(windows, intercepted_after_sti)
{
	BEGIN(&self->m, MODE_LONG, opened);
	CONTROL->intercept[3] |= SVM_INTERCEPT3_VINTR;
	CONTROL->vintr = V_IRQ_HIGHEST;
	ASSERT_EXIT_ALONE(VMEXIT_VINTR, &self->m);
	EXPECT_EQ(AT(opened, opened_here), VMCB->save.rip);
	EXPECT_EQ(MACHINE_STACK, VMCB->save.rsp);
	EXPECT_NE(0, CONTROL->vintr & SVM_VINTR_V_IRQ);
	EXPECT_EQ(0, CONTROL->interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW);
	/* The window is open, so the program injects its interrupt. */
	CONTROL->vintr = 0;
	CONTROL->eventinj = EVENT_INTR(VECTOR);
	expect_taken(_metadata, &self->m, MODE_LONG, AT(opened, opened_here));
}

TEST_F(windows, intercepted_after_popf)
{
	BEGIN(&self->m, MODE_LONG, popped);
	CONTROL->intercept[3] |= SVM_INTERCEPT3_VINTR;
	CONTROL->vintr = V_IRQ_HIGHEST;
	ASSERT_EXIT_ALONE(VMEXIT_VINTR, &self->m);
	EXPECT_EQ(AT(popped, popped_here), VMCB->save.rip);
}

TEST_F(windows, intercepted_at_once)
{
	BEGIN(&self->m, MODE_LONG, closed);
	CONTROL->intercept[3] |= SVM_INTERCEPT3_VINTR;
	CONTROL->vintr = V_IRQ_HIGHEST;
	VMCB->save.rflags |= RFLAGS_IF;
	ASSERT_EXIT_ALONE(VMEXIT_VINTR, &self->m);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(windows, not_intercepted_while_closed)
{
	BEGIN(&self->m, MODE_LONG, closed);
	CONTROL->intercept[3] |= SVM_INTERCEPT3_VINTR;
	CONTROL->vintr = V_IRQ_HIGHEST;
	expect_held(_metadata, &self->m, MACHINE_CODE + 2);
}

/* ---- the interrupt shadow (APM 15.21.5) ---------------------------------- */

GUEST(cpuid_after_sti, 64, "sti\n cpuid\n hlt");
GUEST(cpuid_after_ss, 64, "mov %ss, %eax\n mov %eax, %ss\n cpuid\n hlt");
GUEST(cpuid_after_nop, 64, "sti\n nop\n cpuid\n hlt");

static uint64_t shadow_at_cpuid(struct machine *m, const char *code,
				const char *code_end)
{
	begin(m, MODE_LONG, code, code_end);
	if (run_alone(m) || m->vcpu.vmcb->control.exitcode != VMEXIT_CPUID)
		return ~0ull;
	return m->vcpu.vmcb->control.interrupt_shadow &
	       SVM_SHADOW_INTERRUPT_SHADOW;
}

#define SHADOW_AT_CPUID(m, guest) shadow_at_cpuid(m, guest, guest##_end)

TEST_F(windows, shadow_reported)
{
	EXPECT_EQ(1, SHADOW_AT_CPUID(&self->m, cpuid_after_sti));
	EXPECT_EQ(1, SHADOW_AT_CPUID(&self->m, cpuid_after_ss));
	EXPECT_EQ(0, SHADOW_AT_CPUID(&self->m, cpuid_after_nop));
}

/* A shadow that the program sets lasts for one instruction. */
TEST_F(windows, shadow_holds_virtual_interrupt)
{
	BEGIN(&self->m, MODE_LONG, closed);
	VMCB->save.rflags |= RFLAGS_IF;
	CONTROL->vintr = V_IRQ_HIGHEST;
	CONTROL->interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	ASSERT_EXIT_ALONE(VMEXIT_HLT, &self->m);
	if (frame_read(&self->m, MODE_LONG, false).rip == MACHINE_CODE)
		SKIP(return, "the processor loads no interrupt shadow");
	EXPECT_EQ(MACHINE_CODE + 1, frame_read(&self->m, MODE_LONG, false).rip);
}

TEST_F(windows, shadow_holds_intercept)
{
	BEGIN(&self->m, MODE_LONG, closed);
	VMCB->save.rflags |= RFLAGS_IF;
	CONTROL->intercept[3] |= SVM_INTERCEPT3_VINTR;
	CONTROL->vintr = V_IRQ_HIGHEST;
	CONTROL->interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	ASSERT_EXIT_ALONE(VMEXIT_VINTR, &self->m);
	if (VMCB->save.rip == MACHINE_CODE)
		SKIP(return, "the processor loads no interrupt shadow");
	EXPECT_EQ(MACHINE_CODE + 1, VMCB->save.rip);
}

TEST_F(windows, guest_interrupt_mask_reported)
{
	BEGIN(&self->m, MODE_LONG, closed);
	VMCB->save.rflags |= RFLAGS_IF;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	if (!(CONTROL->interrupt_shadow & SVM_SHADOW_GUEST_INTERRUPT_MASK))
		SKIP(return, "the processor does not write the flag");
	VMCB->save.rflags &= ~RFLAGS_IF;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0,
		  CONTROL->interrupt_shadow & SVM_SHADOW_GUEST_INTERRUPT_MASK);
}

/* ---- a halted guest ------------------------------------------------------ */

GUEST(halt_open, 64, "sti\n hlt\n vmmcall");

TEST_F(windows, virtual_interrupt_wakes)
{
	BEGIN(&self->m, MODE_LONG, halt_open);
	tables_set_gate(&self->m, MODE_LONG, VECTOR, MACHINE_CODE + 2, 0);
	CONTROL->intercept[3] &= ~SVM_INTERCEPT3_HLT;
	CONTROL->intercept[4] |= SVM_INTERCEPT4_VMMCALL;
	CONTROL->vintr = V_IRQ_HIGHEST;
	ASSERT_EXIT(VMEXIT_VMMCALL, &self->m);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_V_IRQ);
	EXPECT_EQ(MACHINE_CODE + 2, frame_read(&self->m, MODE_LONG, false).rip);
}

GUEST(halt_closed, 64, "cli\n 1: incl 0xa000\n hlt\n jmp 1b");

/* Interrupts of the host wake it regardless of its IF, and so does a kick. */
TEST_F(windows, halted_guest_can_be_kicked)
{
	struct runner runner;

	MACHINE_LOAD(&self->m, MODE_LONG, halt_closed);
	CONTROL->intercept[3] &= ~SVM_INTERCEPT3_HLT;
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	while (!*machine_counter(&self->m))
		sched_yield();
	usleep(10000);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(VMEXIT_INTR, CONTROL->exitcode);
}

/* ---- NMI ----------------------------------------------------------------- */

/* An NMI is in service until IRET, whose intercept signals that. */
TEST_F(windows, nmi_window)
{
	BEGIN(&self->m, MODE_LONG, closed);
	CONTROL->intercept[3] |= SVM_INTERCEPT3_IRET;
	CONTROL->eventinj = EVENT_NMI;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(HANDLER(VECTOR_NMI), VMCB->save.rip);
	EXPECT_EQ(0, CONTROL->eventinj & SVM_EVENT_VALID);
	frame_return(&self->m, MODE_LONG, false);
	ASSERT_EXIT(VMEXIT_IRET, &self->m);
	EXPECT_EQ(HANDLER(VECTOR_NMI) + 1, VMCB->save.rip);
	CONTROL->intercept[3] &= ~SVM_INTERCEPT3_IRET;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 2, VMCB->save.rip);
}

/* NMIs are injected regardless of IF. */
TEST_F(windows, nmi_again)
{
	BEGIN(&self->m, MODE_LONG, closed);
	for (int i = 0; i < 3; i++) {
		CONTROL->eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI |
				    VECTOR_NMI;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(HANDLER(VECTOR_NMI), VMCB->save.rip);
		frame_return(&self->m, MODE_LONG, false);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(MACHINE_CODE + 2, VMCB->save.rip);
	}
}

TEST_F(windows, virtual_nmi)
{
	if (!(self->m.info.out_svm_features & SVM_FEATURE_VNMI))
		SKIP(return, "the processor has no virtual NMI");
	BEGIN(&self->m, MODE_LONG, closed);
	CONTROL->vintr = SVM_VINTR_V_NMI_ENABLE | SVM_VINTR_V_NMI;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(HANDLER(VECTOR_NMI), VMCB->save.rip);
	EXPECT_EQ(SVM_VINTR_V_NMI_MASK,
		  CONTROL->vintr & (SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK));
	/* Another NMI is pending until IRET. */
	CONTROL->vintr |= SVM_VINTR_V_NMI;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_NE(0, CONTROL->vintr & SVM_VINTR_V_NMI);
	frame_return(&self->m, MODE_LONG, false);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(HANDLER(VECTOR_NMI), VMCB->save.rip);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_V_NMI);
	frame_return(&self->m, MODE_LONG, false);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 2, VMCB->save.rip);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_V_NMI_MASK);
}

/* ---- virtual GIF (APM 15.33.2): STGI and CLGI are intercepted here ------- */

TEST_F(windows, virtual_gif)
{
	if (!(self->m.info.out_svm_features & SVM_FEATURE_VGIF))
		SKIP(return, "the processor has no virtual GIF");
	BEGIN(&self->m, MODE_LONG, closed);
	VMCB->save.rflags |= RFLAGS_IF;
	CONTROL->vintr = V_IRQ_HIGHEST | SVM_VINTR_VGIF_ENABLE;
	expect_held(_metadata, &self->m, MACHINE_CODE + 2);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_VGIF);
	CONTROL->vintr |= SVM_VINTR_VGIF;
	expect_taken(_metadata, &self->m, MODE_LONG, MACHINE_CODE + 2);
	EXPECT_NE(0, CONTROL->vintr & SVM_VINTR_VGIF);
}

GUEST(clgi_stgi, 64, "clgi\n stgi\n hlt");

TEST_F(windows, guest_does_not_touch_gif)
{
	if (!(self->m.info.out_svm_features & SVM_FEATURE_VGIF))
		SKIP(return, "the processor has no virtual GIF");
	BEGIN(&self->m, MODE_LONG, clgi_stgi);
	CONTROL->vintr = SVM_VINTR_VGIF_ENABLE | SVM_VINTR_VGIF;
	ASSERT_EXIT(VMEXIT_CLGI, &self->m);
	EXPECT_NE(0, CONTROL->vintr & SVM_VINTR_VGIF);
	VMCB->save.rip += 3;
	CONTROL->vintr &= ~SVM_VINTR_VGIF;
	ASSERT_EXIT(VMEXIT_STGI, &self->m);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_VGIF);
}

/* ---- delivery interrupted by a fault that the module handles ------------- */

/* A stack that is mapped into the guest but not yet touched */
#define FRESH_STACK 0x30800ul

static void begin_on_fresh_stack(struct machine *m)
{
	BEGIN(m, MODE_LONG, closed);
	m->vcpu.vmcb->save.rflags |= RFLAGS_IF;
	m->vcpu.vmcb->save.rsp = FRESH_STACK;
	m->vcpu.vmcb->control.vintr = V_IRQ_HIGHEST;
}

TEST_F(windows, virtual_interrupt_through_fault)
{
	unsigned long event;

	ASSERT_EQ(0, machine_unmap(&self->m, FRESH_STACK & -PAGE, PAGE));
	begin_on_fresh_stack(&self->m);
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	event = CONTROL->exitintinfo;
	if (event != EVENT_INTR(VECTOR))
		SKIP(return, "the processor reports event %#lx", event);
	EXPECT_EQ(0, CONTROL->vintr & SVM_VINTR_V_IRQ);
	ASSERT_EQ(0, machine_map_again(&self->m, FRESH_STACK & -PAGE));
	begin_on_fresh_stack(&self->m);
	expect_taken(_metadata, &self->m, MODE_LONG, MACHINE_CODE);
}

/* ---- tasks (APM 12.3) ---------------------------------------------------- */

#define OTHER_STACK (MACHINE_STACK - 0x400)

/* CALL to another task, which returns with IRET */
GUEST(call_task, 32,
      "mov $0x28, %ax\n ltr %ax\n"
      "lcall $0x40, $0\n hlt");
GUEST(task, 32, "str %eax\n hlt\n iret");

TEST_F(windows, task_switch_by_the_guest)
{
	BEGIN(&self->m, MODE_PROTECTED, call_task);
	memcpy(machine_at(&self->m, MACHINE_DATA), task, task_end - task);
	tables_set_task(&self->m, MACHINE_DATA, OTHER_STACK);
	/* not busy, because the guest executes LTR */
	*tables_descriptor(&self->m, SELECTOR_TSS) = descriptor_tss(TABLES_TSS,
								    TSS_LIMIT,
								    TYPE_TSS);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(SELECTOR_OTHER_TSS, VMCB->save.rax & 0xffff);
	EXPECT_EQ(SELECTOR_OTHER_TSS, VMCB->save.tr.selector);
	EXPECT_EQ(TABLES_OTHER_TSS, VMCB->save.tr.base);
	EXPECT_EQ(OTHER_STACK, VMCB->save.rsp);
	VMCB->save.rip++;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + (call_task_end - call_task) - 1,
		  VMCB->save.rip);
	EXPECT_EQ(SELECTOR_TSS, VMCB->save.tr.selector);
	EXPECT_EQ(MACHINE_STACK, VMCB->save.rsp);
}

/* ---- shutdown ------------------------------------------------------------ */

GUEST(undefined, 64, "ud2");

TEST_F(delivery, shutdown_and_on)
{
	for (int i = 0; i < 3; i++) {
		BEGIN(&self->m, variant->mode, undefined);
		VMCB->save.idtr.limit = 0;
		ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
		BEGIN(&self->m, variant->mode, opened);
		CONTROL->vintr = V_IRQ_HIGHEST;
		expect_taken(_metadata, &self->m, variant->mode,
			     AT(opened, opened_here));
	}
}

TEST_HARNESS_MAIN
