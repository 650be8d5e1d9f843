/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Check that the host works after what a guest or its program did: on each CPU a
 * timer still wakes a thread, a guest runs to its end, and the state that
 * hoststate.ko reads is unchanged.
 */
#ifndef HOST_H
#define HOST_H

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "hoststate.h"
#include "machine.h"

#define HOST_CPUS 64

/* A thread that is pinned to a CPU and counts how often a timer wakes it */
struct witness {
	pthread_t thread;
	int cpu;
	volatile uint64_t woken;
};

struct host {
	char *state;
	int cpus;
	struct witness witness[HOST_CPUS];
};

static inline void *witness_main(void *argument)
{
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };
	struct witness *witness = argument;

	if (cpu_pin(witness->cpu))
		return NULL;
	for (;;) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
		witness->woken++;
	}
}

static inline int host_add_witness(struct host *host, int cpu)
{
	struct witness *witness = &host->witness[host->cpus++];

	witness->cpu = cpu;
	return -pthread_create(&witness->thread, NULL, witness_main, witness);
}

/*
 * Record the host's state and start the witnesses. A VM must exist from now until
 * host_expect_well(), because SVM is enabled only while there are VMs.
 */
static inline int host_watch(struct host *host)
{
	cpu_set_t set;
	int err = 0;

	host->cpus = 0;
	host->state = hoststate_read();
	if (!host->state)
		return -errno;
	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	for (int cpu = 0; !err && cpu < HOST_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			err = host_add_witness(host, cpu);
	return err;
}

/* Return an item of the host's state, on its first CPU. */
static inline uint64_t host_value(const struct host *host, const char *name)
{
	unsigned long long value = 0;
	char item[64];
	const char *at;

	snprintf(item, sizeof(item), "cpu%d %s ", host->witness[0].cpu, name);
	at = strstr(host->state, item);
	if (at)
		sscanf(at + strlen(item), "%llx", &value);
	return value;
}

/* Return when each CPU has woken its witness @times more. */
static inline void host_wait_ticks(struct host *host, int times)
{
	for (int i = 0; i < host->cpus; i++) {
		uint64_t until = host->witness[i].woken + times;

		while (host->witness[i].woken < until)
			usleep(1000);
	}
}

/* RAX = 1 + 2 + ... + 100000 */
GUEST(host_good_guest, 64,
      "xor %eax, %eax\n mov $100000, %ecx\n"
      "1: add %rcx, %rax\n loop 1b\n hlt");
#define HOST_GOOD_SUM 5000050000ull

static inline bool host_runs_guest(int cpu)
{
	struct machine m;
	bool good;

	if (cpu_pin(cpu) || machine_create(&m))
		return false;
	good = !MACHINE_LOAD(&m, MODE_LONG, host_good_guest) &&
	       !machine_run(&m) &&
	       m.vcpu.vmcb->control.exitcode == VMEXIT_HLT &&
	       m.vcpu.vmcb->save.rax == HOST_GOOD_SUM;
	machine_destroy(&m);
	return good;
}

/* Check the host, and release what host_watch() allocated. */
static inline void host_expect_well(struct __test_metadata *_metadata,
				    struct host *host)
{
	char *after;

	host_wait_ticks(host, 2);
	for (int i = 0; i < host->cpus; i++)
		EXPECT_TRUE(host_runs_guest(host->witness[i].cpu));
	after = hoststate_read();
	ASSERT_NE(NULL, after);
	EXPECT_EQ(0, hoststate_differs(host->state, after));
	free(after);
	free(host->state);
}

/**
 * WATCHED_FIXTURE() - a fixture with a machine, and a check of the host at the end
 * @name: the fixture's name; its tests use self->m and self->host
 */
#define WATCHED_FIXTURE(name)                                                  \
	FIXTURE(name)                                                          \
	{                                                                      \
		struct machine m;                                              \
		struct host host;                                              \
	};                                                                     \
	FIXTURE_SETUP(name)                                                    \
	{                                                                      \
		ASSERT_EQ(0, machine_create(&self->m));                        \
		if (host_watch(&self->host))                                   \
			SKIP_SETUP("%s cannot be loaded", HOSTSTATE_MODULE);   \
	}                                                                      \
	FIXTURE_TEARDOWN(name)                                                 \
	{                                                                      \
		host_expect_well(_metadata, &self->host);                      \
		machine_destroy(&self->m);                                     \
	}

#endif /* HOST_H */
