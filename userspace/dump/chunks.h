/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a saved machine, except its holes, in chunks */
#ifndef CHUNKS_H
#define CHUNKS_H

#include "vmm/saved.h"

/**
 * typedef chunk_visit - function that gets a chunk
 * @owner: argument of chunks_visit()
 * @bytes: whole pages
 * @size: bytes
 * @offset: where they are in the machine's memory, as it is in the file
 *
 * Return: 0, or another value to end.
 */
typedef int chunk_visit(void *owner, const uint8_t *bytes, size_t size,
			uint64_t offset);

/*
 * Read the chunks in ascending order. Return what @visit has returned, or a negative errno
 * if the file cannot be read.
 */
int chunks_visit(const struct saved *saved, chunk_visit *visit, void *owner);

#endif /* CHUNKS_H */
