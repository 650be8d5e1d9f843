// SPDX-License-Identifier: GPL-2.0
/* Requests to the file of a disk */
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk.h"

/* Bytes per system call, so that the end of the run need not wait for large requests. */
#define PIECE (1u << 20)

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

int disk_execute(struct disk *disk, struct svmrun_block_request *request)
{
	switch (request->operation) {
	case SVMRUN_BLOCK_READ:
		return transfer_buffers(disk, request, &disk->ending, preadv);
	case SVMRUN_BLOCK_WRITE:
		return write_file(disk, request);
	case SVMRUN_BLOCK_FLUSH:
		return flush_file(disk);
	}
	return -EOPNOTSUPP;
}
