// SPDX-License-Identifier: GPL-2.0
#include "guest_svm.h"
#include "interrupts.h"
#include "lib/vmcb_change.h"
#include "machine.h"

/* Fields of the virtual interrupt that opens a window */
#define VIRTUAL_INTERRUPT                                                      \
	(SVM_VINTR_V_IRQ | SVM_VINTR_V_IGN_TPR | SVM_VINTR_V_INTR_PRIO_MASK)

static bool in_shadow(const struct svm_vmcb_control *control)
{
	return control->interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW;
}

static struct svmrun_lapic *cpu_lapic(const struct cpu *cpu)
{
	return &cpu->machine->pc.lapics[cpu->id];
}

static bool has_interrupt(const struct cpu *cpu)
{
	return cpu->deferred ||
	       svmrun_pc_interrupts(&cpu->machine->pc, cpu->id);
}

/* Return whether the processor would take an event now, or when its interrupt shadow ends. */
static bool is_unmasked(const struct cpu *cpu, uint64_t exitcode)
{
	switch (guest_svm_action(cpu, exitcode)) {
	case SVMRUN_NESTED_HOLD:
		return false;
	case SVMRUN_NESTED_WINDOW:
		return exitcode != VMEXIT_INTR ||
		       (cpu->vcpu.vmcb->save.rflags & RFLAGS_IF);
	default:
		return true;
	}
}

bool interrupts_enabled(const struct cpu *cpu)
{
	return is_unmasked(cpu, VMEXIT_INTR);
}

bool interrupts_pending(const struct cpu *cpu)
{
	if (nmi_pending(cpu) && is_unmasked(cpu, VMEXIT_NMI))
		return true;
	if (has_interrupt(cpu) && is_unmasked(cpu, VMEXIT_INTR))
		return true;
	return guest_svm_has_interrupt(cpu);
}

/* Only interrupts of the local APIC that are not acknowledged yet depend on the TPR. */
static uint64_t window_priority(const struct cpu *cpu)
{
	const struct svmrun_lapic *lapic = cpu_lapic(cpu);
	int vector = svmrun_lapic_pending(lapic);

	if (vector < 0 || cpu->deferred || nmi_pending(cpu) ||
	    svmrun_lapic_extint(lapic))
		return SVM_VINTR_V_IGN_TPR | SVM_VINTR_V_INTR_PRIO_MASK;
	return (uint64_t)(vector >> 4) << SVM_VINTR_V_INTR_PRIO_SHIFT;
}

static void open_window(struct cpu *cpu)
{
	cpu->window = true;
	if (guest_svm_is_active(cpu))
		return;
	vmcb_set_vintr(cpu->vcpu.vmcb, VIRTUAL_INTERRUPT,
		       SVM_VINTR_V_IRQ | window_priority(cpu));
	vmcb_set_intercept(cpu->vcpu.vmcb, 3, SVM_INTERCEPT3_VINTR, true);
}

void interrupts_close_window(struct cpu *cpu)
{
	cpu->window = false;
	if (guest_svm_is_active(cpu))
		return;
	vmcb_set_vintr(cpu->vcpu.vmcb, VIRTUAL_INTERRUPT, 0);
	vmcb_set_intercept(cpu->vcpu.vmcb, 3, SVM_INTERCEPT3_VINTR, false);
}

/*
 * While an interrupt waits for the guest to lower CR8, or for a window, in which a higher
 * CR8 can hold it back, writes of CR8 exit. V_IRQ cannot replace this: processors differ
 * in whether an interrupt of the same priority as V_TPR is taken.
 */
static void intercept_cr8(struct cpu *cpu, bool window)
{
	if (guest_svm_virtual_tpr(cpu))
		return;
	vmcb_set_intercept(cpu->vcpu.vmcb, 0, SVM_INTERCEPT0_CR_WRITE(8),
			   window || svmrun_lapic_held(cpu_lapic(cpu)) >= 0);
}

void interrupts_load_cr8(struct cpu *cpu)
{
	if (guest_svm_virtual_tpr(cpu))
		return;
	vmcb_set_vintr(cpu->vcpu.vmcb, SVM_VINTR_V_TPR_MASK,
		       svmrun_lapic_tpr(cpu_lapic(cpu)) >> 4);
}

/* MOV to CR8 clears the lower half of the task priority; keep it if CR8 is unchanged. */
void interrupts_store_cr8(struct cpu *cpu)
{
	struct svmrun_lapic *lapic = cpu_lapic(cpu);
	uint8_t cr8 = cpu->vcpu.vmcb->control.vintr & SVM_VINTR_V_TPR_MASK;

	if (!guest_svm_virtual_tpr(cpu) && cr8 != svmrun_lapic_tpr(lapic) >> 4)
		svmrun_lapic_set_tpr(lapic, cr8 << 4);
}

void exit_vintr(struct cpu *cpu)
{
	interrupts_close_window(cpu);
}

/*
 * If handling the exit has raised an exception, which is injected first, only interrupts
 * and NMIs have to be kept: an instruction raises other events again.
 */
void interrupts_reinject(struct cpu *cpu)
{
	struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;
	uint64_t event = control->exitintinfo;

	if (!(event & SVM_EVENT_VALID))
		return;
	if (!(control->eventinj & SVM_EVENT_VALID))
		control->eventinj = event;
	else if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_INTR)
		cpu->deferred = event;
	else if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_NMI)
		nmi_return(cpu);
}

/* Let an NMI wait that cannot be taken yet. Return true if a window is needed for it. */
static bool wait_for_nmi(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (vmcb->control.eventinj & SVM_EVENT_VALID) {
		cpu->nmi.waits = true;
		return false;
	}
	/* The window opens when the interrupt shadow ends. */
	if (vmcb->save.rflags & RFLAGS_IF)
		return true;
	cpu->nmi.steps = true;
	return false;
}

/* Ask the guest's hypervisor. Return false if the event has to stay pending. */
static bool may_deliver(struct cpu *cpu, uint64_t exitcode)
{
	enum svmrun_nested_action action = guest_svm_event(cpu, exitcode);

	return action == SVMRUN_NESTED_DELIVER ||
	       action == SVMRUN_NESTED_WINDOW;
}

/* Inject an NMI that can be taken. Return true if a window is needed for it. */
static bool take_nmi(struct cpu *cpu)
{
	const struct svm_vmcb_control *control;

	nmi_prepare(cpu);
	if (!nmi_pending(cpu) || !may_deliver(cpu, VMEXIT_NMI))
		return false;
	control = &cpu->vcpu.vmcb->control;
	if ((control->eventinj & SVM_EVENT_VALID) || in_shadow(control))
		return wait_for_nmi(cpu);
	nmi_inject(cpu);
	return false;
}

/* Return the event of the next interrupt, which is acknowledged. */
static uint64_t next_interrupt(struct cpu *cpu)
{
	uint64_t event = cpu->deferred;

	if (!event)
		event = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
			svmrun_pc_acknowledge(&cpu->machine->pc, cpu->id);
	cpu->deferred = 0;
	return event;
}

/* Inject an interrupt that can be taken. Return true if a window is needed for one. */
static bool take_interrupt(struct cpu *cpu)
{
	struct svm_vmcb_control *control;

	if (!has_interrupt(cpu) || !may_deliver(cpu, VMEXIT_INTR))
		return false;
	control = &cpu->vcpu.vmcb->control;
	if ((control->eventinj & SVM_EVENT_VALID) ||
	    guest_svm_action(cpu, VMEXIT_INTR) == SVMRUN_NESTED_WINDOW)
		return true;
	control->eventinj = next_interrupt(cpu);
	return has_interrupt(cpu);
}

/* Nothing may come before the instruction of a single step. */
void interrupts_inject(struct cpu *cpu)
{
	bool window = take_nmi(cpu);

	if (!cpu->nmi.steps)
		window |= take_interrupt(cpu);
	window &= !cpu->nmi.steps;
	if (window)
		open_window(cpu);
	else
		interrupts_close_window(cpu);
	intercept_cr8(cpu, window);
}
