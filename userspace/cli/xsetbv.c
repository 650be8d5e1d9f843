// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#define XSETBV_LENGTH	3

/* Components of XCR0 (APM 11.5.2) that stand or fall together */
#define XCR0_X87	(1ull << 0)
#define XCR0_SSE	(1ull << 1)
#define XCR0_AVX	(1ull << 2)
#define XCR0_BOUND	(3ull << 3)
#define XCR0_AVX512	(7ull << 5)
#define XCR0_TILE	(3ull << 17)

static bool all_or_none(uint64_t value, uint64_t bits)
{
	return (value & bits) == bits || !(value & bits);
}

static bool needs(uint64_t value, uint64_t bits, uint64_t needed)
{
	return !(value & bits) || (value & needed);
}

static bool valid(uint64_t value, uint64_t offered)
{
	return (value & XCR0_X87) && !(value & ~offered) &&
	       needs(value, XCR0_AVX, XCR0_SSE) &&
	       needs(value, XCR0_AVX512, XCR0_AVX) &&
	       all_or_none(value, XCR0_BOUND) &&
	       all_or_none(value, XCR0_AVX512) && all_or_none(value, XCR0_TILE);
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
