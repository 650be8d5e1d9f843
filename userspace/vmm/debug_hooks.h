/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that a debugger, or svmrun fuzz, registers with the machine; all need the
 * machine's lock.
 */
#ifndef DEBUG_HOOKS_H
#define DEBUG_HOOKS_H

#include <stdint.h>

#include "exits.h"

/**
 * struct debug_hooks - a debugger's functions
 * @hold: wait while the processor is paused; return true if it waited
 * @is_stepping: is the processor to execute one instruction? Then interrupts are not
 *	injected.
 * @step_done: the instruction was completed without entering the guest
 * @enter: the guest is about to be entered
 * @leave: the guest has exited
 * @handled: an exit has been handled
 * @reset: the machine has been reset, and its memory has been loaded again
 * @ended: the run has ended
 * @translate: called before the tool accesses the guest's memory for an instruction, see
 *	struct svmrun_physical; NULL if it need not be
 * @exits: handlers of the exits that the debugger intercepts
 * @exit_count: how many
 */
struct debug_hooks {
	bool (*hold)(struct cpu *cpu);
	bool (*is_stepping)(const struct cpu *cpu);
	void (*step_done)(struct cpu *cpu);
	void (*enter)(struct cpu *cpu);
	void (*leave)(struct cpu *cpu);
	void (*handled)(struct cpu *cpu);
	void (*reset)(struct machine *machine);
	void (*ended)(const struct machine *machine);
	int (*translate)(void *cpu, uint64_t gpa, uint32_t access,
			 uint64_t *physical);
	const struct exit_handler *exits;
	size_t exit_count;
};

#endif /* DEBUG_HOOKS_H */
