/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that only sleeps, for afl-fuzz, which expects one process per run, and kills it
 * when the run takes too long. A thread creates it, waits for its end, and creates another.
 */
#ifndef HELPER_H
#define HELPER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

/**
 * struct helper - the process
 * @pid: its ID, or a negative errno if it could not be created
 * @ended: called by the thread when the process has ended
 * @owner: argument of @ended
 * @thread: the thread
 * @created: posted when there is another process
 */
struct helper {
	atomic_int pid;
	void (*ended)(void *owner);
	void *owner;
	pthread_t thread;
	sem_t created;
};

/* Start the thread, and wait for the process. Return 0 or a negative errno. */
int helper_start(struct helper *helper, void (*ended)(void *owner),
		 void *owner);

/*
 * After the process has been killed, or is about to be, wait until there is another. Return 0
 * or a negative errno.
 */
int helper_replace(struct helper *helper);

#endif /* HELPER_H */
