/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of executed code, and coverage by single steps of code that has not been compiled for
 * it: each instruction in a range is counted in the map, with the one before it.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include "vmm/cpu.h"

struct target;

/* Count a place, whose excess bits are ignored. A count that overflows becomes 1. */
void coverage_count(const struct target *target, uint32_t place);

/*
 * Functions for the machine: before an entry into the guest, after RUN, and after an exit has been
 * handled. The last one is not called if a signal has ended RUN.
 */
void coverage_enter(struct cpu *cpu);
void coverage_leave(struct cpu *cpu);
void coverage_handled(struct cpu *cpu);

/* Handle the exit of a #DB, which a step or the guest itself has caused. */
void exit_step(struct cpu *cpu);

#endif /* COVERAGE_H */
