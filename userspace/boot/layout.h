/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layout of guest memory for loaders: conventional memory, and memory from 1 MiB on. The
 * occupied part of each is a single range that only grows, so that nothing is placed
 * between two segments of a kernel.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/x86.h"

/**
 * struct layout_zone - a range of memory
 * @start: its first byte; never 0
 * @end: the first byte after it
 * @first: the first occupied byte
 * @last: the first byte after the occupied ones; @first if none is occupied
 */
struct layout_zone {
	uint64_t start;
	uint64_t end;
	uint64_t first;
	uint64_t last;
};

/**
 * struct layout - both ranges
 * @low: conventional memory, without the page of interrupt vectors and BIOS data
 * @high: memory from 1 MiB on
 */
struct layout {
	struct layout_zone low;
	struct layout_zone high;
};

/* Return the layout of @size bytes of free memory from address 0 on, at least 1 MiB. */
struct layout layout_of(uint64_t size);

/*
 * Occupy a range. Return false if it is not wholly inside one zone; the upper one includes
 * the last 32 KiB below 1 MiB here.
 */
bool layout_occupy(struct layout *layout, uint64_t address, uint64_t size);

/*
 * Occupy @size free bytes after the occupied range or, if there is no room, before it.
 * @align is a power of two. Return the address, or 0 if there is no room.
 */
uint64_t layout_take(struct layout_zone *zone, uint64_t size, uint64_t align);

/* Occupy @size free bytes at the highest page below @limit. Return the address, or 0. */
uint64_t layout_take_highest(struct layout_zone *zone, uint64_t size,
			     uint64_t limit);

/*
 * Is this a loader's error for parts that do not fit into a layout: -ERANGE, -EFBIG or
 * -E2BIG? If they fit into the largest memory, the loader returns -ENOMEM instead.
 */
bool layout_is_short(int error);

#endif /* LAYOUT_H */
