// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include <svmrun/instruction.h>

#include "cpu.h"
#include "machine.h"

#define VECTOR_UD 6
#define VECTOR_GP 13

/* The processor's own TSC_AUX is the host's. */
void cpu_set_intercepts(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.intercept[4] |= SVM_INTERCEPT4_RDTSCP;
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
