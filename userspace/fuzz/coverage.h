/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coverage of code that has not been compiled for it: the guest executes single steps, and
 * each instruction in a range is counted in the map, with the one before it.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include "vmm/cpu.h"

/* Functions for the machine: before an entry into the guest, and after an exit */
void coverage_enter(struct cpu *cpu);
void coverage_leave(struct cpu *cpu);

/* Handle the exit of a #DB, which a step or the guest itself has caused. */
void exit_step(struct cpu *cpu);

#endif /* COVERAGE_H */
