// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "core.h"
#include "dump.h"

static int output_failed(const char *name, const char *why)
{
	return message_fail(STATUS_ENVIRONMENT, "%s: %s", name, why);
}

/* Check that the file can be given up. */
static int check_output(const struct saved *saved, const char *name, int fd)
{
	struct stat input, output;

	if (fstat(saved->file.fd, &input) || fstat(fd, &output))
		return output_failed(name, strerror(errno));
	if (!S_ISREG(output.st_mode))
		return message_fail(STATUS_USAGE, "%s: is not a regular file",
				    name);
	if (input.st_dev == output.st_dev && input.st_ino == output.st_ino)
		return message_fail(STATUS_USAGE,
				    "%s: is the saved machine; use another file for the core",
				    name);
	return ftruncate(fd, 0) ? output_failed(name, strerror(errno)) : 0;
}

/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
static int open_output(const struct saved *saved, const char *name, int *fd)
{
	int ret;

	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	if (*fd < 0)
		return output_failed(name, strerror(errno));
	ret = check_output(saved, name, *fd);
	if (ret)
		close(*fd);
	return ret;
}

static int find_mappings(struct core *core)
{
	struct mappings *mappings = &core->mappings;
	int ret;

	mappings->most = CORE_MAPPINGS_MAX;
	mappings->list = calloc(mappings->most, sizeof(*mappings->list));
	if (!mappings->list)
		return message_fail(STATUS_ENVIRONMENT,
				    "no memory for %zu mappings",
				    mappings->most);
	ret = mappings_find(mappings, vcpus_find_paging(core->vcpus),
			    core->memories, core->saved->plan.memory_count);
	if (ret)
		return message_fail(STATUS_ENVIRONMENT, "%s: page tables: %s",
				    core->saved->name, strerror(-ret));
	if (!mappings->complete)
		message_warn("%s: the page tables have too many mappings; virtual addresses are missing in the core",
			     core->saved->name);
	return 0;
}

static int find_vmcoreinfo(struct core *core)
{
	int ret = vmcoreinfo_find(&core->info, core->saved);

	return ret ? message_fail(STATUS_ENVIRONMENT, "%s: %s",
				  core->saved->name, strerror(-ret)) :
		     0;
}

/* A debugger has to move the symbols of such a kernel. */
static void report_offset(const struct core *core)
{
	uint64_t offset = vmcoreinfo_kernel_offset(&core->info);

	if (offset)
		printf("kernel offset: 0x%llx\n", (unsigned long long)offset);
}

static int write_core(struct core *core, const char *name)
{
	int fd, ret = find_mappings(core);

	if (!ret)
		ret = find_vmcoreinfo(core);
	if (!ret)
		ret = open_output(core->saved, name, &fd);
	if (ret)
		return ret;
	ret = core_write(core, fd);
	if (ret && ftruncate(fd, 0))
		message_warn("%s: is not complete", name);
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		return output_failed(name, strerror(-ret));
	report_offset(core);
	return 0;
}

static void unmap_memory(struct svmrun_memory *memories, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		munmap(memories[i].base, memories[i].size);
}

int dump_machine(struct saved *saved, unsigned int cpus, const char *name)
{
	static struct core core; /* too large for the stack */
	struct svmrun_memory memories[MACHINE_MEMORIES];
	struct vcpus vcpus;
	int ret = vcpus_read(&vcpus, saved, cpus);

	if (ret)
		goto free_vcpus;
	ret = saved_map_memory(saved, memories);
	if (ret)
		goto free_vcpus;
	core = (struct core){
		.saved = saved,
		.memories = memories,
		.vcpus = &vcpus,
	};
	ret = write_core(&core, name);
	free(core.mappings.list);
	unmap_memory(memories, saved->plan.memory_count);
free_vcpus:
	vcpus_free(&vcpus);
	return ret;
}
