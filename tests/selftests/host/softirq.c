// SPDX-License-Identifier: GPL-2.0
/* Softirqs of the host run on a CPU while a guest runs there. */
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "runner.h"

#define CPU 1
#define TIMES 20
#define EACH_MS 40
/* Softirqs run after a tick. A CPU that delays them would be late each time. */
#define LATE_MS (TIMES * EACH_MS + 1000)

GUEST(count, 64, COUNT_LOOP);

MACHINE_FIXTURE(softirq);

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

struct waiter {
	pthread_t thread;
	int socket;
	int times; /* number of time-outs */
	int64_t took; /* in ms; 0 while waiting */
};

/* Wait with a time-out that the CPU counts in ticks and handles in a softirq. */
static void *waiter_main(void *argument)
{
	struct waiter *waiter = argument;
	int64_t begin = now_ms();
	char byte;

	if (cpu_pin(CPU))
		return NULL;
	for (int i = 0; i < TIMES; i++)
		waiter->times += recv(waiter->socket, &byte, 1, 0) == -1 &&
				 errno == EAGAIN;
	__atomic_store_n(&waiter->took, now_ms() - begin, __ATOMIC_RELEASE);
	return NULL;
}

static int waiter_start(struct waiter *waiter)
{
	struct timeval limit = { .tv_usec = EACH_MS * 1000 };

	*waiter = (struct waiter){
		.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	};
	if (waiter->socket < 0 ||
	    setsockopt(waiter->socket, SOL_SOCKET, SO_RCVTIMEO, &limit,
		       sizeof(limit)))
		return -errno;
	return -pthread_create(&waiter->thread, NULL, waiter_main, waiter);
}

/* Wait for the thread, but no longer than allowed, while the guest runs. */
static void waiter_watch(const struct waiter *waiter)
{
	int64_t end = now_ms() + LATE_MS;

	while (!__atomic_load_n(&waiter->took, __ATOMIC_ACQUIRE) &&
	       now_ms() < end)
		usleep(10000);
}

TEST_F(softirq, time_outs_where_a_guest_runs)
{
	struct runner runner;
	struct waiter waiter;

	if (sysconf(_SC_NPROCESSORS_ONLN) <= CPU)
		SKIP(return, "only one CPU");
	ASSERT_EQ(0, cpu_pin(CPU));
	MACHINE_LOAD(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, waiter_start(&waiter));
	waiter_watch(&waiter);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	ASSERT_EQ(0, pthread_join(waiter.thread, NULL));
	EXPECT_EQ(TIMES, waiter.times);
	EXPECT_LE(TIMES * EACH_MS, waiter.took);
	EXPECT_GT(LATE_MS, waiter.took);
	close(waiter.socket);
}

TEST_HARNESS_MAIN
