// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and NMIs of the tool's guests: when they are injected, and how those that
 * cannot be taken yet wait (APM 8.2.3, 15.20, 15.21).
 */
#include "common/clock.h"
#include "common/status.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "vmm/coprocessor.h"
#include "vmm/cpu_thread.h"
#include "vmm/exits.h"
#include "vmm/interrupts.h"
#include "vmm/machine.h"

#define RIP 0x7c00
#define SHADOW SVM_SHADOW_INTERRUPT_SHADOW
#define NMI (SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | 2)
#define DB (SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 1)
#define INTR(vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | (vector))

#define ICR 0x300
#define ICR2 0x310
#define TPR 0x80
#define SVR 0xf0
#define INITIAL 0x380
#define SELF 0x40000
#define OTHERS 0xc0000

static struct vcpu_pages pages[2];
static struct svm_vmcb *const vmcb = &pages[0].vmcb;

static struct machine machine;
static struct cpu cpus[2];
static struct cpu *const cpu = &cpus[0];
static struct svmrun_lapic *const lapic = &machine.pc.lapics[0];
static struct run_options options;

static void begin(void)
{
	unsigned int i;

	machine = (struct machine){ .cpus = cpus, .cpu_count = 2 };
	options = (struct run_options){ .cpus = 2 };
	machine_init(&machine, &options);
	machine.console.at_end = true;
	for (i = 0; i < 2; i++) {
		cpus[i] = (struct cpu){ .machine = &machine,
					.id = i,
					.vcpu = vcpu_pages_fill(&pages[i]) };
		svmrun_mode_reset(&cpus[i].vcpu);
	}
	vmcb->save.rip = RIP;
}

static void write_apic(unsigned int offset, uint32_t value)
{
	svmrun_lapic_write(lapic, offset, value, 0);
}

static bool has_window(void)
{
	return (vmcb->control.vintr & SVM_VINTR_V_IRQ) &&
	       (vmcb->control.intercept[3] & SVM_INTERCEPT3_VINTR);
}

static bool intercepts_iret(void)
{
	return vmcb->control.intercept[3] & SVM_INTERCEPT3_IRET;
}

/* Do the work of a RUN that ends with an exit. */
static void run_to(uint64_t exitcode)
{
	nmi_enter(cpu);
	vmcb->control.eventinj = 0;
	vmcb->control.exitcode = exitcode;
}

static void handle(void)
{
	nmi_leave(cpu);
	exit_handle(cpu);
	interrupts_reinject(cpu);
	ck_assert(!machine.outcome.ended);
}

static void take_nmi(void)
{
	begin();
	lapic->nmi = true;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
	ck_assert(intercepts_iret());
}

/* In the handler, an NMI arrives; then the exit for IRET */
static void reach_iret(void)
{
	take_nmi();
	vmcb->control.eventinj = 0;
	lapic->nmi = true;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	run_to(VMEXIT_IRET);
	handle();
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(cpu->nmi.steps);
}

START_TEST(nmis_are_masked_until_iret_has_completed)
{
	reach_iret();
	run_to(VMEXIT_EXCP(1));
	ck_assert(vmcb->save.rflags & RFLAGS_TF);
	vmcb->save.rip = RIP + 100;
	vmcb->save.rflags = 2;
	vmcb->save.dr6 = DR6_RESET | DR6_BS;
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert_uint_eq(vmcb->save.dr6, 0xffff0ff0);
	ck_assert_uint_eq(vmcb->save.rflags & RFLAGS_TF, 0);
	ck_assert_uint_eq(vmcb->control.intercept[2], 0);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
}

START_TEST(iret_may_set_the_trap_flag)
{
	reach_iret();
	run_to(VMEXIT_EXCP(1));
	vmcb->save.rip = RIP + 100;
	vmcb->save.rflags = 2 | RFLAGS_TF;
	vmcb->save.dr6 = DR6_RESET | DR6_BS;
	handle();
	ck_assert(vmcb->save.rflags & RFLAGS_TF);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
}

START_TEST(the_guest_may_step_over_iret)
{
	reach_iret();
	vmcb->save.rflags |= RFLAGS_TF;
	run_to(VMEXIT_EXCP(1));
	vmcb->save.rip = RIP + 100;
	vmcb->save.rflags = 2;
	vmcb->save.dr6 = DR6_RESET | DR6_BS;
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj, DB);
	ck_assert(vmcb->save.dr6 & DR6_BS);
	interrupts_inject(cpu);
	ck_assert(cpu->nmi.waits);
	run_to(VMEXIT_INTR);
	nmi_leave(cpu);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
}

START_TEST(iret_that_faults_unmasks_nothing)
{
	reach_iret();
	run_to(VMEXIT_EXCP(14));
	vmcb->control.exitinfo1 = 2;
	vmcb->control.exitinfo2 = 0x1234;
	vmcb->save.cr0 |= SVM_CR0_PE;
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				  SVM_EVENT_ERROR_CODE_VALID | 14 | 2ull << 32);
	ck_assert_uint_eq(vmcb->save.cr2, 0x1234);
	ck_assert_uint_eq(vmcb->save.rflags & RFLAGS_TF, 0);
	interrupts_inject(cpu);
	ck_assert(intercepts_iret() && !cpu->nmi.steps && !cpu->nmi.waits);
}

/* A kick ends RUN before the IRET, which is still to be executed. */
START_TEST(steps_can_be_interrupted)
{
	reach_iret();
	nmi_enter(cpu);
	vmcb->control.exitcode = VMEXIT_INTR;
	nmi_leave(cpu);
	ck_assert_uint_eq(vmcb->save.rflags & RFLAGS_TF, 0);
	ck_assert_uint_eq(vmcb->save.dr6, 0xffff0ff0);
	interrupts_inject(cpu);
	ck_assert(cpu->nmi.steps);
}

START_TEST(steps_come_before_interrupts)
{
	reach_iret();
	write_apic(ICR, SELF | 0x41);
	vmcb->save.rflags |= RFLAGS_IF;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(cpu->nmi.steps && !has_window());
}

START_TEST(nmis_wait_for_the_end_of_a_shadow)
{
	begin();
	lapic->nmi = true;
	vmcb->control.interrupt_shadow = SHADOW;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(cpu->nmi.steps);
	begin();
	lapic->nmi = true;
	vmcb->control.interrupt_shadow = SHADOW;
	vmcb->save.rflags |= RFLAGS_IF;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(!cpu->nmi.steps && has_window());
}

/* The step in a shadow is an instruction that exits itself. */
START_TEST(steps_may_exit)
{
	begin();
	lapic->nmi = true;
	vmcb->control.interrupt_shadow = SHADOW;
	interrupts_inject(cpu);
	run_to(VMEXIT_CPUID);
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert_uint_eq(vmcb->save.rip, RIP + 2);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
}

START_TEST(nmis_wait_for_another_event)
{
	begin();
	lapic->nmi = true;
	vmcb->control.eventinj = DB;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, DB);
	ck_assert(cpu->nmi.waits && !cpu->nmi.steps);
	vmcb->control.eventinj = 0;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
	ck_assert(!cpu->nmi.waits);
}

static void interrupt_delivery(uint64_t event)
{
	begin();
	vmcb->control.exitcode = VMEXIT_EXCP(1);
	vmcb->control.exitintinfo = event;
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj, DB);
	vmcb->control.exitintinfo = 0;
	vmcb->control.eventinj = 0;
}

/* A breakpoint is hit in the delivery of an interrupt, whose vector is acknowledged. */
START_TEST(interrupts_are_kept_when_an_exception_is_injected)
{
	interrupt_delivery(INTR(0x41));
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(has_window());
	vmcb->save.rflags |= RFLAGS_IF;
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, INTR(0x41));
	ck_assert(!has_window());
	interrupt_delivery(NMI);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, NMI);
}

START_TEST(alignment_checks_are_reflected)
{
	begin();
	vmcb->save.cr0 |= SVM_CR0_PE;
	vmcb->control.exitcode = VMEXIT_EXCP(17);
	vmcb->control.exitinfo1 = 0;
	vmcb->control.exitintinfo = INTR(0x41);
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				  SVM_EVENT_ERROR_CODE_VALID | 17);
	ck_assert_uint_eq(cpu->deferred, INTR(0x41));
}

/* Interrupt 13, to the 8259 at LINT0 */
START_TEST(coprocessor_errors_are_interrupts_while_ne_is_clear)
{
	begin();
	svmrun_pc_port_write(&machine.pc, 0x20, 1, 0x11, 0);
	svmrun_pc_port_write(&machine.pc, 0x21, 1, 0x20, 0);
	svmrun_pc_port_write(&machine.pc, 0x21, 1, 4, 0);
	svmrun_pc_port_write(&machine.pc, 0x21, 1, 1, 0);
	svmrun_pc_port_write(&machine.pc, 0xa0, 1, 0x11, 0);
	svmrun_pc_port_write(&machine.pc, 0xa1, 1, 0x28, 0);
	svmrun_pc_port_write(&machine.pc, 0xa1, 1, 2, 0);
	svmrun_pc_port_write(&machine.pc, 0xa1, 1, 1, 0);
	vmcb->save.rflags |= RFLAGS_IF;
	coprocessor_enter(cpu);
	ck_assert(vmcb->save.cr0 & SVM_CR0_NE);
	ck_assert(vmcb->control.intercept[2] & 1 << 16);
	vmcb->control.exitcode = VMEXIT_EXCP(16);
	coprocessor_leave(cpu);
	ck_assert(!(vmcb->save.cr0 & SVM_CR0_NE));
	ck_assert(!vmcb->control.intercept[2] && !vmcb->control.intercept[0]);
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(cpu->halted && interrupts_pending(cpu));
	cpu_run_once(cpu);
	ck_assert(!cpu->halted);
	ck_assert_uint_eq(vmcb->save.rip, RIP);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, INTR(0x2d));
	svmrun_pc_port_write(&machine.pc, 0xf0, 1, 0, 0);
	svmrun_pc_port_write(&machine.pc, 0xa0, 1, 0x20, 0);
	svmrun_pc_port_write(&machine.pc, 0x20, 1, 0x20, 0);
	ck_assert(!interrupts_pending(cpu));
}

START_TEST(coprocessor_errors_are_exceptions_while_ne_is_set)
{
	begin();
	vmcb->save.cr0 |= SVM_CR0_NE | SVM_CR0_PE;
	coprocessor_enter(cpu);
	ck_assert_uint_eq(vmcb->control.intercept[2], 0);
	vmcb->control.exitcode = VMEXIT_EXCP(16);
	coprocessor_leave(cpu);
	ck_assert(vmcb->save.cr0 & SVM_CR0_NE);
	handle();
	ck_assert_uint_eq(vmcb->control.eventinj,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 16);
}

/* INIT keeps MSRs (APM 14.1.3), and unmasks NMIs. */
START_TEST(init_is_not_reset)
{
	take_nmi();
	cpu->tsc_aux = 7;
	cpu->deferred = INTR(0x41);
	cpu->halted = true;
	vmcb->save.cr4 = SVM_CR4_PAE;
	vmcb->save.star = 1234;
	vmcb->control.tsc_offset = 5678;
	vmcb->control.intercept[4] = SVM_INTERCEPT4_RDTSCP;
	lapic->init = true;
	machine.outcome.notify = NULL;
	machine.outcome.ended = true; /* the vCPU cannot run here */
	cpu_run_once(cpu);
	ck_assert_uint_eq(vmcb->save.cr4, 0);
	ck_assert_uint_eq(vmcb->save.star, 1234);
	ck_assert_uint_eq(vmcb->control.tsc_offset, 5678);
	ck_assert_uint_eq(vmcb->control.intercept[4], SVM_INTERCEPT4_RDTSCP);
	ck_assert_uint_eq(cpu->tsc_aux, 7);
	ck_assert(!intercepts_iret() && !cpu->nmi.masked && !cpu->deferred);
}

/* ---- CR8 ----------------------------------------------------------------- */

static bool intercepts_cr8(void)
{
	return vmcb->control.intercept[0] & SVM_INTERCEPT0_CR_WRITE(8);
}

static void request(uint8_t vector, uint8_t tpr)
{
	begin();
	vmcb->save.rflags |= RFLAGS_IF;
	write_apic(TPR, tpr);
	write_apic(ICR, SELF | vector);
	interrupts_inject(cpu);
}

START_TEST(interrupts_wait_for_cr8)
{
	request(0x41, 0x40);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
	ck_assert(intercepts_cr8() && !has_window());
	interrupts_load_cr8(cpu);
	ck_assert_uint_eq(vmcb->control.vintr & SVM_VINTR_V_TPR_MASK, 4);
	vmcb->control.vintr &= ~SVM_VINTR_V_TPR_MASK;
	vmcb->control.vintr |= 3;
	interrupts_store_cr8(cpu);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.eventinj, INTR(0x41));
	ck_assert(!intercepts_cr8());
}

/* One in service holds it back, too. */
START_TEST(cr8_exits_only_if_it_matters)
{
	request(0x51, 0);
	ck_assert(!intercepts_cr8());
	vmcb->control.eventinj = 0;
	write_apic(ICR, SELF | 0x41);
	write_apic(TPR, 0x40);
	interrupts_inject(cpu);
	ck_assert(!intercepts_cr8() && !has_window());
}

START_TEST(windows_have_the_priority_of_the_interrupt)
{
	request(0x41, 0x20);
	begin();
	write_apic(ICR, SELF | 0x41);
	interrupts_inject(cpu);
	ck_assert(has_window() && intercepts_cr8());
	ck_assert_uint_eq(vmcb->control.vintr >> 16 & 0x1f, 4);
	svmrun_lapic_set_extint(lapic, 0, true);
	interrupts_inject(cpu);
	ck_assert_uint_eq(vmcb->control.vintr >> 16 & 0x1f, 0x1f);
}

START_TEST(lower_half_of_the_task_priority_stays)
{
	begin();
	write_apic(TPR, 0x43);
	interrupts_load_cr8(cpu);
	interrupts_store_cr8(cpu);
	ck_assert_uint_eq(svmrun_lapic_tpr(lapic), 0x43);
}

/* ---- the end of a run ---------------------------------------------------- */

/*
 * Both processors are halted, with interrupts disabled. A timer ends the wait of the first
 * if the run does not end.
 */
static void begin_halt(void)
{
	begin();
	cpus[1].machine->pc.lapics[1].waits = false;
	cpus[0].halted = true;
	cpus[1].halted = true;
	pthread_cond_init(&cpu->changed, NULL);
	svmrun_lapic_write(lapic, INITIAL, 10000000, clock_now());
}

static bool ends(void)
{
	cpu_run_once(cpu);
	return machine.outcome.ended;
}

START_TEST(run_ends_when_all_processors_wait)
{
	begin_halt();
	ck_assert(ends());
	ck_assert_int_eq(machine.outcome.status, STATUS_HALTED);
	begin_halt();
	machine.pc.lapics[1].waits = true;
	ck_assert(ends());
}

START_TEST(run_does_not_end_with_a_pending_message)
{
	begin_halt();
	machine.pc.lapics[1].waits = true;
	write_apic(ICR, OTHERS | 0x4608);
	ck_assert(!ends());
	begin_halt();
	write_apic(ICR, OTHERS | 0x4500);
	ck_assert(!ends());
}

START_TEST(run_does_not_end_with_a_pending_interrupt)
{
	begin_halt();
	machine.pc.lapics[1].nmi = true;
	ck_assert(!ends());
	begin_halt();
	svmrun_lapic_write(&machine.pc.lapics[1], SVR, 0x1ff, 0);
	write_apic(ICR2, 1 << 24);
	write_apic(ICR, 0x41);
	ck_assert(ends()); /* interrupts are disabled */
	begin_halt();
	svmrun_lapic_write(&machine.pc.lapics[1], SVR, 0x1ff, 0);
	pages[1].vmcb.save.rflags |= RFLAGS_IF;
	write_apic(ICR2, 1 << 24);
	write_apic(ICR, 0x41);
	ck_assert(!ends());
}

static const TTest **const tests[] = {
	&nmis_are_masked_until_iret_has_completed,
	&iret_may_set_the_trap_flag,
	&the_guest_may_step_over_iret,
	&iret_that_faults_unmasks_nothing,
	&steps_can_be_interrupted,
	&steps_come_before_interrupts,
	&nmis_wait_for_the_end_of_a_shadow,
	&steps_may_exit,
	&nmis_wait_for_another_event,
	&interrupts_are_kept_when_an_exception_is_injected,
	&alignment_checks_are_reflected,
	&init_is_not_reset,
	&coprocessor_errors_are_interrupts_while_ne_is_clear,
	&coprocessor_errors_are_exceptions_while_ne_is_set,
	&interrupts_wait_for_cr8,
	&cr8_exits_only_if_it_matters,
	&windows_have_the_priority_of_the_interrupt,
	&lower_half_of_the_task_priority_stays,
	&run_ends_when_all_processors_wait,
	&run_does_not_end_with_a_pending_message,
	&run_does_not_end_with_a_pending_interrupt,
};

Suite *interrupts_suite(void)
{
	return suite_of("interrupts", tests, ARRAY_SIZE(tests));
}
