/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's clock, in nanoseconds, and the frequency of the time stamp counter. The
 * clock is CLOCK_MONOTONIC, or differs from it by a constant, if the machine has been
 * resumed.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define NANOSECONDS 1000000000ull

/* Offset of the machine's time from CLOCK_MONOTONIC, in nanoseconds, modulo 2^64 */
extern uint64_t clock_offset;

static inline uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec +
	       clock_offset;
}

/*
 * Return a time as one of CLOCK_MONOTONIC. It is not 0, which would disarm a timer, and not
 * before the host's boot.
 */
static inline struct timespec clock_timespec(uint64_t time)
{
	if (time > INT64_MAX)
		time = INT64_MAX;
	else
		time -= clock_offset;
	if (!time || time > INT64_MAX)
		time = 1;
	return (struct timespec){ .tv_sec = (time_t)(time / NANOSECONDS),
				  .tv_nsec = (long)(time % NANOSECONDS) };
}

/* Continue the clock from a time. No other thread may use the clock yet. */
void clock_continue(uint64_t now);

/* Begin to measure the frequency of the time stamp counter. */
void clock_begin(void);

/*
 * Return it in kHz. It becomes more accurate with time; the first call takes up to 2 ms.
 */
uint32_t clock_tsc_khz(void);

#endif /* CLOCK_H */
