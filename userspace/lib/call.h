/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System calls that return a negative errno */
#ifndef CALL_H
#define CALL_H

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

static inline int call_result(int result)
{
	return result < 0 ? -errno : result;
}

/*
 * A negative descriptor is the error of the call that returned it. Only -1 is passed to
 * the kernel, which fails with EBADF: it is the descriptor of an object that does not
 * exist, and the result of a failed open().
 */
static inline int call_ioctl(int fd, unsigned long request, void *argument)
{
	return fd < -1 ? fd : call_result(ioctl(fd, request, argument));
}

/* Fill in a struct that begins with its size. @size is the size that the caller has. */
static inline int call_info(int fd, unsigned long request, void *info,
			    size_t size)
{
	const uint32_t size_known = size;

	if (size < sizeof(size_known) || size > UINT32_MAX)
		return -EINVAL;
	memset(info, 0, size);
	memcpy(info, &size_known, sizeof(size_known));
	return call_ioctl(fd, request, info);
}

#endif /* CALL_H */
