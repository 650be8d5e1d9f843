// SPDX-License-Identifier: GPL-2.0
#include "leaf.h"
#include "machine.h"

#define CPUID_LENGTH 2

void machine_cpuid(struct machine *machine)
{
	struct svm_vmcb_save *save = &machine->vcpu.vmcb->save;
	struct svmrun_registers *regs = machine->vcpu.regs;
	const struct cpuid_guest guest = {
		.host = cpuid_host,
		.cr4 = save->cr4,
		.xcr0 = regs->xcr0,
		.xcr0_offered = machine->info.out_xcr0,
		.gpa_bits = machine->info.out_gpa_bits,
	};
	struct cpuid c = cpuid_answer(&guest, save->rax, regs->rcx);

	save->rax = c.eax;
	regs->rbx = c.ebx;
	regs->rcx = c.ecx;
	regs->rdx = c.edx;
	machine_skip(machine, CPUID_LENGTH);
}
