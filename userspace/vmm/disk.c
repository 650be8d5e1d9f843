// SPDX-License-Identifier: GPL-2.0
/* The file of a disk */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "disk.h"

#define READ_ONLY ",ro"

static int disk_failed(const char *name, const char *what)
{
	return message_fail(STATUS_USAGE, "--disk %s: %s", name, what);
}

/* Find the size by lseek(), because stat() has none for a block device. */
static int measure_file(struct disk *disk, const char *name)
{
	struct stat stat;
	off_t size;

	if (fstat(disk->fd, &stat))
		return disk_failed(name, strerror(errno));
	if (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode))
		return disk_failed(name,
				   "is neither a regular file nor a block device");
	size = lseek(disk->fd, 0, SEEK_END);
	if (size < 0)
		return disk_failed(name, strerror(errno));
	if (!size || size % SVMRUN_BLOCK_SECTOR)
		return disk_failed(name,
				   size ? "size is not a multiple of 512 bytes" :
					  "file is empty");
	disk->sectors = size / SVMRUN_BLOCK_SECTOR;
	return 0;
}

/* Lock the file, because two guests that write to one file system would destroy it. */
static int lock_file(const struct disk *disk, const char *name)
{
	if (!flock(disk->fd, (disk->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--disk %s: already in use, and locked", name);
}

static int open_disk_file(struct disk *disk, const char *name)
{
	int ret;

	/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
	disk->fd = open(name, (disk->read_only ? O_RDONLY : O_RDWR) |
				      O_CLOEXEC | O_NONBLOCK);
	if (disk->fd < 0 && (errno == EACCES || errno == EROFS))
		return message_fail(STATUS_USAGE,
				    "--disk %s: %s; use FILE" READ_ONLY
				    " for a read-only disk",
				    name, strerror(errno));
	if (disk->fd < 0)
		return disk_failed(name, strerror(errno));
	ret = measure_file(disk, name);
	if (!ret)
		ret = lock_file(disk, name);
	if (ret)
		close(disk->fd);
	return ret;
}

int disk_open(struct disk *disk, const char *option)
{
	size_t length = strlen(option), suffix = strlen(READ_ONLY);
	char name[PATH_MAX];

	*disk = (struct disk){ .option = option };
	disk->read_only = length > suffix &&
			  !strcmp(option + length - suffix, READ_ONLY);
	if (disk->read_only)
		length -= suffix;
	if (length >= sizeof(name))
		return message_fail(STATUS_USAGE,
				    "--disk: file name of %zu characters is too long",
				    length);
	memcpy(name, option, length);
	name[length] = '\0';
	return open_disk_file(disk, name);
}

void disk_close(struct disk *disk)
{
	close(disk->fd);
}
