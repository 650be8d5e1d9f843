/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of a machine: ranges of the program's memory that are mapped into it */
#ifndef NVMM_MEMORY_H
#define NVMM_MEMORY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

/**
 * struct region - a mapped range
 * @memory: the range
 * @prot: PROT_*
 */
struct region {
	struct svmrun_memory memory;
	int prot;
};

/**
 * struct view - the regions at one time, as the emulator needs them
 * @references: users, of which the machine is one; guarded by the lock of struct memory
 * @count: number of @memories
 * @rom_count: those at the end that the guest cannot write to
 * @memories: the regions
 *
 * It never changes, so that callbacks of an emulated instruction can change the mappings,
 * and other vCPUs need not wait.
 */
struct view {
	unsigned int references;
	size_t count;
	size_t rom_count;
	struct svmrun_memory memories[];
};

/**
 * struct memory - the memory of a machine
 * @lock: guards the other members
 * @ranges: ranges of the program that can be mapped; @gpa is not used
 * @range_count: how many
 * @regions: mapped ranges
 * @region_count: how many
 * @view: the regions for the emulator
 */
struct memory {
	pthread_mutex_t lock;
	struct svmrun_memory *ranges;
	size_t range_count;
	struct region *regions;
	size_t region_count;
	struct view *view;
};

/* Return 0 or a negative errno. */
int memory_init(struct memory *memory);
void memory_destroy(struct memory *memory);

/* Get the present view, and release it. */
struct view *memory_view_get(struct memory *memory);
void memory_view_put(struct memory *memory, struct view *view);

#endif /* NVMM_MEMORY_H */
