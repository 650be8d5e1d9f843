// SPDX-License-Identifier: GPL-2.0
#include "lib/vmcb_change.h"
#include "machine.h"
#include "nmi.h"

#define VECTOR_NMI 2

/*
 * Exceptions during a step are injected again with the guest's own TF in their frame. INT3
 * and INTO are no faults.
 */
#define STEP_EXCEPTIONS                                                        \
	(~(SVM_INTERCEPT2_EXCEPTION(VECTOR_NMI) |                              \
	   SVM_INTERCEPT2_EXCEPTION(VECTOR_BP) |                               \
	   SVM_INTERCEPT2_EXCEPTION(VECTOR_OF)))

static struct svmrun_lapic *cpu_lapic(const struct cpu *cpu)
{
	return &cpu->machine->pc.lapics[cpu->id];
}

static void set_masked(struct cpu *cpu, bool masked)
{
	cpu->nmi.masked = masked;
	cpu->nmi.at_iret = false;
	vmcb_set_intercept(cpu->vcpu.vmcb, 3, SVM_INTERCEPT3_IRET, masked);
}

void nmi_reset(struct cpu *cpu)
{
	set_masked(cpu, false);
	cpu->nmi = (struct nmi){ 0 };
}

void nmi_switch(struct cpu *cpu)
{
	vmcb_set_intercept(cpu->vcpu.vmcb, 3, SVM_INTERCEPT3_IRET,
			   cpu->nmi.masked && !cpu->nmi.at_iret);
}

void nmi_prepare(struct cpu *cpu)
{
	struct nmi *nmi = &cpu->nmi;

	nmi->waits = false;
	if (nmi->at_iret &&
	    (cpu->vcpu.vmcb->control.eventinj & SVM_EVENT_VALID))
		set_masked(cpu, true);
	nmi->steps = nmi->at_iret;
}

bool nmi_pending(const struct cpu *cpu)
{
	return !cpu->nmi.masked && svmrun_lapic_nmi(cpu_lapic(cpu));
}

void nmi_inject(struct cpu *cpu)
{
	svmrun_lapic_take_nmi(cpu_lapic(cpu));
	cpu->vcpu.vmcb->control.eventinj = SVM_EVENT_VALID |
					   SVM_EVENT_TYPE_NMI | VECTOR_NMI;
	set_masked(cpu, true);
}

void nmi_return(struct cpu *cpu)
{
	cpu_lapic(cpu)->nmi = true;
	set_masked(cpu, false);
}

void exit_iret(struct cpu *cpu)
{
	vmcb_set_intercept(cpu->vcpu.vmcb, 3, SVM_INTERCEPT3_IRET, false);
	cpu->nmi.at_iret = true;
	cpu->nmi.rip = cpu->vcpu.vmcb->save.rip;
}

void nmi_enter(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	struct nmi *nmi = &cpu->nmi;

	nmi->trapped = false;
	nmi->stepping = nmi->steps;
	nmi->steps = false;
	if (!nmi->stepping)
		return;
	nmi->guest_tf = vmcb->save.rflags & RFLAGS_TF;
	nmi->rip = vmcb->save.rip;
	nmi->dr6 = vmcb->save.dr6;
	nmi->exceptions = vmcb->control.intercept[2];
	vmcb->save.rflags |= RFLAGS_TF;
	vmcb->save.dr6 = DR6_RESET;
	vmcb->control.intercept[2] |= STEP_EXCEPTIONS;
	vmcb->control.clean &= ~(SVM_CLEAN_DRx | SVM_CLEAN_I);
}

/* IRET loads the guest's own TF. */
static void end_step(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	struct nmi *nmi = &cpu->nmi;

	nmi->stepping = false;
	nmi->events = vmcb->save.dr6 & DR6_EVENTS;
	vmcb->save.dr6 = nmi->dr6;
	vmcb->control.intercept[2] = nmi->exceptions;
	vmcb->control.clean &= ~(SVM_CLEAN_DRx | SVM_CLEAN_I);
	nmi->trapped = vmcb->control.exitcode == VMEXIT_EXCP(VECTOR_DB);
	if (!nmi->guest_tf && !(nmi->trapped && nmi->at_iret))
		vmcb->save.rflags &= ~RFLAGS_TF;
}

/* A #DB ends the IRET unless it is a breakpoint on it, which is a fault. */
static void end_iret(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	struct nmi *nmi = &cpu->nmi;

	if (vmcb->control.exitcode == VMEXIT_EXCP(VECTOR_DB) &&
	    (vmcb->save.rip != nmi->rip ||
	     (nmi->trapped && (nmi->events & DR6_BS))))
		set_masked(cpu, false);
	else if (vmcb->control.exitcode != VMEXIT_INTR)
		set_masked(cpu, true);
}

void nmi_leave(struct cpu *cpu)
{
	if (cpu->nmi.stepping)
		end_step(cpu);
	if (cpu->nmi.at_iret)
		end_iret(cpu);
}

bool nmi_take_step(struct cpu *cpu, uint64_t *events)
{
	struct nmi *nmi = &cpu->nmi;

	if (!nmi->trapped)
		return false;
	nmi->trapped = false;
	*events |= nmi->events;
	if (!nmi->guest_tf)
		*events &= ~DR6_BS;
	return true;
}
