// SPDX-License-Identifier: GPL-2.0
/* Landlock (Documentation/userspace-api/landlock.rst of Linux), without a library */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "landlock.h"
#include "lib/array_size.h"

/*
 * Rights that each version of the ABI can deny: all bits of a member up to the last one that
 * it defines. Headers may be older than the kernel, so the struct is that of version 6.
 */
struct rights {
	uint64_t files;
	uint64_t network;
	uint64_t scopes;
};

#define BITS(count) ((1ull << (count)) - 1)

static const struct rights versions[] = {
	[1] = { .files = BITS(13) },
	[2] = { .files = BITS(14) },
	[3] = { .files = BITS(15) },
	[4] = { .files = BITS(15), .network = BITS(2) },
	[5] = { .files = BITS(16), .network = BITS(2) },
	[6] = { .files = BITS(16), .network = BITS(2), .scopes = BITS(2) },
};

/* Kernels before version 4 or 6 refuse a struct that is larger than theirs. */
static size_t rights_size(int version)
{
	if (version < 4)
		return offsetof(struct rights, network);
	return version < 6 ? offsetof(struct rights, scopes) :
			     sizeof(struct rights);
}

static int permit_removal(int rules, const char *path)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	char copy[PATH_MAX];
	int ret;

	snprintf(copy, sizeof(copy), "%s", path);
	beneath.parent_fd = open(dirname(copy), O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return -errno;
	ret = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		      &beneath, 0) ?
		      -errno :
		      0;
	close(beneath.parent_fd);
	return ret;
}

static int restrict_process(int version, const char *socket)
{
	int ret, rules = syscall(SYS_landlock_create_ruleset,
				 &versions[version], rights_size(version), 0);

	if (rules < 0)
		return -errno;
	ret = socket ? permit_removal(rules, socket) : 0;
	if (!ret && syscall(SYS_landlock_restrict_self, rules, 0))
		ret = -errno;
	close(rules);
	return ret;
}

int landlock_enter(const char *socket)
{
	const int newest = ARRAY_SIZE(versions) - 1;
	int ret, version = syscall(SYS_landlock_create_ruleset, NULL, 0,
				   LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1)
		return 0;
	ret = restrict_process(version < newest ? version : newest, socket);
	return ret ? ret : version;
}
