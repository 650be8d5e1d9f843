// SPDX-License-Identifier: GPL-2.0
#include "interrupts.h"
#include "machine.h"

#define VECTOR_NMI 2

static bool can_take_interrupt(const struct svm_vmcb *vmcb)
{
	return (vmcb->save.rflags & RFLAGS_IF) &&
	       !(vmcb->control.interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW);
}

static bool has_interrupt(const struct cpu *cpu)
{
	return svmrun_pc_interrupts(&cpu->machine->pc, cpu->id);
}

static bool has_nmi(const struct cpu *cpu)
{
	return !cpu->nmi_masked &&
	       svmrun_lapic_nmi(&cpu->machine->pc.lapics[cpu->id]);
}

bool interrupts_pending(const struct cpu *cpu)
{
	if (has_nmi(cpu))
		return true;
	return (cpu->vcpu.vmcb->save.rflags & RFLAGS_IF) && has_interrupt(cpu);
}

static void inject_nmi(struct cpu *cpu)
{
	struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;

	svmrun_lapic_take_nmi(&cpu->machine->pc.lapics[cpu->id]);
	control->eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | VECTOR_NMI;
	control->intercept[3] |= SVM_INTERCEPT3_IRET;
	cpu->nmi_masked = true;
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
 * Unmask NMIs. The exit is before the IRET, so that an NMI that arrives before the
 * IRET completes is taken a little early.
 */
void exit_iret(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.intercept[3] &= ~SVM_INTERCEPT3_IRET;
	cpu->nmi_masked = false;
}

void interrupts_reinject(struct cpu *cpu)
{
	struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;

	if (!(control->eventinj & SVM_EVENT_VALID))
		control->eventinj = control->exitintinfo;
}

void interrupts_inject(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	bool taken = vmcb->control.eventinj & SVM_EVENT_VALID;

	if (!taken && has_nmi(cpu)) {
		inject_nmi(cpu);
		taken = true;
	}
	if (!has_interrupt(cpu)) {
		interrupts_close_window(cpu);
		return;
	}
	if (taken || !can_take_interrupt(vmcb)) {
		open_window(&vmcb->control);
		return;
	}
	vmcb->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
				 svmrun_pc_acknowledge(&cpu->machine->pc,
						       cpu->id);
	if (has_interrupt(cpu))
		open_window(&vmcb->control);
	else
		interrupts_close_window(cpu);
}
