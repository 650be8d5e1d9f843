// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "stop.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define AGAIN_NANOSECONDS (NANOSECONDS / 10)

static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM };
static atomic_int reason; /* lock-free: a signal handler may use it */
static int event = -1;
static int question = -1; /* whom to tell that something is asked */
static atomic_bool asked;

/* From a signal handler. It can only fail where it is high already. */
static void raise_event(int fd)
{
	const uint64_t one = 1;
	int saved = errno;

	if (write(fd, &one, sizeof(one)) < 0)
		errno = saved;
}

static void stop(int number)
{
	if (!reason)
		reason = number;
	raise_event(event);
}

static void ask(int number)
{
	asked = true;
	raise_event(question);
}

/* One that was ignored when the program began is meant to stay so. */
static void catch_signal(int number)
{
	struct sigaction action = { .sa_handler = stop }; /* no SA_RESTART */
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	if (number != SIGALRM && !sigaction(number, NULL, &old) &&
	    old.sa_handler == SIG_IGN)
		return;
	sigaction(number, &action, NULL);
}

int stop_begin(void)
{
	sigset_t set;
	size_t i;

	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		catch_signal(signals[i]);
		sigaddset(&set, signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

void stop_end(void)
{
	close(event);
	event = -1;
}

void stop_ask_at(int fd)
{
	struct sigaction action = { .sa_handler = ask };

	question = fd;
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
}

bool stop_asked(void)
{
	return atomic_exchange(&asked, false);
}

int stop_fd(void)
{
	return event;
}

int stop_reason(void)
{
	return reason;
}

/* Repeated, for a signal that lands just before a write that blocks. */
int stop_after(double seconds)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
	};
	struct itimerspec when = {
		.it_value.tv_sec = (time_t)seconds,
		.it_interval.tv_nsec = AGAIN_NANOSECONDS,
	};
	timer_t timer;

	when.it_value.tv_nsec =
		(long)((seconds - (double)when.it_value.tv_sec) * NANOSECONDS);
	if (!when.it_value.tv_sec && !when.it_value.tv_nsec)
		when.it_value.tv_nsec = 1; /* 0 would disarm it */
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &when, NULL))
		return -errno;
	return 0;
}
