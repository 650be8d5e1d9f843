/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The thread of a processor. It holds the machine's lock, except while the guest runs and
 * while it waits.
 */
#ifndef CPU_THREAD_H
#define CPU_THREAD_H

#include <signal.h>

#include "cpu.h"

/* Signal of the processor's timer: it interrupts a run or a write. */
#define CPU_SIGNAL SIGRTMIN

/*
 * Catch the signal, before any thread is started: the run may end by a time-out, which
 * sends it, before a processor has a timer.
 */
void cpu_thread_catch_signal(void);

/* Thread function; returns when the run has ended. @argument: the processor */
void *cpu_thread(void *argument);

/* Run one iteration of the processor's loop: run the guest until an exit, or wait. */
void cpu_run_once(struct cpu *cpu);

#endif /* CPU_THREAD_H */
