/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup (version 2) for tests of memory limits */
#ifndef CGROUP_H
#define CGROUP_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "files.h"

#define CGROUPS "/tmp/svmrun-cgroups"
#define GROUP CGROUPS "/test"

/* Create the cgroup unless it exists. It is not removed. */
static inline int group_create(void)
{
	int err;

	mkdir(CGROUPS, 0700);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	err = file_write(CGROUPS "/cgroup.subtree_control", "+memory");
	if (err)
		return err;
	return mkdir(GROUP, 0700) && errno != EEXIST ? -errno : 0;
}

/* Move the calling process into the cgroup. */
static inline int group_enter(void)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return file_write(GROUP "/cgroup.procs", pid);
}

#endif /* CGROUP_H */
