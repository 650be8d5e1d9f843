/* SPDX-License-Identifier: GPL-2.0 */
/* Memory whose page faults the program handles itself */
#ifndef USERFAULTFD_H
#define USERFAULTFD_H

#include <linux/userfaultfd.h>
#include <sys/syscall.h>

#include "machine.h"

/* Return a userfaultfd or a negative errno. */
static inline int userfault_open(int flags)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | flags);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -errno;
	return fd;
}

static inline int userfault_register_for(int fd, volatile void *pages,
					 size_t length, uint64_t mode)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)pages, .len = length },
		.mode = mode,
	};

	return call(fd, UFFDIO_REGISTER, &range);
}

static inline int userfault_register(int fd, volatile void *pages,
				     size_t length)
{
	return userfault_register_for(fd, pages, length,
				      UFFDIO_REGISTER_MODE_MISSING |
					      UFFDIO_REGISTER_MODE_WP);
}

static inline int userfault_unregister(int fd, volatile void *pages,
				       size_t length)
{
	struct uffdio_range range = {
		.start = (uintptr_t)pages,
		.len = length,
	};

	return call(fd, UFFDIO_UNREGISTER, &range);
}

static inline int write_protect_range(int fd, volatile void *pages,
				      size_t length, bool on)
{
	struct uffdio_writeprotect range = {
		.range = { .start = (uintptr_t)pages, .len = length },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return call(fd, UFFDIO_WRITEPROTECT, &range);
}

static inline int write_protect(int fd, volatile void *page, bool on)
{
	return write_protect_range(fd, page, PAGE, on);
}

#endif /* USERFAULTFD_H */
