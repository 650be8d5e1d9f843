/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory map as a PC's BIOS gives it (INT 15h, AX=E820h; ACPI 6.4, 15.1) */
#ifndef SVMRUN_E820_H
#define SVMRUN_E820_H

#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_E820_MEMORY   1
#define SVMRUN_E820_RESERVED 2

#define SVMRUN_E820_LOW_END  0x9fc00ull /* of conventional memory; the EBDA */
#define SVMRUN_E820_BIOS     0xe0000ull /* ACPI tables and BIOS */
#define SVMRUN_E820_HIGH     0x100000ull /* extended memory */
#define SVMRUN_E820_HOLE     0xc0000000ull /* up to 4 GiB: devices */
#define SVMRUN_E820_ABOVE    0x100000000ull /* more memory */

/* Entries that always suffice */
#define SVMRUN_E820_ENTRIES  5

/**
 * struct svmrun_e820_entry - a range of guest physical addresses
 * @base: where it begins
 * @size: bytes
 * @type: SVMRUN_E820_*
 *
 * It never grows.
 */
struct svmrun_e820_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

/**
 * svmrun_e820_build() - the map of a PC with this memory
 * @memories: one from 0 on, of 1 MiB to 3 GiB; and perhaps one from 4 GiB on
 * @count: how many: 1 or 2
 * @entries: filled in, in ascending order
 * @capacity: number of entries that @entries has room for; SVMRUN_E820_ENTRIES suffice
 *
 * Conventional memory, the EBDA, ACPI tables and BIOS, memory from 1 MiB on,
 * memory from 4 GiB on. What no entry has is no memory.
 *
 * Return: how many entries, or -EINVAL if @memories are not as said, -ENOSPC if
 * there is not room for all entries.
 */
int svmrun_e820_build(const struct svmrun_memory *memories, size_t count,
		      struct svmrun_e820_entry *entries, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_E820_H */
