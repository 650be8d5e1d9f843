/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversion between nanoseconds and ticks of an oscillator, exact for centuries */
#ifndef TICKS_H
#define TICKS_H

#include <stdbool.h>
#include <stdint.h>

#define NANOSECONDS 1000000000ull

/* Minimum ns between two interrupts of a periodic timer, so that the guest can run */
#define PERIOD_MIN_NS 10000

/*
 * Interrupts of a periodic timer that a guest gets later, if it or the host was late.
 * MISSED_BURST of them may follow each other at once, and then one per period: a guest
 * that is slower than its timer would have no time left besides its interrupts.
 */
#define MISSED_MAX 1000
#define MISSED_BURST 8

/* Note that a period has ended, and that @count others have no interrupt of their own. */
static inline void ticks_end_period(uint32_t *missed, uint32_t *credit,
				    uint64_t count)
{
	if (count > MISSED_MAX - *missed)
		count = MISSED_MAX - *missed;
	*missed += count;
	if (*credit < MISSED_BURST)
		++*credit;
}

/* Return whether a missed interrupt may be raised now. */
static inline bool ticks_catch_up(uint32_t *missed, uint32_t *credit)
{
	if (!*missed || !*credit)
		return false;
	--*missed;
	--*credit;
	return true;
}

/* Number of whole ticks of @hertz in @time */
static inline uint64_t ticks_in(uint64_t time, uint64_t hertz)
{
	return time / NANOSECONDS * hertz +
	       time % NANOSECONDS * hertz / NANOSECONDS;
}

/* The first nanosecond at which @ticks of @hertz have passed */
static inline uint64_t ticks_end(uint64_t ticks, uint64_t hertz)
{
	return ticks / hertz * NANOSECONDS +
	       (ticks % hertz * NANOSECONDS + hertz - 1) / hertz;
}

#endif /* TICKS_H */
