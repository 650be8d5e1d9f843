// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writing memory to a file, with holes for pages of zeros */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "header.h"
#include "lib/x86.h"

#define CHUNK (1ull << 20) /* bytes per system call */

/* An entry of the page map: the page is present or swapped out. */
#define PAGEMAP_EXISTS (3ull << 62)

/**
 * struct chunk - consecutive pages of memory
 * @source: what is written
 * @start: offset of memory in the file
 * @from: the first page
 * @size: bytes
 * @offset: where they are in the guest's memory, as it is in a file
 * @entries: their entries of the page map
 * @data: offset in the base from which on there is data
 * @hole: offset after it
 */
struct chunk {
	const struct svmrun_saved_source *source;
	uint64_t start;
	const uint8_t *from;
	size_t size;
	uint64_t offset;
	uint64_t entries[CHUNK / PAGE_SIZE];
	uint64_t data;
	uint64_t hole;
};

static bool is_cancelled(const struct svmrun_saved_source *source)
{
	return source->cancelled && source->cancelled(source->owner);
}

/* Signals do not interrupt a write to a file for long. */
int saved_bytes_write(const struct svmrun_saved_source *source,
		      const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *from = bytes;
	ssize_t done;

	while (size) {
		if (is_cancelled(source))
			return -ECANCELED;
		done = pwrite(source->fd, from, size, offset);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			from += done;
			size -= done;
			offset += done;
		}
	}
	return 0;
}

/* Read which pages exist. If Linux does not tell, regard all of them as existing. */
static void read_pagemap(struct chunk *chunk)
{
	size_t size = chunk->size / PAGE_SIZE * sizeof(chunk->entries[0]);
	off_t offset = (uintptr_t)chunk->from / PAGE_SIZE *
		       sizeof(chunk->entries[0]);
	int pagemap = chunk->source->pagemap;

	if (pagemap < 0 ||
	    pread(pagemap, chunk->entries, size, offset) != (ssize_t)size)
		memset(chunk->entries, 0xff, size);
}

/*
 * Check whether the base has data at an offset. A page that does not exist in the process has
 * the contents of the file, if there is one. Reading a hole would allocate memory in some file
 * systems.
 */
static bool base_has_data(struct chunk *chunk, uint64_t offset)
{
	const struct svmrun_saved *base = chunk->source->base;
	off_t data, hole;

	if (!base)
		return false;
	offset += base->memory;
	if (offset >= chunk->hole) {
		data = lseek(base->fd, offset, SEEK_DATA);
		hole = data < 0 ? -1 : lseek(base->fd, data, SEEK_HOLE);
		chunk->data = data < 0 ? UINT64_MAX : (uint64_t)data;
		chunk->hole = hole < 0 ? UINT64_MAX : (uint64_t)hole;
	}
	return offset >= chunk->data;
}

static bool page_has_data(struct chunk *chunk, size_t at)
{
	const uint8_t *page = chunk->from + at;

	if (!(chunk->entries[at / PAGE_SIZE] & PAGEMAP_EXISTS) &&
	    !base_has_data(chunk, chunk->offset + at))
		return false;
	return page[0] || memcmp(page, page + 1, PAGE_SIZE - 1);
}

/* Leave holes for pages that have only zeros. */
static int write_chunk(struct chunk *chunk)
{
	size_t at = 0, end;
	int ret = 0;

	while (at < chunk->size && !ret) {
		for (end = at; end < chunk->size; end += PAGE_SIZE)
			if (!page_has_data(chunk, end))
				break;
		ret = saved_bytes_write(chunk->source, chunk->from + at,
					end - at,
					chunk->start + chunk->offset + at);
		at = end + PAGE_SIZE;
	}
	return ret;
}

static int write_range(struct chunk *chunk, const struct svmrun_memory *memory)
{
	uint64_t at;
	int ret = 0;

	for (at = 0; at < memory->size && !ret; at += chunk->size) {
		if (is_cancelled(chunk->source))
			return -ECANCELED;
		chunk->from = (const uint8_t *)memory->base + at;
		chunk->size = memory->size - at < CHUNK ? memory->size - at :
							  CHUNK;
		read_pagemap(chunk);
		ret = write_chunk(chunk);
		chunk->offset += chunk->size;
	}
	return ret;
}

int saved_memory_write(const struct svmrun_saved_source *source,
		       uint64_t offset)
{
	struct chunk chunk = { .source = source, .start = offset };
	size_t i;
	int ret = 0;

	for (i = 0; i < source->memory_count && !ret; i++)
		ret = write_range(&chunk, &source->memories[i]);
	return ret;
}
