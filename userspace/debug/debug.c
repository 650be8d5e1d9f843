// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "debug.h"
#include "exit.h"
#include "lib/array_size.h"
#include "memory.h"
#include "pause.h"
#include "step.h"
#include "vmm/debug_hooks.h"

static const struct exit_handler handlers[] = {
	{ VMEXIT_EXCP(1), 1, exit_db },
	{ VMEXIT_EXCP(3), 1, exit_bp },
	{ VMEXIT_SWINT, 1, exit_swint },
	{ VMEXIT_DR_READ(0), 16, exit_dr },
	{ VMEXIT_DR_WRITE(0), 16, exit_dr },
	{ VMEXIT_IOIO, 1, exit_watched_ioio },
	{ VMEXIT_NPF, 1, exit_watched_fault },
};

/* Breakpoints in debug registers are set at each entry into the guest. */
static void reset_debug(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		debug_forget_step(&machine->cpus[i]);
	debug_insert_again(machine);
	pthread_cond_signal(&machine->debug->left);
}

static const struct debug_hooks hooks = {
	.hold = debug_hold,
	.is_stepping = debug_is_stepping,
	.step_done = debug_step_done,
	.enter = debug_enter,
	.leave = debug_leave,
	.handled = debug_handled,
	.reset = reset_debug,
	.ended = debug_end,
	.exits = handlers,
	.exit_count = ARRAY_SIZE(handlers),
};

int debug_open(struct debug *debug, struct machine *machine)
{
	unsigned int i;

	debug->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (debug->event < 0)
		return -errno;
	pthread_cond_init(&debug->left, NULL);
	debug->paused = true;
	for (i = 0; i < machine->cpu_count; i++)
		machine->cpus[i].debug = &debug->cpus[i];
	machine->debug = debug;
	machine->hooks = &hooks;
	return 0;
}

void debug_close(struct machine *machine)
{
	struct debug *debug = machine->debug;

	machine->hooks = NULL;
	machine->debug = NULL;
	pthread_cond_destroy(&debug->left);
	close(debug->event);
}

void debug_release(struct machine *machine)
{
	struct debug *debug = machine->debug;
	unsigned int i;

	debug_pause(machine);
	while (debug->breakpoint_count)
		debug_remove(machine, DEBUG_SOFTWARE, debug->breakpoints[0].gva,
			     1);
	memset(debug->watches, 0, sizeof(debug->watches));
	debug->watch_count = 0;
	debug->stops_at_svm = false;
	for (i = 0; i < machine->cpu_count; i++)
		machine->cpus[i].debug->action = DEBUG_CONTINUE;
	debug_resume(machine);
}
