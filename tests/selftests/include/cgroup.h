/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup (version 2) of the test's own, with a limit on memory. */
#ifndef CGROUP_H
#define CGROUP_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "files.h"

#define CGROUPS "/tmp/svmrun-cgroups"
#define GROUP CGROUPS "/test"

/* It is there from then on. */
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

/* The calling process is in the group from then on. */
static inline int group_enter(void)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return file_write(GROUP "/cgroup.procs", pid);
}

#endif /* CGROUP_H */
