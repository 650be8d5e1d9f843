/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a processor as two records: what the tool has added, and the vCPU's. Both
 * functions need the machine's lock.
 */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include <svmrun/state.h>

#include "cpu.h"

/* Write the state of a processor that has stopped. */
void cpu_state_save(const struct cpu *cpu, struct svmrun_state *state);

/*
 * Read it into a processor that has been created, and that has not run. Its time stamp
 * counter continues if @ticks is subtracted from the offset.
 */
void cpu_state_load(struct cpu *cpu, struct svmrun_state *state,
		    uint64_t ticks);

#endif /* CPU_STATE_H */
