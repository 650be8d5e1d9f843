/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that runs a vCPU once, while the test does something else. */
#ifndef RUNNER_H
#define RUNNER_H

#include <pthread.h>
#include <sched.h>

#include "machine.h"

struct runner {
	struct svmrun_vcpu *vcpu;
	pthread_t thread;
	int result;
	volatile bool ended; /* RUN has returned */
};

static inline void *runner_main(void *argument)
{
	struct runner *runner = argument;

	runner->result = call(runner->vcpu->fd, SVMRUN_RUN, NULL);
	runner->ended = true;
	return NULL;
}

/* What a guest counts up in its memory, so that the test sees it running */
static inline volatile uint64_t *machine_counter(struct machine *m)
{
	return machine_at(m, MACHINE_DATA);
}

/* A guest, for any mode, that counts without end */
#define COUNT_LOOP "1: lock incl 0xa000\n jmp 1b"

static inline int runner_start(struct runner *runner, struct svmrun_vcpu *vcpu)
{
	runner->vcpu = vcpu;
	runner->ended = false;
	return -pthread_create(&runner->thread, NULL, runner_main, runner);
}

/* The thread goes to a CPU and stays there. */
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

/* What RUN returned */
static inline int runner_join(struct runner *runner)
{
	int err = pthread_join(runner->thread, NULL);

	return err ? -err : runner->result;
}

/* Returns when the guest has counted on from where it is now. */
static inline void machine_wait_counting(struct machine *m)
{
	uint64_t before = *machine_counter(m);

	while (*machine_counter(m) == before)
		sched_yield();
}

#endif /* RUNNER_H */
