// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32.h"
#include "common/message.h"
#include "common/status.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "saved.h"

#define RECORDS_MAX                                                            \
	(64ull                                                                 \
	 << 20) /* bytes; a machine with 64 processors has less than 1 MiB */

static const char magic[8] = { 's', 'v', 'm', 'r', 'u', 'n', '\r', '\n' };

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

static int state_failed(const struct saved *saved, int error)
{
	const char *name = record_name(saved->state.id);

	if (error == -EOPNOTSUPP)
		return message_fail(STATUS_USAGE,
				    "%s: the record '%s' is of a version that this svmrun cannot read",
				    saved->name, name);
	return message_fail(STATUS_USAGE,
			    "%s: damaged: the record '%s' is not valid",
			    saved->name, name);
}

/* ---- the header ---------------------------------------------------------- */

static uint32_t saved_crc(const struct saved_header *header,
			  const void *records, size_t size)
{
	struct saved_header copy = *header;

	copy.crc = 0;
	return crc32_add(crc32_add(0, &copy, sizeof(copy)), records, size);
}

void saved_fill_header(struct saved_header *header, const void *records,
		       size_t size, uint64_t memory)
{
	uint64_t end = sizeof(*header) + size;

	*header = (struct saved_header){
		.version = SAVED_VERSION,
		.records = size,
		.memory = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
	};
	memcpy(header->magic, magic, sizeof(magic));
	header->size = header->memory + memory;
	header->crc = saved_crc(header, records, size);
}

static int check_header(const struct saved *saved, uint64_t size)
{
	const struct saved_header *header = &saved->header;

	if (header->size != size)
		return saved_failed(saved,
				    "damaged: is not as large as it was");
	if (header->records > RECORDS_MAX || header->memory % PAGE_SIZE ||
	    header->memory > size ||
	    header->memory < sizeof(*header) + header->records)
		return saved_failed(saved, "damaged: the header is not valid");
	return 0;
}

static int read_header(struct saved *saved, uint64_t size)
{
	struct saved_header *header = &saved->header;
	ssize_t got = pread(saved->fd, header, sizeof(*header), 0);

	if (got < 0)
		return saved_failed(saved, strerror(errno));
	if (!size)
		return saved_failed(saved,
				    "is empty: no machine has been saved, or not completely");
	if (got < (ssize_t)sizeof(magic) ||
	    memcmp(header->magic, magic, sizeof(magic)))
		return saved_failed(saved, "is not a saved machine");
	if (got < (ssize_t)sizeof(*header))
		return saved_failed(saved, "damaged: has no complete header");
	if (header->version != SAVED_VERSION)
		return message_fail(STATUS_USAGE,
				    "%s: has version %u of the format; this svmrun reads version %u",
				    saved->name, header->version,
				    SAVED_VERSION);
	return check_header(saved, size);
}

/* ---- the records --------------------------------------------------------- */

static int read_records(struct saved *saved)
{
	const struct saved_header *header = &saved->header;
	size_t size = header->records;
	ssize_t got;

	saved->bytes = malloc(size + 1);
	if (!saved->bytes)
		return saved_failed(saved, "does not fit into memory");
	got = pread(saved->fd, saved->bytes, size, sizeof(*header));
	if (got < 0)
		return saved_failed(saved, strerror(errno));
	if ((size_t)got != size ||
	    saved_crc(header, saved->bytes, size) != header->crc)
		return saved_failed(saved,
				    "damaged: the checksum is not correct");
	svmrun_state_init(&saved->state, saved->bytes, size);
	return 0;
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
	const struct saved_header *header = &saved->header;
	int ret = machine_state_plan(&saved->plan, options, &saved->state);

	if (ret)
		return state_failed(saved, ret);
	if (plan_memory(&saved->plan) != header->size - header->memory)
		return saved_failed(saved, "damaged: memory has another size");
	return 0;
}

/* ---- the file ------------------------------------------------------------ */

static int check_saved_file(const struct saved *saved, uint64_t *size)
{
	struct stat stat;

	if (fstat(saved->fd, &stat))
		return saved_failed(saved, strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return saved_failed(saved, "is not a regular file");
	if (flock(saved->fd, LOCK_SH | LOCK_NB))
		return saved_failed(saved,
				    errno == EWOULDBLOCK ?
					    "a machine is just being saved to it" :
					    strerror(errno));
	*size = stat.st_size;
	return 0;
}

int saved_read(struct saved *saved, int fd, struct run_options *options)
{
	uint64_t size = 0;
	int ret;

	saved->fd = fd;
	saved->bytes = NULL;
	ret = check_saved_file(saved, &size);
	if (!ret)
		ret = read_header(saved, size);
	if (!ret)
		ret = read_records(saved);
	if (!ret)
		ret = read_plan(saved, options);
	if (ret)
		saved_close(saved);
	return ret;
}

int saved_open(struct saved *saved, const char *name,
	       struct run_options *options)
{
	int fd;

	saved->name = name;
	/* Without O_NONBLOCK, open() would wait for a FIFO's other end. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return saved_failed(saved, strerror(errno));
	return saved_read(saved, fd, options);
}

void saved_close(struct saved *saved)
{
	free(saved->bytes);
	close(saved->fd);
}

/* ---- loading ------------------------------------------------------------- */

int saved_map_memory(const struct saved *saved, struct svmrun_memory *memories)
{
	const struct machine_plan *plan = &saved->plan;
	uint64_t offset = saved->header.memory;
	void *base;
	size_t i;

	for (i = 0; i < plan->memory_count; i++) {
		memories[i] = plan->memories[i];
		base = mmap(NULL, memories[i].size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_NORESERVE, saved->fd, offset);
		if (base == MAP_FAILED)
			return message_fail(STATUS_ENVIRONMENT,
					    "%s: cannot map %llu bytes of memory: %s",
					    saved->name,
					    (__u64)memories[i].size,
					    strerror(errno));
		memories[i].base = base;
		offset += memories[i].size;
	}
	return 0;
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
	int ret = machine_state_load(machine, &saved->state, why, sizeof(why));

	if (ret == -ENOEXEC)
		return message_fail(STATUS_ENVIRONMENT, "%s: %s", saved->name,
				    why);
	return ret ? state_failed(saved, ret) : 0;
}
