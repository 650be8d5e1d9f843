/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory from address 0 on, without a VM, filled with GUEST_RAM_RUBBISH at first */
#ifndef GUEST_RAM_H
#define GUEST_RAM_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <svmrun.h>

#define GUEST_RAM_SIZE (2ul << 20)
#define GUEST_RAM_RUBBISH 0xa5

static inline struct svmrun_memory guest_ram_of(size_t size)
{
	void *bytes = aligned_alloc(4096, size);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, GUEST_RAM_RUBBISH, size);
	return (struct svmrun_memory){ .base = bytes, .size = size };
}

static inline struct svmrun_memory guest_ram(void)
{
	return guest_ram_of(GUEST_RAM_SIZE);
}

static inline void guest_ram_free(struct svmrun_memory *ram)
{
	free(ram->base);
}

static inline void *guest_ram_at(const struct svmrun_memory *ram, uint64_t gpa,
				 size_t size)
{
	void *at = svmrun_memory_at(ram, gpa, size);

	ck_assert_ptr_nonnull(at);
	return at;
}

/* Return whether none of the @size bytes at @gpa has been written. */
static inline bool guest_ram_is_rubbish(const struct svmrun_memory *ram,
					uint64_t gpa, size_t size)
{
	const uint8_t *at = guest_ram_at(ram, gpa, size);

	return !size ||
	       (at[0] == GUEST_RAM_RUBBISH && !memcmp(at, at + 1, size - 1));
}

/* Copy an image to an allocation of its size, so that the sanitizer detects overruns. */
static inline void *guest_ram_image(const void *bytes, size_t size)
{
	void *copy = malloc(size);

	ck_assert(copy || !size);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

#endif /* GUEST_RAM_H */
