/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memories of a guest, as an array */
#ifndef MEMORIES_H
#define MEMORIES_H

#include <svmrun.h>

/*
 * Return the pointer to a guest physical address, NULL if no memory has the whole range.
 * Inline, because page tables are walked with it.
 */
static inline void *memories_at(const struct svmrun_memory *memories,
				size_t count, uint64_t gpa, size_t size)
{
	const struct svmrun_memory *memory;
	uint64_t offset;

	for (memory = memories; memory < memories + count; memory++) {
		offset = gpa - memory->gpa; /* too large if @gpa is below */
		if (offset <= memory->size && size <= memory->size - offset)
			return (char *)memory->base + offset;
	}
	return NULL;
}

#endif /* MEMORIES_H */
