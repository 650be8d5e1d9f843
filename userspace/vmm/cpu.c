// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include "common/feature.h"
#include "cpu.h"
#include "machine.h"

#define VECTOR_GP 13

/* The processor's own TSC_AUX is the host's. */
void cpu_set_intercepts(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.intercept[4] |= SVM_INTERCEPT4_RDTSCP;
}

void cpu_skip(struct cpu *cpu, unsigned int length)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (cpu->machine->info.out_svm_features & FEATURE_NRIPS)
		vmcb->save.rip = vmcb->control.nrip;
	else
		vmcb->save.rip += length;
	vmcb->control.interrupt_shadow &= ~SVM_SHADOW_INTERRUPT_SHADOW;
}

void cpu_inject_gp(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.eventinj = SVM_EVENT_VALID |
					   SVM_EVENT_TYPE_EXCEPTION |
					   SVM_EVENT_ERROR_CODE_VALID |
					   VECTOR_GP;
}

uint64_t cpu_tsc(const struct cpu *cpu)
{
	return __rdtsc() + cpu->vcpu.vmcb->control.tsc_offset;
}

bool cpu_waits_for_sipi(const struct cpu *cpu)
{
	return svmrun_lapic_waits_for_sipi(&cpu->machine->pc.lapics[cpu->id]);
}

void cpu_wake(struct cpu *cpu)
{
	if (cpu->in_guest)
		svmrun_vcpu_kick(&cpu->vcpu);
	pthread_cond_signal(&cpu->changed);
}
