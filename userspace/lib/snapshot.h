/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layout of a snapshot's memories in its memfd: one after the other, each at a multiple
 * of 64 pages. So each word of a bitmap with one bit per page belongs to a single memory,
 * and the kernel's dirty log of a memory can be written to its place in the bitmap.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <svmrun.h>

#include "x86.h"

#define PAGES_PER_WORD 64ul /* in a bitmap with one bit per page */

/* Size that a memory takes in the memfd */
static inline size_t snapshot_extent(const struct svmrun_memory *memory)
{
	return (memory->size + PAGES_PER_WORD * PAGE_SIZE - 1) &
	       -(PAGES_PER_WORD * PAGE_SIZE);
}

/* Set @memories to their places in @view, a mapping of the memfd. */
static inline void snapshot_set_views(const struct svmrun_snapshot *snapshot,
				      struct svmrun_memory *memories,
				      void *view)
{
	uint8_t *at = view;
	size_t i;

	for (i = 0; i < snapshot->memory_count; i++) {
		memories[i] = (struct svmrun_memory){
			.base = at,
			.gpa = snapshot->memories[i].gpa,
			.size = snapshot->memories[i].size,
		};
		at += snapshot_extent(&memories[i]);
	}
}

#endif /* SNAPSHOT_H */
