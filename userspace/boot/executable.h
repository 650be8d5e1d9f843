/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ELF executables for x86, 32-bit and 64-bit, loaded at physical addresses */
#ifndef EXECUTABLE_H
#define EXECUTABLE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#include "layout.h"

/**
 * struct executable - an image with valid headers
 * @bytes: contents of the file
 * @size: bytes
 * @wide: it is ELF64
 * @entry: virtual address of the entry point
 * @table: offset of the program headers
 * @count: number of program headers
 */
struct executable {
	const uint8_t *bytes;
	size_t size;
	bool wide;
	uint64_t entry;
	uint64_t table;
	unsigned int count;
};

/* Return a pointer to a range of the file, or NULL if it is not wholly inside. */
const void *executable_at(const struct executable *executable, uint64_t offset,
			  uint64_t size);

/*
 * Check the headers. Return 0 or a negative errno; -ENOEXEC: not a little-endian
 * executable; -EMEDIUMTYPE: not for x86; -ENODATA: the headers are truncated.
 */
int executable_open(struct executable *executable, const void *image,
		    size_t size);

/* Return a program header, converted to ELF64. */
Elf64_Phdr executable_segment(const struct executable *executable,
			      unsigned int index);

/*
 * Find a note by its name and type. Return its description, which need not be aligned, and
 * store the size of the description; or return NULL.
 */
const void *executable_note(const struct executable *executable,
			    const char *name, uint32_t type, uint32_t *size);

/*
 * Occupy the memory of the segments. Return 0 or a negative errno; -ENOEXEC: a segment
 * has more bytes in the file than in memory, or all segments have more bytes than memory, so
 * that some are at the same addresses; -ENODATA: the file is truncated, or there is nothing
 * to load; -ERANGE: a segment is not wholly inside memory.
 */
int executable_occupy(const struct executable *executable,
		      struct layout *layout);

/* Return whether a physical address is inside a segment. */
bool executable_has(const struct executable *executable, uint64_t address);

/* Get the physical address of the entry point. Return -ERANGE if no segment has it. */
int executable_entry(const struct executable *executable, uint32_t *entry);

/* Load the segments, after executable_occupy() with the layout of this memory. */
void executable_load(const struct executable *executable,
		     const struct svmrun_memory *memory);

#endif /* EXECUTABLE_H */
