// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdatomic.h>
#include <string.h>

#include "time_page.h"

#define NANOSECONDS 1000000000ull

/* The pages of all processors are based on the same reference. */
#define FLAG_TSC_STABLE 1

/* Each begins with a version, which is odd while the hypervisor writes. */
struct time_page {
	uint32_t version;
	uint32_t padding;
	uint64_t tsc;
	uint64_t time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct time_page) == TIME_PAGE_SIZE, "layout of Linux");

struct wall_clock {
	uint32_t version;
	uint32_t seconds;
	uint32_t nanoseconds;
};
_Static_assert(sizeof(struct wall_clock) == WALL_CLOCK_SIZE, "layout of Linux");

struct time_scale time_scale(uint32_t khz)
{
	struct time_scale scale = { .shift = 31 };
	double per_tick = 1e6 / khz; /* ns */
	double multiplier = per_tick * 2; /* * 2^32, with a shift of 31 */

	/* The largest multiplier below 2^32 is the most precise one. */
	while (multiplier < 0x1p31 && scale.shift > -31) {
		multiplier *= 2;
		scale.shift--;
	}
	scale.multiplier = multiplier;
	return scale;
}

/* Write a struct that begins with its version, which is not copied. */
static void publish(void *at, const void *content, size_t size)
{
	_Atomic uint32_t *version = at;

	atomic_fetch_or(version, 1);
	memcpy((char *)at + sizeof(*version),
	       (const char *)content + sizeof(*version),
	       size - sizeof(*version));
	atomic_fetch_add(version, 1);
}

void time_page_write(void *at, const struct time_reference *reference)
{
	const struct time_scale scale = time_scale(reference->khz);
	const struct time_page content = {
		.tsc = reference->tsc,
		.time = reference->time,
		.multiplier = scale.multiplier,
		.shift = scale.shift,
		.flags = reference->stable ? FLAG_TSC_STABLE : 0,
	};

	publish(at, &content, sizeof(content));
}

void wall_clock_write(void *at, uint64_t start)
{
	const struct wall_clock content = {
		.seconds = start / NANOSECONDS,
		.nanoseconds = start % NANOSECONDS,
	};

	publish(at, &content, sizeof(content));
}
