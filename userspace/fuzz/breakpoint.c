// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "addresses.h"
#include "breakpoint.h"
#include "common/message.h"
#include "common/status.h"
#include "coverage.h"
#include "debug/memory.h"
#include "lib/memories.h"
#include "target.h"

#define INT3 0xcc

static int compare_gpas(const void *left, const void *right)
{
	const struct breakpoint *one = left, *other = right;

	return one->gpa < other->gpa ? -1 : one->gpa > other->gpa;
}

static struct breakpoint *
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

/* Return false if there is no memory at the address. */
static bool add_breakpoint(struct target *target, uint64_t gva,
			   const struct breakpoint *kind)
{
	struct breakpoints *breakpoints = &target->breakpoints;
	struct breakpoint *breakpoint = &breakpoints->list[breakpoints->count];

	*breakpoint = *kind;
	if (!debug_translate(&target->machine.cpus[0], gva, &breakpoint->gpa) ||
	    !code_at(target, breakpoint->gpa))
		return false;
	breakpoints->count++;
	return true;
}

static int add_ends(struct target *target)
{
	static const struct breakpoint end = { .is_end = true };
	const struct fuzz_options *options = target->options;
	size_t i;

	for (i = 0; i < options->end_count; i++)
		if (!add_breakpoint(target, options->ends[i], &end))
			return message_fail(STATUS_USAGE,
					    "--end 0x%" PRIx64
					    ": no memory is mapped there when the snapshot is taken",
					    options->ends[i]);
	return 0;
}

/*
 * A place in the map depends on the addresses of the file only, so that it is the same in each
 * process. Code that is not in memory yet is not counted.
 */
static int add_counted(struct target *target, const struct addresses *addresses)
{
	const char *file = target->options->break_file;
	struct breakpoint counted = { .is_counted = true };
	size_t i, missing = 0;

	for (i = 0; i < addresses->count; i++) {
		counted.place = i;
		missing += !add_breakpoint(target, addresses->list[i],
					   &counted);
	}
	if (missing && missing == addresses->count)
		return message_fail(STATUS_USAGE,
				    "--break %s: no memory is mapped at any of the addresses when the snapshot is taken",
				    file);
	if (missing)
		message_warn("--break %s: no memory is mapped at %zu of %zu addresses when the snapshot is taken",
			     file, missing, addresses->count);
	return 0;
}

/* Several virtual addresses may be the same code. */
static void merge_breakpoints(struct breakpoints *breakpoints)
{
	struct breakpoint *list = breakpoints->list, *last = NULL;
	size_t i, count = 0;

	qsort(list, breakpoints->count, sizeof(*list), compare_gpas);
	for (i = 0; i < breakpoints->count; i++) {
		if (last && last->gpa == list[i].gpa) {
			last->is_end |= list[i].is_end;
			if (!last->is_counted)
				last->place = list[i].place;
			last->is_counted |= list[i].is_counted;
			continue;
		}
		last = &list[count++];
		*last = list[i];
	}
	breakpoints->count = count;
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

static int insert_all(struct target *target, const struct addresses *addresses)
{
	struct breakpoints *breakpoints = &target->breakpoints;
	int status;

	breakpoints->list = calloc(target->options->end_count +
					   addresses->count,
				   sizeof(*breakpoints->list));
	if (!breakpoints->list)
		return message_fail(STATUS_ENVIRONMENT,
				    "no memory for breakpoints");
	status = add_ends(target);
	if (!status)
		status = add_counted(target, addresses);
	if (status)
		return status;
	merge_breakpoints(breakpoints);
	write_breakpoints(target);
	return 0;
}

int breakpoints_insert(struct target *target)
{
	const struct addresses *addresses = &target->counted;

	return target->options->end_count + addresses->count ?
		       insert_all(target, addresses) :
		       0;
}

void breakpoints_free(struct breakpoints *breakpoints)
{
	free(breakpoints->list);
	*breakpoints = (struct breakpoints){ 0 };
}

/* ---- runs ---------------------------------------------------------------- */

static void remove_breakpoint(struct target *target,
			      const struct breakpoint *breakpoint)
{
	uint8_t *at = svmrun_clone_touch(&target->clone, breakpoint->gpa, 1);

	*at = breakpoint->byte;
}

/* After a breakpoint has been removed in this run, an INT3 there is the guest's own. */
bool breakpoints_hit(struct cpu *cpu)
{
	struct target *target = target_of(cpu);
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct breakpoint *breakpoint = NULL;
	uint64_t gpa;

	if (debug_translate(cpu, save->cs.base + save->rip, &gpa))
		breakpoint = breakpoint_with_gpa(&target->breakpoints, gpa);
	if (!breakpoint || breakpoint->run == target->run)
		return false;
	breakpoint->run = target->run;
	target->calls++;
	if (breakpoint->is_counted)
		coverage_count(target, breakpoint->place);
	if (breakpoint->is_end) {
		cpu_end(cpu, 0, VERDICT_DONE, "%s", "");
		return true;
	}
	remove_breakpoint(target, breakpoint);
	return true;
}
