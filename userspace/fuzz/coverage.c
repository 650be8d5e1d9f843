// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "coverage.h"
#include "target.h"

/* Multiplicative hashing (Knuth): 2^32 divided by the golden ratio */
#define HASH_FACTOR 0x9e3779b1u

void coverage_count(const struct target *target, uint32_t place)
{
	uint8_t *map = target->map.memory.base;
	uint8_t *count = &map[place & (target->map_size - 1)];

	*count = *count == UINT8_MAX ? 1 : *count + 1;
}

static void count_instruction(struct target *target, uint64_t rip)
{
	const struct fuzz_options *options = target->options;
	uint32_t here = (uint32_t)rip * HASH_FACTOR >> 8;

	target->is_in_range = rip - options->step < options->step_size;
	if (!target->is_in_range)
		return;
	coverage_count(target, here ^ target->step_before);
	target->step_before = here >> 1;
}

void coverage_enter(struct cpu *cpu)
{
	struct target *target = target_of(cpu);
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;

	if (!target->is_clone)
		return;
	/* A signal can end RUN before the instruction has been executed. */
	if (!target->is_counted)
		count_instruction(target, save->rip);
	target->is_counted = true;
	target->guest_tf = save->rflags & RFLAGS_TF;
	save->rflags |= RFLAGS_TF;
	target->is_stepping = true;
}

/*
 * Take TF back before the exit is handled, because it affects the emulation of instructions.
 * An IRET may have loaded the tool's TF from the stack: then it is not the guest's.
 */
void coverage_leave(struct cpu *cpu)
{
	struct target *target = target_of(cpu);

	if (target->is_stepping && !target->guest_tf)
		cpu->vcpu.vmcb->save.rflags &= ~RFLAGS_TF;
	target->is_stepping = false;
}

void coverage_handled(struct cpu *cpu)
{
	target_of(cpu)->is_counted = false;
}

/* End the run after the last instruction that it may execute. */
static void count_step(struct cpu *cpu)
{
	struct target *target = target_of(cpu);

	if (target->is_in_range && ++target->steps == target->options->insns)
		cpu_end(cpu, 0, VERDICT_TIMEOUT,
			"time-out after %" PRIu64 " instructions at RIP 0x%llx",
			target->steps, cpu->vcpu.vmcb->save.rip);
}

void exit_step(struct cpu *cpu)
{
	struct target *target = target_of(cpu);
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t events = save->dr6 & DR6_EVENTS;

	if (target->guest_tf || !(events & DR6_BS)) {
		cpu_inject_db(cpu, 0);
		return;
	}
	target->calls++;
	save->dr6 &= ~DR6_BS;
	if (events & ~DR6_BS)
		cpu_inject_db(cpu, 0);
	count_step(cpu);
}
