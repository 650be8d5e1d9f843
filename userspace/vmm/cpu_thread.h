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

/*
 * Let the calling thread, which has caught the signal, run the processor. It must hold the
 * machine's lock. Return 0 or a negative errno.
 */
int cpu_thread_begin(struct cpu *cpu);
void cpu_thread_end(struct cpu *cpu);

/* Run one iteration of the processor's loop: run the guest until an exit, or wait. */
void cpu_run_once(struct cpu *cpu);

#endif /* CPU_THREAD_H */
