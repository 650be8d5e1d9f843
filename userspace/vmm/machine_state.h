/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a machine as records, see svmrun/state.h. First comes what the machine is
 * created from, then the state of what has been created.
 */
#ifndef MACHINE_STATE_H
#define MACHINE_STATE_H

#include <limits.h>

#include <svmrun/state.h>

#include "machine.h"

/* IDs of the records that are the machine's */
enum {
	STATE_OPTIONS = SVMRUN_STATE_OWNER,
	STATE_DISK,
	STATE_MEMORY,
	STATE_HOST,
	STATE_TIME,
	STATE_KVMCLOCK,
	STATE_CPU,
};

/**
 * struct machine_plan - what a machine is created from, besides its options
 * @is_pc: the guest expects a PC
 * @disks: the options of its disks
 * @marks: their files, as they were
 * @memories: the guest's memory, without addresses of the host
 * @memory_count: how many ranges
 * @rom_count: how many of them, the last, the guest cannot write to
 */
struct machine_plan {
	bool is_pc;
	char disks[OPTIONS_DISKS][2 * PATH_MAX];
	struct disk_mark marks[OPTIONS_DISKS];
	struct svmrun_memory memories[MACHINE_MEMORIES];
	size_t memory_count;
	size_t rom_count;
};

/*
 * Write all records of a machine that has stopped, with its lock held. @folder: relative
 * names of disks begin there
 */
int machine_state_save(const struct machine *machine, const char *folder,
		       struct svmrun_state *state);

/*
 * Read what the machine is created from. The options get the values that the guest depends
 * on; the others remain. Return 0 or a negative errno.
 */
int machine_state_plan(struct machine_plan *plan, struct run_options *options,
		       struct svmrun_state *state);

/*
 * Read the rest into a machine that has been created from the plan. Return 0, or a negative
 * errno; -ENOEXEC if the processor differs too much, after @why, of @size bytes, has been
 * filled in.
 */
int machine_state_load(struct machine *machine, struct svmrun_state *state,
		       char *why, size_t size);

/*
 * Write the records of what changes while the machine runs: time, devices and processors;
 * and read them into the same machine, whose clock and time stamp counters then continue
 * from that moment. No processor may run. Return 0 or a negative errno.
 */
void machine_state_keep(const struct machine *machine,
			struct svmrun_state *state);
int machine_state_rewind(struct machine *machine, struct svmrun_state *state);

#endif /* MACHINE_STATE_H */
