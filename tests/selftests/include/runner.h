/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that calls RUN once, while the test does something else */
#ifndef RUNNER_H
#define RUNNER_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "machine.h"

struct runner {
	struct svmrun_vcpu *vcpu;
	pthread_t thread;
	int result;
	volatile bool ended; /* RUN has returned */
};

/*
 * A child may exit before its parent's fork() has unblocked signals. Its SIGCHLD would go to
 * this thread then, and end RUN, although it is ignored.
 */
static inline void *runner_main(void *argument)
{
	struct runner *runner = argument;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	runner->result = call(runner->vcpu->fd, SVMRUN_RUN, NULL);
	runner->ended = true;
	return NULL;
}

/*
 * The counter that guests increment in memory, so that the test sees them running
 */
static inline volatile uint64_t *machine_counter(struct machine *m)
{
	return machine_at(m, MACHINE_DATA);
}

/* Count without end; the code is valid in every mode. */
#define COUNT_LOOP "1: lock incl 0xa000\n jmp 1b"

static inline int runner_start(struct runner *runner, struct svmrun_vcpu *vcpu)
{
	runner->vcpu = vcpu;
	runner->ended = false;
	return -pthread_create(&runner->thread, NULL, runner_main, runner);
}

/* Pin a thread to a CPU. */
static inline int pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return -pthread_setaffinity_np(thread, sizeof(set), &set);
}

static inline int runner_kick(struct runner *runner)
{
	return call(runner->vcpu->fd, SVMRUN_KICK, NULL);
}

/* Wait for the thread; return the result of RUN. */
static inline int runner_join(struct runner *runner)
{
	int err = pthread_join(runner->thread, NULL);

	return err ? -err : runner->result;
}

/* Return when the guest has incremented the counter. */
static inline void machine_wait_counting(struct machine *m)
{
	uint64_t before = *machine_counter(m);

	while (*machine_counter(m) == before)
		sched_yield();
}

#endif /* RUNNER_H */
