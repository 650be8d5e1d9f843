/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ELF executables for x86 of both classes, loaded at physical addresses */
#ifndef EXECUTABLE_H
#define EXECUTABLE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#include "layout.h"

/**
 * struct executable - an image whose headers have been found good
 * @bytes: the file
 * @size: bytes
 * @wide: ELF64
 * @entry: as the header has it: a virtual address
 * @table: offset of the program headers
 * @count: how many they are
 */
struct executable {
	const uint8_t *bytes;
	size_t size;
	bool wide;
	uint64_t entry;
	uint64_t table;
	unsigned int count;
};

/* Bytes of a file, or NULL if it has not got them all */
const void *executable_at(const struct executable *executable, uint64_t offset,
			  uint64_t size);

/*
 * -ENOEXEC: not a little-endian executable, -EMEDIUMTYPE: not for x86, -ENODATA:
 * the headers are cut off.
 */
int executable_open(struct executable *executable, const void *image,
		    size_t size);

/* A program header as one of ELF64 */
Elf64_Phdr executable_segment(const struct executable *executable,
			      unsigned int index);

/*
 * Occupy where the segments go. -ENOEXEC: more bytes in the file than in memory,
 * -ENODATA: cut off, or nothing to load, -ERANGE: there is no such memory.
 */
int executable_occupy(const struct executable *executable,
		      struct layout *layout);

/* Is a physical address in what is loaded? */
bool executable_has(const struct executable *executable, uint64_t address);

/* Where the virtual address of the entry is loaded, or -ERANGE */
int executable_entry(const struct executable *executable, uint32_t *entry);

/* After executable_occupy() in the room of this memory */
void executable_load(const struct executable *executable,
		     const struct svmrun_memory *memory);

#endif /* EXECUTABLE_H */
