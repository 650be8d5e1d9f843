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
#include "lib/array_size.h"
#include "signals.h"

#define REPEAT_NANOSECONDS (NANOSECONDS / 10)

static const int end_signals[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM };
/* Written by signal handlers: atomic types are lock-free. */
static atomic_int received;
static atomic_bool report_requested;
static atomic_bool save_requested;
static int end_event = -1;
static int report_event = -1;

/*
 * A write fails only if the event is signalled already; errno is the interrupted code's.
 */
static void signal_event(int fd)
{
	const uint64_t one = 1;
	int saved = errno;

	if (write(fd, &one, sizeof(one)) < 0)
		errno = saved;
}

static void on_end(int number)
{
	if (!received)
		received = number;
	signal_event(end_event);
}

static void on_report(int number)
{
	report_requested = true;
	signal_event(report_event);
}

/* A signal that was ignored when the program began stays ignored. */
static void catch_signal(int number)
{
	struct sigaction action = { .sa_handler = on_end }; /* no SA_RESTART */
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	if (number != SIGALRM && !sigaction(number, NULL, &old) &&
	    old.sa_handler == SIG_IGN)
		return;
	sigaction(number, &action, NULL);
}

int signals_open(void)
{
	sigset_t set;
	size_t i;

	end_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (end_event < 0)
		return -errno;
	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(end_signals); i++) {
		catch_signal(end_signals[i]);
		sigaddset(&set, end_signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

void signals_close(void)
{
	close(end_event);
	end_event = -1;
}

void signals_report_to(int fd)
{
	struct sigaction action = { .sa_handler = on_report };

	report_event = fd;
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
}

static void on_save(int number)
{
	save_requested = true;
	signal_event(report_event);
}

void signals_save(void)
{
	struct sigaction action = { .sa_handler = on_save };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR2, &action, NULL);
}

bool signals_save_requested(void)
{
	return atomic_exchange(&save_requested, false);
}

bool signals_report_requested(void)
{
	return atomic_exchange(&report_requested, false);
}

int signals_fd(void)
{
	return end_event;
}

int signals_received(void)
{
	return received;
}

/*
 * The timer repeats, because a signal just before a write that blocks does not interrupt
 * it.
 */
int signals_set_timeout(double seconds)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
	};
	struct itimerspec when = {
		.it_value.tv_sec = (time_t)seconds,
		.it_interval.tv_nsec = REPEAT_NANOSECONDS,
	};
	timer_t timer;

	when.it_value.tv_nsec =
		(long)((seconds - (double)when.it_value.tv_sec) * NANOSECONDS);
	if (!when.it_value.tv_sec && !when.it_value.tv_nsec)
		when.it_value.tv_nsec = 1; /* 0 would disarm the timer */
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &when, NULL))
		return -errno;
	return 0;
}
