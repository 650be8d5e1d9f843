/* SPDX-License-Identifier: GPL-2.0 */
/* A second thread that changes everything that the program shares with a run */
#ifndef RACER_H
#define RACER_H

#include <pthread.h>
#include <stdbool.h>

#include "mutation.h"

/**
 * struct racer - the thread
 * @subject: what it changes
 * @random: its random numbers
 * @lock: held while it changes things
 * @thread: the thread
 * @racing: the subject is in RUN and may be changed
 * @over: request to end the thread
 * @strikes: number of changes
 */
struct racer {
	struct subject *subject;
	uint64_t random;
	pthread_mutex_t lock;
	pthread_t thread;
	volatile bool racing;
	volatile bool over;
	unsigned long strikes;
};

int racer_start(struct racer *racer, struct subject *subject, uint64_t seed);
void racer_stop(struct racer *racer);

/* The subject is changed between racer_begin() and the return of racer_end(). */
void racer_begin(struct racer *racer);
void racer_end(struct racer *racer);

#endif /* RACER_H */
