/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Single steps, and the processor's state for the debugger: RFLAGS.TF, intercepts and
 * debug registers are the debugger's only while the guest runs. At all other times the
 * VMCB has the guest's own values.
 */
#ifndef DEBUG_STEP_H
#define DEBUG_STEP_H

#include "debug.h"

/* Return whether the processor is stepping. Interrupts are not injected then. */
bool debug_is_stepping(const struct cpu *cpu);

/* End the step, if there is one. */
void debug_step_done(struct cpu *cpu);

/* Forget what a step has left in the guest's state, which has been reset. */
void debug_forget_step(struct cpu *cpu);

/* Call these just before the guest is entered, and just after it has exited. */
void debug_enter(struct cpu *cpu);
void debug_leave(struct cpu *cpu);

/* Exchange DR0 to DR3 and DR7 for the debugger's, or back. */
void debug_swap_registers(struct cpu *cpu);

/* Handle a #DB that RFLAGS.TF has caused. Return false if it is for the guest. */
bool debug_take_step(struct cpu *cpu);

/* Call it after each exit that has been handled: it may complete a step. */
void debug_handled(struct cpu *cpu);

#endif /* DEBUG_STEP_H */
