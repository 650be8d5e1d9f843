// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debug/debug.h"
#include "debug/memory.h"
#include "debug/pause.h"
#include "start.h"
#include "vmm/cpu_thread.h"

/**
 * struct start - state until the instruction is reached
 * @debug: the breakpoint
 * @hooks: functions for the machine: the debugger's
 * @exits: their handlers of exits, and the target's
 */
struct start {
	struct debug debug;
	struct debug_hooks hooks;
	struct exit_handler *exits;
};

/* The debugger's handlers are the first: until the snapshot, #DB is the breakpoint's. */
static int set_hooks(struct start *start, struct target *target)
{
	const struct debug_hooks *debugger = target->machine.hooks;
	const struct debug_hooks *own = &target->hooks;
	size_t count = debugger->exit_count;

	start->exits = calloc(count + own->exit_count, sizeof(*start->exits));
	if (!start->exits)
		return -ENOMEM;
	memcpy(start->exits, debugger->exits, count * sizeof(*start->exits));
	memcpy(start->exits + count, own->exits,
	       own->exit_count * sizeof(*start->exits));
	start->hooks = *debugger;
	start->hooks.exits = start->exits;
	start->hooks.exit_count = count + own->exit_count;
	target->machine.hooks = &start->hooks;
	return 0;
}

static int run_to_start(struct start *start, struct target *target)
{
	struct cpu *cpu = &target->machine.cpus[0];
	int ret = debug_insert(cpu, DEBUG_EXECUTE, target->options->start, 1);

	if (ret)
		return ret;
	cpu->debug->action = DEBUG_CONTINUE;
	debug_resume(&target->machine);
	while (!start->debug.paused && !target->machine.outcome.ended)
		cpu_run_once(cpu);
	return 0;
}

int start_reach(struct target *target)
{
	struct machine *machine = &target->machine;
	struct start *start = calloc(1, sizeof(*start));
	int ret;

	if (!start)
		return -ENOMEM;
	ret = debug_open(&start->debug, machine);
	if (ret)
		goto free_start;

	ret = set_hooks(start, target);
	if (!ret)
		ret = run_to_start(start, target);

	debug_close(machine);
	machine->cpus[0].debug = NULL;
	machine->hooks = &target->hooks;
	free(start->exits);
free_start:
	free(start);
	return ret;
}
