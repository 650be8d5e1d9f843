/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory map of a PC as its BIOS reports it (INT 15h, AX=E820h; ACPI 6.4, 15.1) */
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

#define SVMRUN_E820_LOW_END  0x9fc00ull /* end of conventional memory; EBDA */
#define SVMRUN_E820_BIOS     0xe0000ull /* ACPI tables and BIOS */
#define SVMRUN_E820_HIGH     0x100000ull /* extended memory */
#define SVMRUN_E820_HOLE     0xc0000000ull /* devices, up to 4 GiB */
#define SVMRUN_E820_ABOVE    0x100000000ull /* memory above 4 GiB */

/* Number of entries that suffices for every map */
#define SVMRUN_E820_ENTRIES  5

/**
 * struct svmrun_e820_entry - a range of guest physical addresses
 * @base: its first address
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
 * svmrun_e820_build() - build the memory map of a PC
 * @memories: the first one starts at address 0 and has 1 MiB to 3 GiB; a second one
 *	starts at 4 GiB or above
 * @count: number of @memories, 1 or 2
 * @entries: filled in, in ascending order
 * @capacity: number of entries that @entries has room for; SVMRUN_E820_ENTRIES suffice
 *
 * The entries are conventional memory, the EBDA, ACPI tables and BIOS, memory from 1 MiB
 * on, and memory from 4 GiB on. Addresses in no entry have no memory.
 *
 * Return: the number of entries, or a negative errno; -EINVAL: @memories are not as
 * described; -ENOSPC: @capacity is too small.
 */
int svmrun_e820_build(const struct svmrun_memory *memories, size_t count,
		      struct svmrun_e820_entry *entries, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_E820_H */
