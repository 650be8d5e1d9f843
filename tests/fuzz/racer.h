/* SPDX-License-Identifier: GPL-2.0 */
/* A second thread that changes everything that a run shares with the program. */
#ifndef RACER_H
#define RACER_H

#include <pthread.h>
#include <stdbool.h>

#include "mutation.h"

/**
 * struct racer - the thread
 * @subject: what it changes
 * @random: its random numbers
 * @lock: held while it strikes
 * @thread: the thread
 * @racing: the subject is in RUN and may be struck
 * @over: the thread shall end
 * @strikes: changes that it made
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

/* Between them the subject is struck; after the second it is not any more. */
void racer_begin(struct racer *racer);
void racer_end(struct racer *racer);

#endif /* RACER_H */
