/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A child process whose guests never end: each vCPU increments its own counter,
 * with interrupts off, in memory that is shared with the test.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/wait.h>

#include "files.h"
#include "host.h"
#include "runner.h"

#define CHILD_MAX_VCPUS 16

struct child {
	pid_t pid;
	int vcpus;
	volatile uint64_t *counters;
	long users; /* the module's reference count before the child started */
};

/* RBX: address of the counter */
GUEST(child_guest, 64, "cli\n 1: incq (%rbx)\n jmp 1b");

static inline long module_users(void)
{
	return file_number("/sys/module/svmrun/refcnt");
}

static inline void child_run(struct svmrun_vcpu *vcpu)
{
	while (call(vcpu->fd, SVMRUN_RUN, NULL) == -EINTR)
		;
	_exit(1);
}

static inline void *child_vcpu_main(void *vcpu)
{
	child_run(vcpu);
	return NULL;
}

/* Create a machine whose guest counts in @counters, which is one page. */
static inline int child_machine_create(struct machine *m,
				       volatile uint64_t *counters)
{
	int err = machine_create(m);

	if (!err)
		err = machine_unmap(m, MACHINE_DATA, PAGE);
	if (!err)
		err = machine_map(m, MACHINE_DATA, (void *)counters, PAGE,
				  MAP_ALL);
	if (!err)
		err = MACHINE_LOAD(m, MODE_LONG, child_guest);
	m->vcpu.regs->rbx = MACHINE_DATA;
	return err;
}

/* All vCPUs are created before the first one runs. */
static inline int child_add_vcpus(struct machine *m, struct svmrun_vcpu *vcpus,
				  int count)
{
	int err = 0;

	for (int i = 0; !err && i < count; i++) {
		err = svmrun_vcpu_create(&vcpus[i], &m->vm);
		if (!err)
			err = vcpu_begin(m, &vcpus[i], MODE_LONG);
		if (!err)
			vcpus[i].regs->rbx = MACHINE_DATA + 8 * (i + 1);
	}
	return err;
}

/* The guests are distributed over the CPUs; the main thread runs the first. */
static inline void child_main(volatile uint64_t *counters, int vcpus)
{
	struct svmrun_vcpu others[CHILD_MAX_VCPUS];
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct machine m;
	pthread_t thread;

	if (child_machine_create(&m, counters) ||
	    child_add_vcpus(&m, others, vcpus - 1))
		_exit(1);
	for (int i = 0; i < vcpus - 1; i++)
		if (cpu_pin((i + 1) % cpus) ||
		    pthread_create(&thread, NULL, child_vcpu_main, &others[i]))
			_exit(1);
	if (!cpu_pin(0))
		child_run(&m.vcpu);
	_exit(1);
}

static inline volatile uint64_t *counters_new(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline void wait_counting(volatile uint64_t *counter)
{
	uint64_t before = *counter;

	while (*counter == before)
		usleep(1000);
}

static inline void child_wait_counting(struct child *child)
{
	for (int i = 0; i < child->vcpus; i++)
		wait_counting(&child->counters[i]);
}

/*
 * Return whether a guest counts within 200 ms, long enough for each to be
 * scheduled.
 */
static inline bool child_counts(struct child *child)
{
	uint64_t before[CHILD_MAX_VCPUS];
	bool counts = false;

	for (int i = 0; i < child->vcpus; i++)
		before[i] = child->counters[i];
	usleep(200 * 1000);
	for (int i = 0; i < child->vcpus; i++)
		counts |= child->counters[i] != before[i];
	return counts;
}

/* Return when all guests of the child are running. */
static inline int child_start(struct child *child, int vcpus)
{
	child->vcpus = vcpus;
	child->users = module_users();
	child->counters = counters_new();
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (!child->pid)
		child_main(child->counters, vcpus);
	child_wait_counting(child);
	return 0;
}

/*
 * Expect that the module is released within five seconds, and that every CPU still
 * runs guests.
 */
static inline void expect_released(struct __test_metadata *_metadata,
				   long users)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < 500 && module_users() != users; i++)
		usleep(10 * 1000);
	EXPECT_EQ(users, module_users());
	for (int cpu = 0; cpu < cpus; cpu++)
		EXPECT_TRUE(host_runs_guest(cpu));
}

#endif /* CHILD_H */
