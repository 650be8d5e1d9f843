/* SPDX-License-Identifier: GPL-2.0 */
/* Taking svmrun.ko out of the kernel and putting it in again. */
#ifndef MODULE_H
#define MODULE_H

#include <sys/syscall.h>

#include "machine.h"

/* Where the nested VM has it, if the environment does not say otherwise */
#define MODULE_PATH "/lib/modules/svmrun.ko"

static inline const char *module_path(void)
{
	const char *path = getenv("SVMRUN_MODULE");

	return path ? path : MODULE_PATH;
}

static inline int module_remove(void)
{
	return syscall(SYS_delete_module, "svmrun", O_NONBLOCK) ? -errno : 0;
}

static inline int module_insert(void)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

static inline bool module_can_be_changed(void)
{
	return !geteuid() && !access(module_path(), R_OK);
}

#endif /* MODULE_H */
