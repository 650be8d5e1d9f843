// SPDX-License-Identifier: GPL-2.0
/*
 * Several VMs, vCPUs and processors at the same time: parallel runs, kicks,
 * migration between processors, shared memory, and CPU hotplug
 */
#include "runner.h"

#define CPU1_ONLINE "/sys/devices/system/cpu/cpu1/online"
#define ROUNDS 20000

GUEST(count, 64, COUNT_LOOP);
GUEST(halt, 64, "hlt");
GUEST(count_rounds, 64,
      "mov $20000, %ecx\n 1: lock incl 0xa000\n"
      "loop 1b\n hlt");

FIXTURE(smp)
{
	struct machine m;
};

FIXTURE_SETUP(smp)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP_SETUP("only one CPU");
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(smp)
{
	machine_destroy(&self->m);
}

/* The second guest counts while the first one runs. */
TEST_F(smp, two_vms_at_once)
{
	struct machine other;
	struct runner first, second;

	ASSERT_EQ(0, machine_create(&other));
	MACHINE_LOAD(&self->m, MODE_LONG, count);
	MACHINE_LOAD(&other, MODE_LONG, count);
	ASSERT_EQ(0, runner_start(&first, &self->m.vcpu));
	ASSERT_EQ(0, runner_start(&second, &other.vcpu));
	ASSERT_EQ(0, pin(first.thread, 0));
	ASSERT_EQ(0, pin(second.thread, 1));
	for (int i = 0; i < 20; i++) {
		machine_wait_counting(&self->m);
		machine_wait_counting(&other);
	}
	EXPECT_EQ(0, runner_kick(&first));
	EXPECT_EQ(-EINTR, runner_join(&first));
	machine_wait_counting(&other);
	EXPECT_EQ(0, runner_kick(&second));
	EXPECT_EQ(-EINTR, runner_join(&second));
	machine_destroy(&other);
}

TEST_F(smp, two_vcpus_count_together)
{
	struct svmrun_vcpu other;
	struct runner first, second;

	ASSERT_EQ(0, svmrun_vcpu_create(&other, &self->m.vm));
	MACHINE_LOAD(&self->m, MODE_LONG, count_rounds);
	ASSERT_EQ(0, vcpu_begin(&self->m, &other, MODE_LONG));
	ASSERT_EQ(0, runner_start(&first, &self->m.vcpu));
	ASSERT_EQ(0, runner_start(&second, &other));
	EXPECT_EQ(0, runner_join(&first));
	EXPECT_EQ(0, runner_join(&second));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(VMEXIT_HLT, other.vmcb->control.exitcode);
	EXPECT_EQ(2 * ROUNDS, *machine_counter(&self->m));
	svmrun_vcpu_destroy(&other);
}

TEST_F(smp, kick_across_processors)
{
	struct runner runner;

	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, pin(pthread_self(), 0));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
		ASSERT_EQ(0, pin(runner.thread, 1));
		if (i % 2)
			machine_wait_counting(&self->m);
		ASSERT_EQ(0, runner_kick(&runner));
		ASSERT_EQ(-EINTR, runner_join(&runner));
	}
}

static void *spin_until(void *stop)
{
	while (!*(volatile bool *)stop)
		;
	return NULL;
}

/*
 * A kick that arrives while the thread waits for its CPU does not end the next run.
 */
TEST_F(smp, kick_ends_one_run)
{
	struct runner runner;
	bool stop = false;
	pthread_t busy;

	ASSERT_EQ(0, pthread_create(&busy, NULL, spin_until, &stop));
	ASSERT_EQ(0, pin(busy, 1));
	ASSERT_EQ(0, pin(pthread_self(), 0));
	for (int i = 0; i < 50; i++) {
		MACHINE_LOAD(&self->m, MODE_LONG, count);
		ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
		ASSERT_EQ(0, pin(runner.thread, 1));
		usleep(3000 + 500 * i % 7000);
		ASSERT_EQ(0, runner_kick(&runner));
		ASSERT_EQ(-EINTR, runner_join(&runner));
		MACHINE_LOAD(&self->m, MODE_LONG, halt);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
	}
	stop = true;
	pthread_join(busy, NULL);
}

#define KICKERS 8

struct storm {
	struct svmrun_vcpu *vcpu;
	pthread_t thread[KICKERS];
	volatile bool stop;
};

static void *kick_always(void *argument)
{
	struct storm *storm = argument;

	while (!storm->stop)
		call(storm->vcpu->fd, SVMRUN_KICK, NULL);
	return NULL;
}

/* A thread leaves RUN however many others kick its vCPU. */
TEST_F(smp, kicks_do_not_hold_the_thread)
{
	struct storm storm = { .vcpu = &self->m.vcpu };

	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, pin(pthread_self(), 0));
	for (int i = 0; i < KICKERS; i++) {
		ASSERT_EQ(0, pthread_create(&storm.thread[i], NULL, kick_always,
					    &storm));
		ASSERT_EQ(0, pin(storm.thread[i], 1));
	}
	for (int i = 0; i < 200; i++)
		ASSERT_EQ(-EINTR, machine_run(&self->m));
	storm.stop = true;
	for (int i = 0; i < KICKERS; i++)
		pthread_join(storm.thread[i], NULL);
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	/* A kick after the last run ends this one. */
	if (machine_run(&self->m))
		ASSERT_EQ(0, machine_run(&self->m));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
}

TEST_F(smp, moved_between_processors)
{
	struct runner runner;

	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, pin(runner.thread, i % 2));
		machine_wait_counting(&self->m);
	}
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
}

/* When munmap() returns, the other processor has no translations either. */
TEST_F(smp, memory_taken_away_on_the_other_processor)
{
	struct svmrun_vcpu other;
	struct runner first, second;

	ASSERT_EQ(0, svmrun_vcpu_create(&other, &self->m.vm));
	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, vcpu_begin(&self->m, &other, MODE_LONG));
	ASSERT_EQ(0, runner_start(&first, &self->m.vcpu));
	ASSERT_EQ(0, runner_start(&second, &other));
	ASSERT_EQ(0, pin(first.thread, 0));
	ASSERT_EQ(0, pin(second.thread, 1));
	for (int i = 0; i < 20; i++)
		machine_wait_counting(&self->m);
	ASSERT_EQ(0, munmap((void *)machine_counter(&self->m), PAGE));
	EXPECT_EQ(-EFAULT, runner_join(&first));
	EXPECT_EQ(-EFAULT, runner_join(&second));
	svmrun_vcpu_destroy(&other);
}

/* ---- CPU hotplug --------------------------------------------------------- */

static int cpu1_set_online(char online)
{
	int fd = open(CPU1_ONLINE, O_WRONLY), written;

	if (fd < 0)
		return -errno;
	written = write(fd, &online, 1);
	written = written < 0 ? -errno : 0;
	close(fd);
	return written;
}

TEST_F(smp, processor_offline_with_vm_alive)
{
	struct runner runner;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, "CPUs cannot be taken offline");
	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	ASSERT_EQ(0, pin(runner.thread, 1));
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, cpu1_set_online('0'));
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, cpu1_set_online('1'));
	EXPECT_EQ(0, pin(runner.thread, 1));
	for (int i = 0; i < 20; i++)
		machine_wait_counting(&self->m);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
}

TEST_F(smp, vm_created_with_processor_offline)
{
	struct machine late;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, "CPUs cannot be taken offline");
	machine_destroy(&self->m);
	ASSERT_EQ(0, cpu1_set_online('0'));
	EXPECT_EQ(0, machine_create(&self->m));
	EXPECT_EQ(0, machine_create(&late));
	EXPECT_EQ(0, cpu1_set_online('1'));
	EXPECT_EQ(0, pin(pthread_self(), 1));
	MACHINE_LOAD(&late, MODE_LONG, count_rounds);
	ASSERT_EXIT(VMEXIT_HLT, &late);
	machine_destroy(&late);
}

TEST_HARNESS_MAIN
