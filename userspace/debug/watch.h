/* SPDX-License-Identifier: GPL-2.0 */
/* Breakpoints in debug registers: APM 13.1.1 */
#ifndef DEBUG_WATCH_H
#define DEBUG_WATCH_H

#include "debug.h"

/* Return 0, -EINVAL if the range cannot be watched, or -ENOSPC. */
int debug_watch(struct debug *debug, enum debug_kind kind, uint64_t address,
		unsigned int size);
/* It is no error if there is none. */
void debug_unwatch(struct debug *debug, enum debug_kind kind, uint64_t address,
		   unsigned int size);

/* Fill in DR0 to DR3 and DR7. */
void debug_watch_registers(const struct debug *debug, struct debug_cpu *cpu);

#endif /* DEBUG_WATCH_H */
