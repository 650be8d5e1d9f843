/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest as a target: it runs until it is ready for an input (svmrun_guest.h). Then a
 * snapshot is taken, and a clone replaces the machine's VM. The clone gets one input after
 * the other, and is reset after each: memory and processor by the library, devices and time
 * from records in memory, if the run can have changed them.
 *
 * All of it happens in one thread, which also runs the processor.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/state.h>

#include "addresses.h"
#include "area.h"
#include "breakpoint.h"
#include "fuzz_options.h"
#include "verdict.h"
#include "vmm/debug_hooks.h"
#include "vmm/machine.h"

/* Pages of a guest's buffer for the input */
#define TARGET_BUFFER_PAGES (AREA_INPUT_MAX / 4096 + 1)

/*
 * VMMCALL, #DB, INT3 as an exception and as an interrupt, the exits that count as crashes, and
 * all exceptions of a guest without IDT
 */
#define TARGET_EXITS (5 + FUZZ_CRASHES)

/**
 * struct target - the target
 * @machine: the machine
 * @options: the command line
 * @device: the device, for the clone
 * @map: the map of executed code
 * @map_size: its size in bytes, which may be less than that of the area
 * @input: the input
 * @hooks: functions for the machine
 * @exits: their handlers of exits
 * @has_thread: this thread runs the processor
 * @is_ready: the guest has said that it is ready
 * @is_clone: the machine's VM is the clone
 * @buffer: guest physical addresses of the pages of the guest's buffer for the input
 * @buffer_offset: where it begins in the first of them
 * @buffer_room: its size in bytes, 0 for none
 * @counted: addresses of the file of --break
 * @breakpoints: breakpoints in its code
 * @snapshot: the guest when it was ready
 * @clone: the clone
 * @state: the records of devices and time at that moment
 * @clock: the machine's clock at that moment
 * @tsc: the host's time stamp counter at that moment
 * @deadline: the next deadline of a device at that moment
 * @is_stale: devices may not be as they were at that moment
 * @run: number of the present run, from 1
 * @calls: exits of the present run that were calls, breakpoints, or steps for coverage
 * @exits_before: the machine's exits before the run
 * @guest_tf: the guest has set TF itself
 * @is_stepping: TF is set for coverage by steps
 * @is_counted: the present step is in the map
 * @is_in_range: the present step is in the range of --step
 * @steps: steps of the present run that were
 * @step_before: hash of the instruction before
 * @killed: the run is to end; any thread may set it
 */
struct target {
	struct machine machine;
	const struct fuzz_options *options;
	int device;
	struct area map;
	size_t map_size;
	struct area input;
	struct debug_hooks hooks;
	struct exit_handler exits[TARGET_EXITS];
	bool has_thread;
	bool is_ready;
	bool is_clone;
	uint64_t buffer[TARGET_BUFFER_PAGES];
	size_t buffer_offset;
	size_t buffer_room;
	struct addresses counted;
	struct breakpoints breakpoints;
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;
	struct svmrun_state state;
	uint64_t clock;
	uint64_t tsc;
	uint64_t deadline;
	bool is_stale;
	uint64_t run;
	uint64_t calls;
	uint64_t exits_before;
	bool guest_tf;
	bool is_stepping;
	bool is_counted;
	bool is_in_range;
	uint64_t steps;
	uint32_t step_before;
	atomic_bool killed;
};

static inline struct target *target_of(const struct cpu *cpu)
{
	return (struct target *)((char *)cpu->machine -
				 offsetof(struct target, machine));
}

/*
 * Share the areas with the guest, whose machine has been created, register the functions for
 * it, and read the file of --break. Return 0, or the exit status after a message.
 */
int target_open(struct target *target);
void target_close(struct target *target);

/*
 * Run the guest until it is ready, and take the snapshot. The caller holds the machine's
 * lock. Return the same.
 */
int target_prepare(struct target *target);

/* Run the input of the area, with the lock held. The outcome has a message. */
struct verdict target_run(struct target *target);

/* Reset the guest after a run, with the lock held. Return 0 or a negative errno. */
int target_reset(struct target *target);

/* End the run in progress, or the next one. Any thread may call it, without the lock. */
void target_kill(struct target *target);

#endif /* TARGET_H */
