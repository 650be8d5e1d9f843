/* SPDX-License-Identifier: GPL-2.0 */
/* Pauses: all processors stop together, and resume as their actions require. */
#ifndef DEBUG_PAUSE_H
#define DEBUG_PAUSE_H

#include "debug.h"

/* Pause all processors, and wait until they are, and until a pending reset is done. */
void debug_pause(struct machine *machine);

/* Resume the processors, each according to its @action. */
void debug_resume(struct machine *machine);

/* Pause the machine because of an event on this processor; do not wait for the others. */
void debug_stop(struct cpu *cpu, const struct debug_stop *stop);

/* Notify the debugger of a pause. */
void debug_notify(const struct machine *machine);

/* Notify it of the end of the run, also if it waits for a pause. */
void debug_end(const struct machine *machine);

/* Wait while the processor is paused. Return true if it waited. */
bool debug_hold(struct cpu *cpu);

#endif /* DEBUG_PAUSE_H */
