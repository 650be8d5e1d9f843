// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#define XSETBV_LENGTH 3

/* A guest's XCR0 may be what the module lets it be. */
static bool valid(uint64_t value, uint64_t offered)
{
	const struct svmrun_processor processor = { .xcr0 = offered };
	const struct svmrun_registers regs = { .xcr0 = value };

	return !svmrun_registers_explain(&regs, &processor, NULL, 0);
}

void cpu_xsetbv(struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct svmrun_registers *regs = cpu->vcpu.regs;
	uint64_t value = regs->rdx << 32 | (uint32_t)save->rax;

	if (save->cpl || (uint32_t)regs->rcx ||
	    !valid(value, cpu->machine->info.out_xcr0)) {
		cpu_inject_gp(cpu);
		return;
	}
	regs->xcr0 = value;
	cpu_skip(cpu, XSETBV_LENGTH);
}
