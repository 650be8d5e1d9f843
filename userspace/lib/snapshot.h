/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a snapshot's memories lie in its memfd: one behind the other, each from a
 * multiple of 64 pages on. So a word of a bitmap that has a bit a page is one
 * memory's alone, and the kernel's log of a memory fits in where it belongs.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <svmrun.h>

#include "x86.h"

#define PAGES_PER_WORD 64ul /* pages that a word of a bitmap is for */

/* Bytes of the memfd that are a memory's */
static inline size_t snapshot_extent(const struct svmrun_memory *memory)
{
	return (memory->size + PAGES_PER_WORD * PAGE_SIZE - 1) &
	       -(PAGES_PER_WORD * PAGE_SIZE);
}

/* @view: where the memfd is mapped */
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
