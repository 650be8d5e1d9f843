/* SPDX-License-Identifier: GPL-2.0 */
/* Insert svmrun.ko or another module into the kernel, and remove it. */
#ifndef MODULE_H
#define MODULE_H

#include <sys/syscall.h>

#include "machine.h"

/* Path in the nested VM; the environment variable SVMRUN_MODULE overrides it. */
#define MODULE_PATH "/lib/modules/svmrun.ko"

static inline const char *module_path(void)
{
	const char *path = getenv("SVMRUN_MODULE");

	return path ? path : MODULE_PATH;
}

/* @parameters: "name=value ..." */
static inline int any_module_insert(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return err;
}

static inline int any_module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static inline int module_remove(void)
{
	return any_module_remove("svmrun");
}

static inline int module_insert(void)
{
	return any_module_insert(module_path(), "");
}

static inline bool module_can_be_changed(void)
{
	return !geteuid() && !access(module_path(), R_OK);
}

#endif /* MODULE_H */
