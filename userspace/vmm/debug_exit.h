/* SPDX-License-Identifier: GPL-2.0 */
/* What the files debug*.c share. */
#ifndef DEBUG_EXIT_H
#define DEBUG_EXIT_H

#include "debug.h"

/* DR6 that says nothing (APM 13.1.1.3) */
#define DR6_NOTHING 0xffff0ff0ull

/* Stops the machine, for this processor's sake. */
void debug_stop(struct cpu *cpu, const struct debug_stop *stop);

/* A #DB for RFLAGS.TF: false if it is for the guest. */
bool debug_takes_step(struct cpu *cpu);

/* A breakpoint in a debug register: 0, or a negative errno as debug_insert() */
int debug_watch(struct debug *debug, enum debug_kind kind, uint64_t address,
		unsigned int size);
void debug_unwatch(struct debug *debug, enum debug_kind kind, uint64_t address,
		   unsigned int size);

/* Fills in DR0 to DR3 and DR7 for what is watched. */
void debug_watch_registers(const struct debug *debug, struct debug_cpu *cpu);

/* The breakpoint in memory that is at @gva, if it is one; NULL otherwise */
const struct debug_breakpoint *debug_breakpoint_at(const struct cpu *cpu,
						   uint64_t gva);

#endif /* DEBUG_EXIT_H */
