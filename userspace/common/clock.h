/* SPDX-License-Identifier: GPL-2.0 */
/* The monotonic clock, in nanoseconds, and the frequency of the time stamp counter */
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

/* Begin to measure the frequency of the time stamp counter. */
void clock_begin(void);

/*
 * Return it in kHz. It becomes more accurate with time; the first call takes up to 2 ms.
 */
uint32_t clock_tsc_khz(void);

#endif /* CLOCK_H */
