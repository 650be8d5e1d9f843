/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system call's -1 and errno as a negative errno. */
#ifndef CALL_H
#define CALL_H

#include <errno.h>
#include <sys/ioctl.h>

static inline int call_result(int result)
{
	return result < 0 ? -errno : result;
}

static inline int call_ioctl(int fd, unsigned long request, void *argument)
{
	return call_result(ioctl(fd, request, argument));
}

#endif /* CALL_H */
