/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversion between nanoseconds and ticks of an oscillator, exact for centuries */
#ifndef TICKS_H
#define TICKS_H

#include <stdint.h>

#define NANOSECONDS 1000000000ull

/* Minimum ns between two interrupts of a periodic timer, so that the guest can run */
#define PERIOD_MIN_NS 10000

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
