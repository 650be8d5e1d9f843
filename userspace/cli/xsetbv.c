// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#define XSETBV_LENGTH	3

/* A guest's XCR0 may be what the module lets it be. */
static bool valid(uint64_t value, uint64_t offered)
{
	const struct svmrun_processor processor = { .xcr0 = offered };
	const struct svmrun_registers regs = { .xcr0 = value };

	return !svmrun_registers_explain(&regs, &processor, NULL, 0);
}

void machine_xsetbv(struct machine *machine)
{
	const struct svm_vmcb_save *save = &machine->vcpu.vmcb->save;
	struct svmrun_registers *regs = machine->vcpu.regs;
	uint64_t value = regs->rdx << 32 | (uint32_t)save->rax;

	if (save->cpl || (uint32_t)regs->rcx ||
	    !valid(value, machine->info.out_xcr0)) {
		machine_inject_gp(machine);
		return;
	}
	regs->xcr0 = value;
	machine_skip(machine, XSETBV_LENGTH);
}
