// SPDX-License-Identifier: GPL-2.0
#include "cpuid.h"
#include "machine.h"

#define CPUID_LENGTH 2

void cpu_cpuid(struct cpu *cpu)
{
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct svmrun_registers *regs = cpu->vcpu.regs;
	const struct run_options *options = cpu->machine->options;
	const struct cpuid_guest guest = {
		.host = cpuid_host,
		.minimal = options->cpu == CPU_MINIMAL,
		.overrides = options->cpuid,
		.override_count = options->cpuid_count,
		.id = cpu->id,
		.cpus = options->cpus,
		.cr4 = save->cr4,
		.cr4_offered = cpu->machine->info.out_cr4,
		.efer_offered = CPU_EFER & cpu->machine->info.out_efer,
		.xcr0 = regs->xcr0,
		.xcr0_offered = cpu->machine->info.out_xcr0,
		.gpa_bits = cpu->machine->info.out_gpa_bits,
	};
	struct cpuid c = cpuid_answer(&guest, save->rax, regs->rcx);

	save->rax = c.eax;
	regs->rbx = c.ebx;
	regs->rcx = c.ecx;
	regs->rdx = c.edx;
	cpu_skip(cpu, CPUID_LENGTH);
}
