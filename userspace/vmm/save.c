// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/json.h"
#include "common/message.h"
#include "common/signals.h"
#include "common/status.h"
#include "lib/x86.h"
#include "machine.h"
#include "save.h"
#include "saved.h"

/* Bytes per system call, and between looks for signals */
#define CHUNK (1ull << 20)
#define PAGEMAP_EXISTS (3ull << 62) /* the page is present or swapped out */

/* ---- opening ------------------------------------------------------------- */

/* Return whether the file is used by a machine that has been resumed from it. */
static int lock_file(const struct save *save)
{
	return flock(save->fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static const char *lock_error(int error)
{
	return error == -EWOULDBLOCK ?
		       "is in use by a machine that was resumed from it; use another file" :
		       strerror(-error);
}

static int open_save_file(struct save *save)
{
	int ret;

	save->fd = open(save->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK,
			0600);
	if (save->fd < 0)
		return message_fail(STATUS_USAGE, "--save %s: %s", save->name,
				    strerror(errno));
	if (ftruncate(save->fd, lseek(save->fd, 0, SEEK_END)))
		ret = -EINVAL; /* not a regular file */
	else
		ret = lock_file(save);
	if (!ret) {
		flock(save->fd, LOCK_UN);
		return 0;
	}
	close(save->fd);
	return message_fail(STATUS_USAGE, "--save %s: %s", save->name,
			    ret == -EINVAL ? "is not a regular file" :
					     lock_error(ret));
}

int save_open(struct machine *machine, const struct saved *saved)
{
	struct save *save = &machine->save;
	int ret;

	save->name = machine->options->save;
	if (!save->name)
		return 0;
	if (!getcwd(save->folder, sizeof(save->folder)))
		return message_fail(STATUS_ENVIRONMENT,
				    "--save %s: cannot find the working directory: %s",
				    save->name, strerror(errno));
	ret = open_save_file(save);
	if (ret)
		return ret;
	save->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	save->base = saved ? saved->fd : -1;
	save->base_offset = saved ? saved->header.memory : 0;
	return 0;
}

void save_close(const struct machine *machine)
{
	const struct save *save = &machine->save;

	if (!save->name)
		return;
	close(save->fd);
	if (save->pagemap >= 0)
		close(save->pagemap);
}

void save_request(struct machine *machine)
{
	if (machine->save.name)
		stop_to_save(machine);
	else
		message_warn("the machine is not saved; use --save FILE");
}

/* ---- memory -------------------------------------------------------------- */

/**
 * struct chunk - consecutive pages of memory
 * @from: the first
 * @size: bytes
 * @offset: where they are in the guest's memory, as it is in a file
 * @entries: their entries of the page map
 * @data: offset in the base from which on there is data
 * @hole: offset after it
 */
struct chunk {
	const uint8_t *from;
	size_t size;
	uint64_t offset;
	uint64_t entries[CHUNK / PAGE_SIZE];
	uint64_t data;
	uint64_t hole;
};

/* If Linux does not tell which pages exist, all may do. */
static void read_pagemap(const struct save *save, struct chunk *chunk)
{
	size_t size = chunk->size / PAGE_SIZE * sizeof(chunk->entries[0]);
	off_t offset = (uintptr_t)chunk->from / PAGE_SIZE *
		       sizeof(chunk->entries[0]);

	if (save->pagemap < 0 ||
	    pread(save->pagemap, chunk->entries, size, offset) != (ssize_t)size)
		memset(chunk->entries, 0xff, size);
}

/*
 * Has the base data at an offset? A page that does not exist in the process has the contents
 * of the file, if there is one. Reading a hole would allocate memory in some file systems.
 */
static bool base_has_data(const struct save *save, struct chunk *chunk,
			  uint64_t offset)
{
	off_t data, hole;

	if (save->base < 0)
		return false;
	offset += save->base_offset;
	if (offset >= chunk->hole) {
		data = lseek(save->base, offset, SEEK_DATA);
		hole = data < 0 ? -1 : lseek(save->base, data, SEEK_HOLE);
		chunk->data = data < 0 ? UINT64_MAX : (uint64_t)data;
		chunk->hole = hole < 0 ? UINT64_MAX : (uint64_t)hole;
	}
	return offset >= chunk->data;
}

static bool page_has_data(const struct save *save, struct chunk *chunk,
			  size_t at)
{
	const uint8_t *page = chunk->from + at;

	if (!(chunk->entries[at / PAGE_SIZE] & PAGEMAP_EXISTS) &&
	    !base_has_data(save, chunk, chunk->offset + at))
		return false;
	return page[0] || memcmp(page, page + 1, PAGE_SIZE - 1);
}

/* Signals do not interrupt a write to a file for long. */
static int write_bytes(int fd, const uint8_t *from, size_t size,
		       uint64_t offset)
{
	ssize_t done;

	while (size) {
		if (signals_received())
			return -ECANCELED;
		done = pwrite(fd, from, size, offset);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			from += done;
			size -= done;
			offset += done;
		}
	}
	return 0;
}

/* Leave holes for pages that have only zeros. @start: offset of memory in the file */
static int write_chunk(const struct save *save, struct chunk *chunk,
		       uint64_t start)
{
	size_t at = 0, end;
	int ret = 0;

	while (at < chunk->size && !ret) {
		for (end = at; end < chunk->size; end += PAGE_SIZE)
			if (!page_has_data(save, chunk, end))
				break;
		ret = write_bytes(save->fd, chunk->from + at, end - at,
				  start + chunk->offset + at);
		at = end + PAGE_SIZE;
	}
	return ret;
}

static int write_range(const struct save *save,
		       const struct svmrun_memory *memory, struct chunk *chunk,
		       uint64_t start)
{
	uint64_t at;
	int ret = 0;

	for (at = 0; at < memory->size && !ret; at += chunk->size) {
		chunk->from = (const uint8_t *)memory->base + at;
		chunk->size = memory->size - at < CHUNK ? memory->size - at :
							  CHUNK;
		read_pagemap(save, chunk);
		ret = signals_received() ? -ECANCELED :
					   write_chunk(save, chunk, start);
		chunk->offset += chunk->size;
	}
	return ret;
}

static int write_memory(const struct machine *machine, uint64_t start)
{
	struct chunk chunk = { 0 };
	size_t i;
	int ret = 0;

	for (i = 0; i < machine->memory_count && !ret; i++)
		ret = write_range(&machine->save, &machine->memories[i], &chunk,
				  start);
	return ret;
}

/* ---- the file ------------------------------------------------------------ */

static int sync_file(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}

/* The header, without which the file is not valid, is written last. */
static int write_file(const struct machine *machine,
		      const struct saved_header *header, const uint8_t *records)
{
	int fd = machine->save.fd, ret;

	if (ftruncate(fd, 0) || ftruncate(fd, header->size))
		return -errno;
	ret = write_memory(machine, header->memory);
	if (!ret)
		ret = write_bytes(fd, records, header->records,
				  sizeof(*header));
	if (!ret)
		ret = sync_file(fd);
	if (!ret)
		ret = write_bytes(fd, (const uint8_t *)header, sizeof(*header),
				  0);
	return ret ? ret : sync_file(fd);
}

static uint64_t memory_size(const struct machine *machine)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < machine->memory_count; i++)
		size += machine->memories[i].size;
	return size;
}

/* Return the records, to be freed, or NULL. */
static uint8_t *make_records(const struct machine *machine, size_t *size,
			     int *error)
{
	const char *folder = machine->save.folder;
	struct svmrun_state state;
	uint8_t *records;

	svmrun_state_init(&state, NULL, 0);
	*error = machine_state_save(machine, folder, &state);
	if (*error)
		return NULL;
	*size = state.used;
	records = malloc(*size);
	*error = records ? 0 : -ENOMEM;
	if (!records)
		return NULL;
	svmrun_state_init(&state, records, *size);
	*error = machine_state_save(machine, folder, &state);
	return records;
}

static int sync_disks(const struct machine *machine)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < machine->disk_count && !ret; i++)
		ret = disk_sync(&machine->disks[i]);
	return ret;
}

/* Nothing changes the machine while its processors wait, so the lock is not needed. */
static int save_without_lock(struct machine *machine, const uint8_t *records,
			     size_t size)
{
	struct saved_header header;
	int ret;

	saved_fill_header(&header, records, size, memory_size(machine));
	pthread_mutex_unlock(&machine->lock);
	ret = sync_disks(machine);
	if (!ret)
		ret = write_file(machine, &header, records);
	/* What is there is not valid, but may be large. */
	if (ret && ftruncate(machine->save.fd, 0))
		message_warn("--save %s: cannot be made empty: %s",
			     machine->save.name, strerror(errno));
	pthread_mutex_lock(&machine->lock);
	return ret;
}

static int try_to_save(struct machine *machine)
{
	size_t size = 0;
	int ret = 0;
	uint8_t *records = make_records(machine, &size, &ret);

	if (!ret)
		ret = save_without_lock(machine, records, size);
	free(records);
	return ret;
}

/* ---- requests ------------------------------------------------------------ */

static void report_saved(const struct machine *machine)
{
	struct json json = { .file = stderr };

	if (!machine->options->json) {
		fprintf(stderr, "svmrun: saved to %s\n", machine->save.name);
		return;
	}
	json_object_begin(&json, NULL);
	json_string(&json, "type", "saved");
	json_string(&json, "file", machine->save.name);
	json_object_end(&json);
	putc('\n', stderr);
}

static void save_done(struct machine *machine)
{
	report_saved(machine);
	if (machine->options->on_save == ON_SAVE_EXIT)
		outcome_end(&machine->outcome, 0, STATUS_HALTED, "saved", "%s",
			    "");
}

/* The machine continues after an error; one that is due to a signal ends with the run. */
void save_machine(struct machine *machine)
{
	int ret;

	if (machine_awaits_disk(machine))
		return;
	machine->stop.save = false;
	ret = lock_file(&machine->save);
	if (ret) {
		message_warn("--save %s: %s", machine->save.name,
			     lock_error(ret));
		return;
	}
	ret = try_to_save(machine);
	flock(machine->save.fd, LOCK_UN);
	if (!ret)
		save_done(machine);
	else if (ret != -ECANCELED)
		message_warn("--save %s: the machine is not saved: %s",
			     machine->save.name, strerror(-ret));
}
