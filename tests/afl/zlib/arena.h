/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for the code under test. Each allocation ends at a page that is not present, and
 * freed memory is not present either, so that an access beyond an allocation or after
 * free() is a #PF.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

/**
 * arena_init() - replace the page table entry of 2 MiB that maps the arena by a table
 *
 * Return: 0, or -1 if the arena does not lie within such an entry.
 */
int arena_init(void);

/* As the C library's. An allocation whose size is no multiple of 8 is not aligned. */
void *malloc(size_t size);
void free(void *memory);

#endif /* ARENA_H */
