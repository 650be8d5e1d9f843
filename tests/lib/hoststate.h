/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compare the host's processor state before and after (tests/module/hoststate.c).
 */
#ifndef HOSTSTATE_H
#define HOSTSTATE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOSTSTATE_MODULE "hoststate.ko"
#define HOSTSTATE "/proc/svmrun_hoststate"
#define HOSTSTATE_SIZE 65536

/* Open the module's file, which is in the program's directory. */
static inline int hoststate_open_module(void)
{
	char path[PATH_MAX + sizeof(HOSTSTATE_MODULE)];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *name;
	int fd;

	if (length < 0)
		return -errno;
	path[length] = 0;
	name = strrchr(path, '/');
	strcpy(name ? name + 1 : path, HOSTSTATE_MODULE);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Load the module unless it is loaded. Return 0 or a negative errno. */
static inline int hoststate_load(void)
{
	int fd, err;

	if (!access(HOSTSTATE, R_OK))
		return 0;
	fd = hoststate_open_module();
	if (fd < 0)
		return fd;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

/* Return one item per line, to be freed; or NULL with errno set. */
static inline char *hoststate_read(void)
{
	char *text = calloc(1, HOSTSTATE_SIZE);
	int err = hoststate_load();
	FILE *file;

	if (err) {
		errno = -err;
		return NULL;
	}
	file = fopen(HOSTSTATE, "r");
	if (!text || !file || !fread(text, 1, HOSTSTATE_SIZE - 1, file)) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

/* Return the number of lines that differ, and print them as KTAP comments. */
static inline int hoststate_differs(const char *before, const char *after)
{
	int differ = 0;

	while (*before || *after) {
		size_t old = strcspn(before, "\n"), new = strcspn(after, "\n");

		if (old != new || memcmp(before, after, old)) {
			printf("# host state: %.*s became %.*s\n", (int)old,
			       before, (int)new, after);
			differ++;
		}
		before += old + (before[old] == '\n');
		after += new + (after[new] == '\n');
	}
	fflush(stdout); /* the caller may be ended by a signal */
	return differ;
}

#endif /* HOSTSTATE_H */
