/* SPDX-License-Identifier: GPL-2.0 */
/* The machine's clock: nanoseconds that only go forward. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define NANOSECONDS 1000000000ull

static inline uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

static inline struct timespec clock_timespec(uint64_t time)
{
	return (struct timespec){ .tv_sec = (time_t)(time / NANOSECONDS),
				  .tv_nsec = (long)(time % NANOSECONDS) };
}

/* Begins to measure the time stamp counter's frequency. */
void clock_begin(void);

/* In kHz: the better the later it is asked for, and at first 2 ms late. */
uint32_t clock_tsc_khz(void);

#endif /* CLOCK_H */
