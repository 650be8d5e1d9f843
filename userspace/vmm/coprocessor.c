// SPDX-License-Identifier: GPL-2.0
#include "coprocessor.h"
#include "guest_svm.h"
#include "machine.h"

#define VECTOR_MF 16

void coprocessor_enter(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	cpu->hides_ne = !(vmcb->save.cr0 & SVM_CR0_NE);
	if (!cpu->hides_ne)
		return;
	vmcb->control.clean &= ~(SVM_CLEAN_CRx | SVM_CLEAN_I);
	vmcb->save.cr0 |= SVM_CR0_NE;
	vmcb->control.intercept[0] |= SVM_INTERCEPT0_CR_READ(0);
	vmcb->control.intercept[2] |= SVM_INTERCEPT2_EXCEPTION(VECTOR_MF);
}

void coprocessor_leave(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!cpu->hides_ne)
		return;
	cpu->hides_ne = false;
	vmcb->control.clean &= ~(SVM_CLEAN_CRx | SVM_CLEAN_I);
	vmcb->save.cr0 &= ~SVM_CR0_NE;
	vmcb->control.intercept[0] &= ~SVM_INTERCEPT0_CR_READ(0);
	vmcb->control.intercept[2] &= ~SVM_INTERCEPT2_EXCEPTION(VECTOR_MF);
}

/* Any interrupt ends the wait. RIP stays at the instruction. */
void exit_coprocessor_error(struct cpu *cpu)
{
	if (cpu->vcpu.vmcb->save.cr0 & SVM_CR0_NE) {
		cpu_inject_intercepted(cpu);
		return;
	}
	if (guest_svm_event(cpu, VMEXIT_FERR_FREEZE) == SVMRUN_NESTED_EXITED)
		return;
	svmrun_pc_coprocessor_error(&cpu->machine->pc);
	cpu->halted = true;
	cpu->frozen = true;
}
