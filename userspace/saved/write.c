// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing a machine to a file, which may have one already. That one remains until the header is
 * replaced, by a write of less than a sector; the new one goes to the space before or behind
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "header.h"
#include "lib/x86.h"

#define FIRST_OFFSET PAGE_SIZE

static uint64_t align_to_page(uint64_t offset)
{
	return (offset + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Fill in the header of a machine from an offset on. */
static void place_machine(struct saved_header *header,
			  const struct svmrun_saved_source *source,
			  uint64_t offset)
{
	size_t i;

	*header = (struct saved_header){
		.version = SVMRUN_SAVED_VERSION,
		.records = offset,
		.records_size = source->state->used,
		.memory = align_to_page(offset + source->state->used),
	};
	memcpy(header->magic, SAVED_MAGIC, sizeof(header->magic));
	header->end = header->memory;
	for (i = 0; i < source->memory_count; i++)
		header->end += source->memories[i].size;
	header->crc = saved_header_crc(header, source->state->bytes);
}

static int punch_hole(int fd, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
			 to - from) ?
		       -errno :
		       0;
}

/* Free everything in the file except the machine of this header. */
static int keep_only(const struct saved_header *header, int fd)
{
	int ret = punch_hole(fd, FIRST_OFFSET,
			     header->records & ~(PAGE_SIZE - 1));

	if (ret)
		return ret;
	return ftruncate(fd, header->end) ? -errno : 0;
}

/*
 * Make room, of zeros, for a machine, and fill in its header. Without holes, there is room
 * only if the machine that the file has is given up: then @old is set to zeros.
 */
static int make_room(const struct svmrun_saved_source *source,
		     struct saved_header *old, struct saved_header *new)
{
	int fd = source->fd;

	if (saved_header_read(old, fd) || keep_only(old, fd)) {
		*old = (struct saved_header){ 0 };
		if (ftruncate(fd, 0))
			return -errno;
	}
	place_machine(new, source, FIRST_OFFSET);
	if (old->end && new->end > old->records)
		place_machine(new, source, align_to_page(old->end));
	if (new->end > old->end && ftruncate(fd, new->end))
		return -errno;
	return 0;
}

static int sync_file(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}

static int write_contents(const struct svmrun_saved_source *source,
			  const struct saved_header *header)
{
	int ret = saved_memory_write(source, header->memory);

	if (!ret)
		ret = saved_bytes_write(source, source->state->bytes,
					header->records_size, header->records);
	return ret ? ret : sync_file(source->fd);
}

static int write_header(const struct saved_header *header, int fd)
{
	ssize_t done = pwrite(fd, header, sizeof(*header), 0);

	if (done < 0)
		return -errno;
	return done == sizeof(*header) ? sync_file(fd) : -EIO;
}

/* Free the space of an attempt that has failed. */
static void undo(const struct saved_header *old, int fd)
{
	if (old->end)
		keep_only(old, fd);
	else if (ftruncate(fd, 0))
		return; /* nothing else can be done */
}

/* If it is not known whether the header was written, both machines remain in the file. */
int svmrun_saved_write(const struct svmrun_saved_source *source)
{
	struct saved_header old, new;
	int ret = make_room(source, &old, &new);

	if (!ret)
		ret = write_contents(source, &new);
	if (ret) {
		undo(&old, source->fd);
		return ret;
	}
	ret = write_header(&new, source->fd);
	if (!ret)
		keep_only(&new, source->fd);
	return ret;
}
