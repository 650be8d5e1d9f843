/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that only sleeps, for afl-fuzz, which expects one process per run, and kills it
 * when the run takes too long. A thread waits for its end.
 */
#ifndef HELPER_H
#define HELPER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

/**
 * struct helper - the process
 * @pid: its ID
 * @ended: called by the thread when the process has ended
 * @owner: argument of @ended
 * @thread: the thread
 * @seen: posted when @ended has returned
 * @next: posted when there is another process to wait for
 */
struct helper {
	atomic_int pid;
	void (*ended)(void *owner);
	void *owner;
	pthread_t thread;
	sem_t seen;
	sem_t next;
};

/* Start the process and the thread. Return 0 or a negative errno. */
int helper_start(struct helper *helper, void (*ended)(void *owner),
		 void *owner);

/*
 * Wait for the end of the process and for @ended, and start another process. Return 0 or a
 * negative errno.
 */
int helper_replace(struct helper *helper);

#endif /* HELPER_H */
