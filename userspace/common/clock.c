// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include "clock.h"

#define PERIOD_MIN (2 * NANOSECONDS / 1000) /* of a measurement */

uint64_t clock_offset;
static uint64_t first_time;
static uint64_t first_tsc;

void clock_begin(void)
{
	first_time = clock_now();
	first_tsc = __rdtsc();
}

void clock_continue(uint64_t now)
{
	uint64_t step = now - clock_now();

	clock_offset += step;
	first_time += step;
}

uint32_t clock_tsc_khz(void)
{
	uint64_t time, ticks;

	do {
		time = clock_now() - first_time;
		ticks = __rdtsc() - first_tsc;
	} while (time < PERIOD_MIN);
	return (uint32_t)((double)ticks * 1e6 / (double)time);
}
