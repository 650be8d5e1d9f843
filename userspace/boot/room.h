/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a loader may put things: conventional memory, and memory from 1 MiB on.
 * What is occupied of each is one span, which only grows: what lies between two
 * segments of a kernel is the kernel's.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stdint.h>

#define ROOM_PAGE 4096ull

/**
 * struct room_zone - a range of memory
 * @start: its first byte; never 0
 * @end: the first byte behind it
 * @first: the first byte that is occupied
 * @last: the first byte that is not any more; @first if none is occupied
 */
struct room_zone {
	uint64_t start;
	uint64_t end;
	uint64_t first;
	uint64_t last;
};

/**
 * struct room - both
 * @low: conventional memory, without the page of interrupt vectors and BIOS data
 * @high: memory from 1 MiB on
 */
struct room {
	struct room_zone low;
	struct room_zone high;
};

/* @size: of the memory that begins at 0; at least 1 MiB */
struct room room_of(uint64_t size);

/* False, and nothing is occupied, if it is not wholly inside either zone. */
bool room_occupy(struct room *room, uint64_t address, uint64_t size);

/*
 * Free bytes behind what is occupied or, if there are too few, before it; they
 * are occupied then. @align is a power of two. 0 if there are none.
 */
uint64_t room_take(struct room_zone *zone, uint64_t size, uint64_t align);

/* The highest page from which there are @size free bytes below @limit, or 0 */
uint64_t room_take_highest(struct room_zone *zone, uint64_t size,
			   uint64_t limit);

#endif /* ROOM_H */
