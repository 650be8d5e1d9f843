/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Breakpoints in the guest's code: INT3, which are inserted before the snapshot, so that they
 * are part of it. One that only counts code is removed when it is hit, until the reset. They
 * are found by their guest physical addresses, because the same code may be mapped at several
 * virtual ones.
 */
#ifndef BREAKPOINT_H
#define BREAKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct target;

/**
 * struct breakpoint - a breakpoint
 * @gpa: its guest physical address
 * @byte: the byte that it replaces
 * @is_end: the run ends there
 * @is_counted: it is counted in the map
 * @place: its index in the map
 * @run: number of the last run in which it was hit
 */
struct breakpoint {
	uint64_t gpa;
	uint8_t byte;
	bool is_end;
	bool is_counted;
	uint32_t place;
	uint64_t run;
};

/**
 * struct breakpoints - all of them
 * @list: the breakpoints, in the order of @gpa
 * @count: how many
 */
struct breakpoints {
	struct breakpoint *list;
	size_t count;
};

/* Insert the breakpoints of the command line. Return 0, or the exit status after a message. */
int breakpoints_insert(struct target *target);
void breakpoints_free(struct breakpoints *breakpoints);

/* Handle an INT3 of the guest. Return false if it is not a breakpoint, but the guest's own. */
bool breakpoints_hit(struct cpu *cpu);

#endif /* BREAKPOINT_H */
