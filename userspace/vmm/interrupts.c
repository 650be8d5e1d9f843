// SPDX-License-Identifier: GPL-2.0
#include "interrupts.h"
#include "machine.h"

static bool in_shadow(const struct svm_vmcb_control *control)
{
	return control->interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW;
}

static bool can_take_interrupt(const struct svm_vmcb *vmcb)
{
	return (vmcb->save.rflags & RFLAGS_IF) && !in_shadow(&vmcb->control);
}

static bool has_interrupt(const struct cpu *cpu)
{
	return cpu->deferred ||
	       svmrun_pc_interrupts(&cpu->machine->pc, cpu->id);
}

bool interrupts_pending(const struct cpu *cpu)
{
	if (nmi_pending(cpu))
		return true;
	return (cpu->vcpu.vmcb->save.rflags & RFLAGS_IF) && has_interrupt(cpu);
}

/* Ignore the task priority: the local APIC has compared it already. */
static void open_window(struct svm_vmcb_control *control)
{
	control->vintr |= SVM_VINTR_V_IRQ | SVM_VINTR_V_IGN_TPR |
			  SVM_VINTR_V_INTR_PRIO_MASK;
	control->intercept[3] |= SVM_INTERCEPT3_VINTR;
}

void interrupts_close_window(struct cpu *cpu)
{
	struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;

	control->vintr &= ~SVM_VINTR_V_IRQ;
	control->intercept[3] &= ~SVM_INTERCEPT3_VINTR;
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

	if (vmcb->control.eventinj & SVM_EVENT_VALID)
		cpu->nmi.waits = true;
	else if (vmcb->save.rflags & RFLAGS_IF)
		return true; /* the window opens when the interrupt shadow ends */
	else
		cpu->nmi.steps = true;
	return false;
}

/* Inject an NMI that can be taken. Return true if a window is needed for it. */
static bool take_nmi(struct cpu *cpu)
{
	const struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;

	nmi_prepare(cpu);
	if (!nmi_pending(cpu))
		return false;
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
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!has_interrupt(cpu))
		return false;
	if ((vmcb->control.eventinj & SVM_EVENT_VALID) ||
	    !can_take_interrupt(vmcb))
		return true;
	vmcb->control.eventinj = next_interrupt(cpu);
	return has_interrupt(cpu);
}

/* Nothing may come before the instruction of a single step. */
void interrupts_inject(struct cpu *cpu)
{
	bool window = take_nmi(cpu);

	if (!cpu->nmi.steps)
		window |= take_interrupt(cpu);
	if (window && !cpu->nmi.steps)
		open_window(&cpu->vcpu.vmcb->control);
	else
		interrupts_close_window(cpu);
}
