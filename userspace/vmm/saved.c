// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "lib/array_size.h"
#include "saved.h"

/* ---- messages ------------------------------------------------------------ */

static int saved_failed(const struct saved *saved, const char *what)
{
	return message_fail(STATUS_USAGE, "%s: %s", saved->name, what);
}

/* Names of the records' IDs, for messages */
static const char *record_name(uint32_t id)
{
	static const char *const devices[] = {
		[SVMRUN_STATE_PC] = "PC",
		[SVMRUN_STATE_UART] = "serial port",
		[SVMRUN_STATE_PIC] = "8259",
		[SVMRUN_STATE_PIT] = "8254",
		[SVMRUN_STATE_RTC] = "clock",
		[SVMRUN_STATE_PM] = "power management",
		[SVMRUN_STATE_FWCFG] = "fw_cfg",
		[SVMRUN_STATE_PCI] = "PCI",
		[SVMRUN_STATE_APICS] = "local APICs",
		[SVMRUN_STATE_LAPIC] = "local APIC",
		[SVMRUN_STATE_IOAPIC] = "I/O APIC",
		[SVMRUN_STATE_I8042] = "8042",
		[SVMRUN_STATE_VIRTIO] = "virtio",
		[SVMRUN_STATE_BLOCK] = "virtio disk",
		[SVMRUN_STATE_RNG] = "entropy device",
		[SVMRUN_STATE_TESTDEV] = "test device",
		[SVMRUN_STATE_VCPU] = "vCPU",
		[SVMRUN_STATE_NESTED] = "nested SVM",
	};
	static const char *const own[] = {
		[STATE_OPTIONS - STATE_OPTIONS] = "options",
		[STATE_DISK - STATE_OPTIONS] = "disk",
		[STATE_MEMORY - STATE_OPTIONS] = "memory",
		[STATE_HOST - STATE_OPTIONS] = "host",
		[STATE_TIME - STATE_OPTIONS] = "time",
		[STATE_KVMCLOCK - STATE_OPTIONS] = "KVM's clock",
		[STATE_CPU - STATE_OPTIONS] = "processor",
	};

	if (id < ARRAY_SIZE(devices) && devices[id])
		return devices[id];
	if (id - STATE_OPTIONS < ARRAY_SIZE(own))
		return own[id - STATE_OPTIONS];
	return "unknown";
}

int saved_state_failed(const struct saved *saved, int error)
{
	const char *name = record_name(saved->file.state.id);

	if (error == -EOPNOTSUPP)
		return message_fail(STATUS_USAGE,
				    "%s: the record '%s' is of a version that this svmrun cannot read",
				    saved->name, name);
	return message_fail(STATUS_USAGE,
			    "%s: damaged: the record '%s' is not valid",
			    saved->name, name);
}

/* ---- the file ------------------------------------------------------------ */

static const char *open_error(int error)
{
	switch (error) {
	case -ENODATA:
		return "no machine has been saved to it, or not completely";
	case -ENOEXEC:
		return "is not a saved machine";
	case -EBADMSG:
		return "damaged: the checksum is not correct";
	case -EINVAL:
		return "damaged: the header is not valid";
	case -ENXIO:
		return "damaged: is not as large as it was";
	default:
		return strerror(-error);
	}
}

static int open_failed(const struct saved *saved, int error)
{
	if (error == -EOPNOTSUPP)
		return message_fail(STATUS_USAGE,
				    "%s: has version %u of the format; this svmrun reads version %u",
				    saved->name, saved->file.version,
				    SVMRUN_SAVED_VERSION);
	return saved_failed(saved, open_error(error));
}

static uint64_t plan_memory(const struct machine_plan *plan)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < plan->memory_count; i++)
		size += plan->memories[i].size;
	return size;
}

static int read_plan(struct saved *saved, struct run_options *options)
{
	int ret = machine_state_plan(&saved->plan, options, &saved->file.state);

	if (ret)
		return saved_state_failed(saved, ret);
	if (plan_memory(&saved->plan) != saved->file.memory_size)
		return saved_failed(saved, "damaged: memory has another size");
	return 0;
}

static int lock_saved_file(const struct saved *saved, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat))
		return saved_failed(saved, strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return saved_failed(saved, "is not a regular file");
	if (flock(fd, LOCK_SH | LOCK_NB))
		return saved_failed(saved,
				    errno == EWOULDBLOCK ?
					    "a machine is just being saved to it" :
					    strerror(errno));
	return 0;
}

int saved_read(struct saved *saved, int fd, struct run_options *options)
{
	int ret = lock_saved_file(saved, fd), error;

	if (ret)
		goto close_file;
	error = svmrun_saved_open(&saved->file, fd);
	if (error) {
		ret = open_failed(saved, error);
		goto close_file;
	}
	ret = read_plan(saved, options);
	if (!ret)
		return 0;
	svmrun_saved_close(&saved->file);
close_file:
	close(fd);
	return ret;
}

int saved_open(struct saved *saved, const char *name,
	       struct run_options *options)
{
	int fd;

	saved->name = name;
	saved->number = 1;
	/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return saved_failed(saved, strerror(errno));
	return saved_read(saved, fd, options);
}

void saved_close(struct saved *saved)
{
	svmrun_saved_close(&saved->file);
	close(saved->file.fd);
}

/* ---- loading ------------------------------------------------------------- */

int saved_map_memory(const struct saved *saved, struct svmrun_memory *memories)
{
	const struct machine_plan *plan = &saved->plan;
	int ret;

	memcpy(memories, plan->memories,
	       plan->memory_count * sizeof(*memories));
	ret = svmrun_saved_map(&saved->file, memories, plan->memory_count);
	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT,
			    "%s: cannot map %llu bytes of memory: %s",
			    saved->name, (__u64)saved->file.memory_size,
			    strerror(-ret));
}

int saved_check_disks(const struct saved *saved, const struct machine *machine)
{
	struct disk_mark mark;
	size_t i;
	int ret;

	for (i = 0; i < machine->disk_count; i++) {
		ret = disk_get_mark(&machine->disks[i], &mark);
		if (ret)
			return message_fail(STATUS_USAGE, "%s: %s",
					    machine->disks[i].name,
					    strerror(-ret));
		if (memcmp(&mark, &saved->plan.marks[i], sizeof(mark)))
			return message_fail(STATUS_USAGE,
					    "%s: the disk %s has changed since the machine was saved",
					    saved->name,
					    machine->disks[i].name);
	}
	return 0;
}

int saved_load(struct saved *saved, struct machine *machine)
{
	char why[128];
	int ret = machine_state_load(machine, &saved->file.state, why,
				     sizeof(why));

	if (ret == -ENOEXEC)
		return message_fail(STATUS_ENVIRONMENT, "%s: %s", saved->name,
				    why);
	return ret ? saved_state_failed(saved, ret) : 0;
}
