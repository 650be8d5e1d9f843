// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "filter.h"
#include "permissions.h"

#define FIRST 255 /* the highest priority */

static int add_permission(scmp_filter_ctx context,
			  const struct permission *permission)
{
	struct scmp_arg_cmp arguments[PERMISSION_ARGUMENTS];
	unsigned int i;

	for (i = 0; i < permission->count; i++)
		arguments[i] = permission->arguments[i];
	if (permission->number == SCMP_SYS(tgkill))
		arguments[0].datum_a = getpid();
	return seccomp_rule_add_array(context, SCMP_ACT_ALLOW,
				      permission->number, permission->count,
				      arguments);
}

static int add_permissions(scmp_filter_ctx context, unsigned int threads)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < permission_count && !ret; i++)
		if (permissions[i].threads & threads)
			ret = add_permission(context, &permissions[i]);
	return ret;
}

/*
 * The filter runs at each RUN, so compare ioctl() first. The arguments of clone3() are in
 * memory, where a filter cannot compare them; without it the C library uses clone().
 */
static int set_rules(scmp_filter_ctx context, unsigned int threads)
{
	int ret = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
				   SCMP_ACT_KILL_PROCESS);

	if (!ret)
		ret = seccomp_syscall_priority(context, SCMP_SYS(ioctl), FIRST);
	if (!ret && (threads & PERMISSION_START))
		ret = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(clone3), 0);
	return ret ? ret : add_permissions(context, threads);
}

/* Read the filter from the file to which libseccomp has written it. */
static int read_filter(struct filter *filter, int fd)
{
	ssize_t size = pread(fd, filter->steps, sizeof(filter->steps), 0);

	if (size < 0)
		return -errno;
	if (!size || size == sizeof(filter->steps))
		return -E2BIG;
	filter->count = size / sizeof(filter->steps[0]);
	return 0;
}

static int export_filter(struct filter *filter, scmp_filter_ctx context)
{
	int ret, fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(context, fd);
	if (!ret)
		ret = read_filter(filter, fd);
	close(fd);
	return ret;
}

int filter_check(void)
{
	const uint32_t action = SECCOMP_RET_TRAP;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ?
		       -errno :
		       0;
}

int filter_build(struct filter *filter, unsigned int threads)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
	int ret;

	if (!context)
		return -ENOMEM;
	ret = set_rules(context, threads);
	if (!ret)
		ret = export_filter(filter, context);
	seccomp_release(context);
	return ret;
}

int filter_use(struct filter *filter)
{
	const struct sock_fprog program = {
		.len = filter->count,
		.filter = filter->steps,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ?
		       -errno :
		       0;
}
