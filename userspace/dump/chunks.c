// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "chunks.h"
#include "lib/x86.h"

#define CHUNK (1ull << 20)

/* Return the offset in the file of the next data; the end of memory if there is none. */
static uint64_t next_data(const struct svmrun_saved *file, uint64_t from,
			  uint64_t end)
{
	off_t data = lseek(file->fd, from, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : from;
	return (uint64_t)data & ~(PAGE_SIZE - 1);
}

static uint64_t next_hole(const struct svmrun_saved *file, uint64_t from,
			  uint64_t end)
{
	off_t hole = lseek(file->fd, from, SEEK_HOLE);

	if (hole < 0 || (uint64_t)hole > end)
		return end;
	return (hole + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static int read_chunk(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
	ssize_t got;

	while (size) {
		got = pread(fd, bytes, size, offset);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			return -EIO; /* the file has become smaller */
		if (got > 0) {
			bytes += got;
			size -= got;
			offset += got;
		}
	}
	return 0;
}

static int visit_data(const struct svmrun_saved *file, uint64_t from,
		      uint64_t to, uint8_t *bytes, chunk_visit *visit,
		      void *owner)
{
	size_t size;
	int ret = 0;

	for (; from < to && !ret; from += size) {
		size = to - from < CHUNK ? to - from : CHUNK;
		ret = read_chunk(file->fd, bytes, size, from);
		if (!ret)
			ret = visit(owner, bytes, size, from - file->memory);
	}
	return ret;
}

int chunks_visit(const struct saved *saved, chunk_visit *visit, void *owner)
{
	const struct svmrun_saved *file = &saved->file;
	uint64_t end = file->memory + file->memory_size, from, to;
	uint8_t *bytes = malloc(CHUNK);
	int ret = bytes ? 0 : -ENOMEM;

	for (from = file->memory; from < end && !ret; from = to) {
		from = next_data(file, from, end);
		to = next_hole(file, from, end);
		ret = visit_data(file, from, to, bytes, visit, owner);
	}
	free(bytes);
	return ret;
}
