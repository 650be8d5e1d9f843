// SPDX-License-Identifier: GPL-2.0
/* Landlock (Documentation/userspace-api/landlock.rst of Linux), without a library */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

/*
 * Permit access to a file, or to all files in a directory. Return a descriptor of it, or a
 * negative errno.
 */
static int permit(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	int ret;

	if (beneath.parent_fd < 0)
		return -errno;
	if (!syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		     &beneath, 0))
		return beneath.parent_fd;
	ret = -errno;
	close(beneath.parent_fd);
	return ret;
}

static const char *directory_of(const char *path)
{
	static char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	return dirname(copy);
}

static int permit_removal(int rules, const char *path)
{
	int fd = permit(rules, directory_of(path),
			LANDLOCK_ACCESS_FS_REMOVE_FILE);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/*
 * Permit to read files in a directory. The descriptor stays open: a network file system could
 * otherwise forget the directory, and the rule would not hold for what it finds instead.
 */
static void permit_directory(int rules, const char *path)
{
	static char last[PATH_MAX];

	if (!strcmp(path, last))
		return;
	snprintf(last, sizeof(last), "%s", path);
	permit(rules, path, LANDLOCK_ACCESS_FS_READ_FILE);
}

/*
 * Permit to read a file that is not in the directory, such as one that /dev/fd/3 refers to. Of a
 * directory, permit only to list it: open() succeeds, and read() says what is wrong.
 */
static void permit_input(int rules, const char *file)
{
	int fd = permit(rules, file, LANDLOCK_ACCESS_FS_READ_DIR);

	if (fd == -EINVAL)
		fd = permit(rules, file, LANDLOCK_ACCESS_FS_READ_FILE);
	if (fd >= 0)
		close(fd);
}

/*
 * Permit to read the files, others that replace them, and thus all in their directories. A file
 * that does not exist, or to which Landlock does not apply, is no error: reading it will
 * succeed or not.
 */
static void permit_inputs(int rules, const struct sandbox_inputs *inputs)
{
	size_t i;

	for (i = 0; i < inputs->count; i++) {
		permit_directory(rules, directory_of(inputs->files[i]));
		permit_input(rules, inputs->files[i]);
	}
}

static int restrict_process(int version, const struct sandbox_needs *needs)
{
	int rules = syscall(SYS_landlock_create_ruleset, &versions[version],
			    rights_size(version), 0);
	int ret = 0;

	if (rules < 0)
		return -errno;
	permit_inputs(rules, &needs->inputs);
	if (needs->socket)
		ret = permit_removal(rules, needs->socket);
	if (!ret && syscall(SYS_landlock_restrict_self, rules, 0))
		ret = -errno;
	close(rules);
	return ret;
}

int landlock_enter(const struct sandbox_needs *needs)
{
	const int newest = ARRAY_SIZE(versions) - 1;
	int ret, version = syscall(SYS_landlock_create_ruleset, NULL, 0,
				   LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1)
		return 0;
	ret = restrict_process(version < newest ? version : newest, needs);
	return ret ? ret : version;
}
