// SPDX-License-Identifier: LGPL-2.1-or-later
/* The memory map of a PC */
#include <errno.h>
#include <stdbool.h>

#include <svmrun/e820.h>

#define LOW_END SVMRUN_E820_LOW_END
#define EBDA_END 0xa0000ull
#define BIOS SVMRUN_E820_BIOS
#define HIGH SVMRUN_E820_HIGH

static bool is_low(const struct svmrun_memory *memory)
{
	return !memory->gpa && memory->size >= HIGH &&
	       memory->size <= SVMRUN_E820_HOLE;
}

static bool is_above(const struct svmrun_memory *memory)
{
	return memory->gpa >= SVMRUN_E820_ABOVE &&
	       memory->size <= UINT64_MAX - memory->gpa;
}

static bool are_pc_memories(const struct svmrun_memory *memories, size_t count)
{
	if (count == 1)
		return is_low(memories);
	return count == 2 && is_low(memories) && is_above(memories + 1);
}

int svmrun_e820_build(const struct svmrun_memory *memories, size_t count,
		      struct svmrun_e820_entry *entries, size_t capacity)
{
	struct svmrun_e820_entry all[SVMRUN_E820_ENTRIES] = {
		{ 0, LOW_END, SVMRUN_E820_MEMORY },
		{ LOW_END, EBDA_END - LOW_END, SVMRUN_E820_RESERVED },
		{ BIOS, HIGH - BIOS, SVMRUN_E820_RESERVED },
		{ HIGH, 0, SVMRUN_E820_MEMORY },
		{ 0, 0, SVMRUN_E820_MEMORY },
	};
	size_t i, built = 0;

	if (!are_pc_memories(memories, count))
		return -EINVAL;
	all[3].size = memories[0].size - HIGH;
	if (count > 1) {
		all[4].base = memories[1].gpa;
		all[4].size = memories[1].size;
	}
	for (i = 0; i < SVMRUN_E820_ENTRIES; i++) {
		if (!all[i].size)
			continue;
		if (built == capacity)
			return -ENOSPC;
		entries[built++] = all[i];
	}
	return built;
}
