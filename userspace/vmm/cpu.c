// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include <svmrun/instruction.h>

#include "cpu.h"
#include "lib/vmcb_change.h"
#include "machine.h"

/* The processor's own TSC_AUX is the host's. */
void cpu_set_intercepts(struct cpu *cpu)
{
	vmcb_set_intercept(cpu->vcpu.vmcb, 4, SVM_INTERCEPT4_RDTSCP, true);
}

void cpu_inject_gp(struct cpu *cpu)
{
	svmrun_instruction_fault(&cpu->vcpu, VECTOR_GP, 0);
}

void cpu_inject_ud(struct cpu *cpu)
{
	svmrun_instruction_fault(&cpu->vcpu, VECTOR_UD, 0);
}

uint64_t cpu_tsc(const struct cpu *cpu)
{
	return __rdtsc() + cpu->vcpu.vmcb->control.tsc_offset;
}

uint64_t cpu_own_tsc_offset(const struct cpu *cpu)
{
	const struct svmrun_vcpu *own = cpu->svm ? &cpu->own : &cpu->vcpu;

	return own->vmcb->control.tsc_offset;
}

uint64_t cpu_own_tsc(const struct cpu *cpu)
{
	return __rdtsc() + cpu_own_tsc_offset(cpu);
}

/* APM 13.1.1.4, 15.12.2 */
void cpu_inject_db(struct cpu *cpu, uint64_t events)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	vmcb->save.dr6 |= events;
	vmcb->save.dr7 &= ~DR7_GD;
	vmcb->control.clean &= ~SVM_CLEAN_DRx;
	vmcb->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				 VECTOR_DB;
}

/* CR2 of an intercepted #PF is in EXITINFO2 only (APM 15.12.15). */
void cpu_inject_intercepted(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	unsigned int vector = vmcb->control.exitcode - VMEXIT_EXCP(0);

	svmrun_instruction_fault(&cpu->vcpu, vector, vmcb->control.exitinfo1);
	if (vector != VECTOR_PF)
		return;
	vmcb->save.cr2 = vmcb->control.exitinfo2;
	vmcb->control.clean &= ~SVM_CLEAN_CR2;
}

bool cpu_waits_for_sipi(const struct cpu *cpu)
{
	return svmrun_lapic_waits_for_sipi(&cpu->machine->pc.lapics[cpu->id]);
}

bool cpu_has_message(const struct cpu *cpu)
{
	const struct svmrun_lapic *lapic = &cpu->machine->pc.lapics[cpu->id];

	return lapic->init || lapic->sipi >= 0;
}

void cpu_wake(struct cpu *cpu)
{
	if (cpu->in_guest)
		svmrun_vcpu_kick(&cpu->vcpu);
	pthread_cond_signal(&cpu->changed);
}
