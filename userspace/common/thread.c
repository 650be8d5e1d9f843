// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <time.h>

#include "thread.h"

int thread_start(pthread_t *thread, int allowed, void *(*run)(void *argument),
		 void *argument)
{
	sigset_t blocked, old;
	int ret;

	sigfillset(&blocked);
	if (allowed)
		sigdelset(&blocked, allowed);
	pthread_sigmask(SIG_BLOCK, &blocked, &old);
	ret = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

void thread_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}
