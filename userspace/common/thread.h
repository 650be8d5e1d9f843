/* SPDX-License-Identifier: GPL-2.0 */
/* Threads beside the one that runs the machine, and their conditions */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/*
 * Start a thread that blocks all signals except @allowed, 0 for none: the others interrupt
 * the thread that runs the machine. Return 0 or a negative errno.
 */
int thread_start(pthread_t *thread, int allowed, void *(*run)(void *argument),
		 void *argument);

/* Initialise a condition. Timed waits for it end at a time of clock_now(). */
void thread_init_condition(pthread_cond_t *condition);

#endif /* THREAD_H */
