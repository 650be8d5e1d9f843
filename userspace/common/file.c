// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "message.h"
#include "status.h"

static int file_failed(const char *name, const char *what)
{
	return message_fail(STATUS_USAGE, "%s: %s", name, what);
}

static int check_file(int fd, const char *name, struct stat *stat)
{
	if (fstat(fd, stat))
		return file_failed(name, strerror(errno));
	if (S_ISDIR(stat->st_mode))
		return file_failed(name, "is a directory");
	if (!S_ISREG(stat->st_mode))
		return file_failed(name, "is not a regular file");
	if (!stat->st_size)
		return file_failed(name, "file is empty");
	return 0;
}

void file_free(struct file *file)
{
	free(file->bytes);
	*file = (struct file){ 0 };
}

/* If the file is truncated meanwhile, @file has fewer bytes. */
static int read_bytes(int fd, const char *name, struct file *file, size_t size)
{
	ssize_t got = 1;

	file->bytes = malloc(size);
	if (!file->bytes)
		return file_failed(name, "file does not fit into memory");
	for (file->size = 0; got && file->size < size; file->size += got) {
		got = read(fd, file->bytes + file->size, size - file->size);
		if (got < 0) {
			got = -errno;
			file_free(file);
			return file_failed(name, strerror(-got));
		}
	}
	return 0;
}

int file_read(struct file *file, const char *name)
{
	struct stat stat;
	int ret, fd;

	/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return file_failed(name, strerror(errno));
	ret = check_file(fd, name, &stat);
	if (!ret)
		ret = read_bytes(fd, name, file, stat.st_size);
	close(fd);
	return ret;
}
