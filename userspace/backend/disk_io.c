// SPDX-License-Identifier: GPL-2.0
/* Requests to the file of a disk */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk.h"

/* Bytes per system call, so that the end of the run need not wait for large requests. */
#define PIECE (1u << 20)
#define RANGE_PIECE (64u << 20) /* if no bytes are transferred */

typedef ssize_t transfer_fn(int fd, const struct iovec *buffers, int count,
			    off_t offset);

/* Copy the buffers of the next piece. Return how many. */
static unsigned int next_piece(struct iovec *piece, const struct iovec *buffers,
			       unsigned int count)
{
	size_t left = PIECE;
	unsigned int i;

	for (i = 0; i < count && left; i++) {
		piece[i] = buffers[i];
		if (piece[i].iov_len > left)
			piece[i].iov_len = left;
		left -= piece[i].iov_len;
	}
	return i;
}

static void advance_buffers(struct iovec **buffers, unsigned int *count,
			    size_t size)
{
	while (*count && size >= (*buffers)->iov_len) {
		size -= (*buffers)->iov_len;
		(*buffers)++;
		(*count)--;
	}
	if (!size)
		return;
	(*buffers)->iov_base = (char *)(*buffers)->iov_base + size;
	(*buffers)->iov_len -= size;
}

/* Return -EIO if the file has been truncated meanwhile. */
static int transfer_buffers(const struct disk *disk,
			    struct svmrun_block_request *request,
			    const atomic_bool *stop, transfer_fn *call)
{
	struct iovec piece[SVMRUN_VIRTIO_ENTRIES], *buffers = request->buffers;
	unsigned int count = request->count;
	uint64_t offset = request->offset;
	ssize_t done;

	while (count) {
		if (*stop)
			return -ECANCELED;
		done = call(disk->fd, piece, next_piece(piece, buffers, count),
			    offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		advance_buffers(&buffers, &count, done);
		offset += done;
	}
	return 0;
}

/*
 * Fail for ever after an error: Linux reports it only once, and then takes the pages for
 * written that were not.
 */
static int flush_file(struct disk *disk)
{
	if (!disk->flush_error && fdatasync(disk->fd))
		disk->flush_error = -errno;
	disk->written = false;
	return disk->flush_error;
}

static int write_file(struct disk *disk, struct svmrun_block_request *request)
{
	int ret;

	disk->written = true;
	ret = transfer_buffers(disk, request, &disk->abandoned, pwritev);
	return ret || !request->is_stable ? ret : flush_file(disk);
}

/* ---- ranges -------------------------------------------------------------- */

/* Change the allocation of a range. Return 0 or a negative errno. */
static int allocate_range(const struct disk *disk, int mode, uint64_t offset,
			  uint64_t size)
{
	uint64_t part;

	for (; size; offset += part, size -= part) {
		part = size < RANGE_PIECE ? size : RANGE_PIECE;
		if (disk->abandoned)
			return -ECANCELED;
		if (fallocate(disk->fd, mode | FALLOC_FL_KEEP_SIZE, offset,
			      part))
			return -errno;
	}
	return 0;
}

static int write_zeros(const struct disk *disk, uint64_t offset, uint64_t size)
{
	static const char zeros[PIECE];
	ssize_t done;

	for (; size; offset += done, size -= done) {
		if (disk->abandoned)
			return -ECANCELED;
		done = pwrite(disk->fd, zeros, size < PIECE ? size : PIECE,
			      offset);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return done ? -errno : -EIO;
	}
	return 0;
}

static bool is_not_supported(int ret)
{
	return ret == -EOPNOTSUPP || ret == -ENODEV;
}

/* Not every file system has holes. */
static int discard_range(struct disk *disk,
			 const struct svmrun_block_request *request)
{
	int ret = allocate_range(disk, FALLOC_FL_PUNCH_HOLE, request->offset,
				 request->size);

	return is_not_supported(ret) ? 0 : ret;
}

static int zero_range(struct disk *disk,
		      const struct svmrun_block_request *request)
{
	int mode = request->may_unmap ? FALLOC_FL_PUNCH_HOLE :
					FALLOC_FL_ZERO_RANGE;
	int ret = allocate_range(disk, mode, request->offset, request->size);

	if (is_not_supported(ret))
		ret = write_zeros(disk, request->offset, request->size);
	return ret;
}

static int change_range(struct disk *disk,
			const struct svmrun_block_request *request)
{
	int ret;

	disk->written = true;
	if (request->operation == SVMRUN_BLOCK_DISCARD)
		ret = discard_range(disk, request);
	else
		ret = zero_range(disk, request);
	return ret || !request->is_stable ? ret : flush_file(disk);
}

int disk_execute(struct disk *disk, struct svmrun_block_request *request)
{
	switch (request->operation) {
	case SVMRUN_BLOCK_READ:
		return transfer_buffers(disk, request, &disk->ending, preadv);
	case SVMRUN_BLOCK_WRITE:
		return write_file(disk, request);
	case SVMRUN_BLOCK_FLUSH:
		return flush_file(disk);
	case SVMRUN_BLOCK_DISCARD:
	case SVMRUN_BLOCK_WRITE_ZEROES:
		return change_range(disk, request);
	}
	return -EOPNOTSUPP;
}
