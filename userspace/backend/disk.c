// SPDX-License-Identifier: GPL-2.0
/* The file of a disk */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/disk_format.h"
#include "common/message.h"
#include "common/status.h"
#include "disk.h"

static int disk_failed(const struct disk *disk, const char *what)
{
	return message_fail(STATUS_USAGE, "--disk %s: %s", disk->name, what);
}

/* ---- options ------------------------------------------------------------- */

/*
 * Copy the file's name, which ends at a single comma; two stand for one. Return the rest of
 * the option, or NULL if the name is too long.
 */
static const char *copy_name(struct disk *disk, const char *option)
{
	size_t size = 0;

	while (*option && (option[0] != ',' || option[1] == ',')) {
		if (size == sizeof(disk->name) - 1)
			return NULL;
		if (*option == ',')
			option++;
		disk->name[size++] = *option++;
	}
	disk->name[size] = '\0';
	return option;
}

static bool is_word(const char *text, size_t size, const char *word)
{
	return strlen(word) == size && !memcmp(text, word, size);
}

/* Take the words after the name, each of which follows a comma. */
static int take_words(struct disk *disk, const char *rest)
{
	size_t size;

	for (; *rest; rest += size) {
		rest++;
		size = strcspn(rest, ",");
		if (is_word(rest, size, "ro"))
			disk->read_only = true;
		else if (is_word(rest, size, "format=raw"))
			disk->is_raw = true;
		else
			return message_fail(STATUS_USAGE,
					    "--disk %s: unknown option '%.*s'; use ro or format=raw, and two commas for one in the file name",
					    disk->name, (int)size, rest);
	}
	return 0;
}

static int parse_option(struct disk *disk, const char *option)
{
	const char *rest = copy_name(disk, option);

	if (!rest)
		return message_fail(STATUS_USAGE,
				    "--disk: file name of %zu characters is too long",
				    strlen(option));
	return take_words(disk, rest);
}

/* ---- the file ------------------------------------------------------------ */

/* Find the size by lseek(), because stat() has none for a block device. */
static int measure_file(struct disk *disk)
{
	struct stat stat;
	off_t size;

	if (fstat(disk->fd, &stat))
		return disk_failed(disk, strerror(errno));
	if (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode))
		return disk_failed(disk,
				   "is neither a regular file nor a block device");
	size = lseek(disk->fd, 0, SEEK_END);
	if (size < 0)
		return disk_failed(disk, strerror(errno));
	if (!size || size % SVMRUN_BLOCK_SECTOR)
		return disk_failed(disk,
				   size ? "size is not a multiple of 512 bytes" :
					  "file is empty");
	disk->sectors = size / SVMRUN_BLOCK_SECTOR;
	return 0;
}

/* ---- locks --------------------------------------------------------------- */

/*
 * QEMU's protocol of locks on an image: each user has a shared lock on one byte for each
 * access that it makes, and on one for each access that it does not permit to others. Then
 * it checks that there is no lock on the opposite bytes.
 */
#define LOCK_USED 100
#define LOCK_DENIED 200

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_RESIZE = 3 };

static int lock_byte(const struct disk *disk, off_t offset)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = 1,
	};

	return fcntl(disk->fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

/* Return -EAGAIN if another user has a lock on the byte. */
static int check_byte(const struct disk *disk, off_t offset)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = 1,
	};

	if (fcntl(disk->fd, F_OFD_GETLK, &lock))
		return -errno;
	return lock.l_type == F_UNLCK ? 0 : -EAGAIN;
}

typedef int byte_fn(const struct disk *disk, off_t offset);

/* Call a function for the bytes of accesses that are made, and those of denied ones. */
static int visit_lock_bytes(const struct disk *disk, byte_fn *call, off_t used,
			    off_t denied)
{
	int ret = call(disk, used + ACCESS_READ);

	if (!ret && !disk->read_only)
		ret = call(disk, used + ACCESS_WRITE);
	if (!ret)
		ret = call(disk, denied + ACCESS_WRITE);
	if (!ret)
		ret = call(disk, denied + ACCESS_RESIZE);
	return ret;
}

/* Two guests that write to one file system would destroy it. */
static int lock_file(const struct disk *disk)
{
	int ret = visit_lock_bytes(disk, lock_byte, LOCK_USED, LOCK_DENIED);

	if (!ret)
		ret = visit_lock_bytes(disk, check_byte, LOCK_DENIED,
				       LOCK_USED);
	if (!ret)
		return 0;
	if (ret == -EAGAIN || ret == -EACCES)
		return disk_failed(disk, "already in use, and locked");
	return message_fail(STATUS_USAGE, "--disk %s: cannot be locked: %s",
			    disk->name, strerror(-ret));
}

/* ---- opening ------------------------------------------------------------- */

/*
 * An image of another format contains no disk that the guest could read, and would be
 * damaged by its writes.
 */
static int check_disk_format(const struct disk *disk)
{
	char bytes[DISK_FORMAT_BYTES];
	ssize_t size = pread(disk->fd, bytes, sizeof(bytes), 0);
	const char *format;

	if (size < 0)
		return disk_failed(disk, strerror(errno));
	format = disk->is_raw ? NULL : disk_format_find(bytes, size);
	if (!format)
		return 0;
	return message_fail(STATUS_USAGE,
			    "--disk %s: is %s; convert it to a raw image, or use format=raw if it is the contents of the disk",
			    disk->name, format);
}

/* O_EXCL has no effect on regular files. A device that is mounted cannot be opened with it. */
static int open_file(struct disk *disk)
{
	int flags = disk->read_only ? O_RDONLY : O_RDWR | O_EXCL;

	/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
	disk->fd = open(disk->name, flags | O_CLOEXEC | O_NONBLOCK);
	if (disk->fd >= 0)
		return 0;
	if (errno == EACCES || errno == EROFS)
		return message_fail(STATUS_USAGE,
				    "--disk %s: %s; use FILE,ro for a read-only disk",
				    disk->name, strerror(errno));
	if (errno == EBUSY)
		return disk_failed(disk,
				   "is mounted, or in use by this machine otherwise");
	return disk_failed(disk, strerror(errno));
}

int disk_open(struct disk *disk, const char *option)
{
	int ret;

	memset(disk, 0, sizeof(*disk));
	ret = parse_option(disk, option);
	if (!ret)
		ret = open_file(disk);
	if (ret)
		return ret;
	ret = measure_file(disk);
	if (!ret)
		ret = lock_file(disk);
	if (!ret)
		ret = check_disk_format(disk);
	if (ret)
		close(disk->fd);
	return ret;
}

void disk_close(struct disk *disk)
{
	close(disk->fd);
}

/* ---- saving -------------------------------------------------------------- */

/*
 * In the sandbox, the system call that the C library uses is not permitted, because it can
 * also examine files by their names.
 */
int disk_get_mark(const struct disk *disk, struct disk_mark *mark)
{
	struct stat stat;

	*mark = (struct disk_mark){ .sectors = disk->sectors };
	if (syscall(SYS_fstat, disk->fd, &stat))
		return -errno;
	if (S_ISREG(stat.st_mode)) {
		mark->seconds = stat.st_mtim.tv_sec;
		mark->nanoseconds = stat.st_mtim.tv_nsec;
	}
	return 0;
}

int disk_sync(const struct disk *disk)
{
	return disk->read_only || !fdatasync(disk->fd) ? 0 : -errno;
}
