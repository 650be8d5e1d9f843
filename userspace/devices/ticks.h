/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nanoseconds and the ticks of an oscillator, without loss over centuries */
#ifndef TICKS_H
#define TICKS_H

#include <stdint.h>

#define NANOSECONDS 1000000000ull

/* ns between two interrupts of a periodic timer, so that the guest gets to run */
#define PERIOD_MIN_NS 10000

/* Whole ticks of @hertz in @time */
static inline uint64_t ticks_in(uint64_t time, uint64_t hertz)
{
	return time / NANOSECONDS * hertz +
	       time % NANOSECONDS * hertz / NANOSECONDS;
}

/* The first nanosecond at which so many have passed */
static inline uint64_t ticks_end(uint64_t ticks, uint64_t hertz)
{
	return ticks / hertz * NANOSECONDS +
	       (ticks % hertz * NANOSECONDS + hertz - 1) / hertz;
}

#endif /* TICKS_H */
