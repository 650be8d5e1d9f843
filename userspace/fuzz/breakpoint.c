// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "breakpoint.h"
#include "common/message.h"
#include "common/status.h"
#include "debug/memory.h"
#include "lib/memories.h"
#include "target.h"

#define INT3 0xcc

static int compare_gpas(const void *left, const void *right)
{
	const struct breakpoint *one = left, *other = right;

	return one->gpa < other->gpa ? -1 : one->gpa > other->gpa;
}

static const struct breakpoint *
breakpoint_with_gpa(const struct breakpoints *breakpoints, uint64_t gpa)
{
	const struct breakpoint key = { .gpa = gpa };

	return breakpoints->count ?
		       bsearch(&key, breakpoints->list, breakpoints->count,
			       sizeof(key), compare_gpas) :
		       NULL;
}

/* ---- insertion ----------------------------------------------------------- */

static uint8_t *code_at(const struct target *target, uint64_t gpa)
{
	return memories_at(target->machine.memories,
			   target->machine.memory_count, gpa, 1);
}

static int add_breakpoint(struct target *target, uint64_t gva)
{
	struct breakpoints *breakpoints = &target->breakpoints;
	struct breakpoint *breakpoint = &breakpoints->list[breakpoints->count];

	breakpoint->gva = gva;
	if (!debug_translate(&target->machine.cpus[0], gva, &breakpoint->gpa) ||
	    !code_at(target, breakpoint->gpa))
		return -EFAULT;
	breakpoints->count++;
	return 0;
}

/* Read all bytes before the first is replaced: two breakpoints may be one in memory. */
static void write_breakpoints(struct target *target)
{
	struct breakpoints *breakpoints = &target->breakpoints;
	struct svm_vmcb *vmcb = target->machine.cpus[0].vcpu.vmcb;
	size_t i;

	for (i = 0; i < breakpoints->count; i++)
		breakpoints->list[i].byte = *code_at(target,
						     breakpoints->list[i].gpa);
	for (i = 0; i < breakpoints->count; i++)
		*code_at(target, breakpoints->list[i].gpa) = INT3;
	/* Some processors report INT3 as the interrupt, not as the exception. */
	vmcb->control.intercept[2] |= SVM_INTERCEPT2_EXCEPTION(VECTOR_BP);
	vmcb->control.intercept[3] |= SVM_INTERCEPT3_SWINT;
}

int breakpoints_insert(struct target *target)
{
	const struct fuzz_options *options = target->options;
	struct breakpoints *breakpoints = &target->breakpoints;
	size_t i;

	if (!options->end_count)
		return 0;
	breakpoints->list = calloc(options->end_count,
				   sizeof(*breakpoints->list));
	if (!breakpoints->list)
		return message_fail(STATUS_ENVIRONMENT,
				    "no memory for breakpoints");
	for (i = 0; i < options->end_count; i++)
		if (add_breakpoint(target, options->ends[i]))
			return message_fail(STATUS_USAGE,
					    "--end 0x%" PRIx64
					    ": no memory is mapped there when the snapshot is taken",
					    options->ends[i]);
	qsort(breakpoints->list, breakpoints->count, sizeof(*breakpoints->list),
	      compare_gpas);
	write_breakpoints(target);
	return 0;
}

void breakpoints_free(struct breakpoints *breakpoints)
{
	free(breakpoints->list);
	*breakpoints = (struct breakpoints){ 0 };
}

/* ---- runs ---------------------------------------------------------------- */

bool breakpoints_hit(struct cpu *cpu)
{
	struct target *target = target_of(cpu);
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t gpa;

	if (!debug_translate(cpu, save->cs.base + save->rip, &gpa) ||
	    !breakpoint_with_gpa(&target->breakpoints, gpa))
		return false;
	target->calls++;
	cpu_end(cpu, 0, VERDICT_DONE, "%s", "");
	return true;
}
