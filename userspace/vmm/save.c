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
#include "machine.h"
#include "save.h"
#include "saved.h"

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

	save->resumed = saved ? saved->number : 0;
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
	save->base = saved ? &saved->file : NULL;
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

/* ---- the file ------------------------------------------------------------ */

/* Write the records. Return 0 or a negative errno; free the bytes in any case. */
static int make_records(const struct machine *machine,
			struct svmrun_state *state)
{
	const char *folder = machine->save.folder;
	size_t size;
	void *bytes;
	int ret;

	svmrun_state_init(state, NULL, 0);
	ret = machine_state_save(machine, folder, state);
	if (ret)
		return ret;
	size = state->used;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	svmrun_state_init(state, bytes, size);
	return machine_state_save(machine, folder, state);
}

static int sync_disks(const struct machine *machine)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < machine->disk_count && !ret; i++)
		ret = disk_sync(&machine->disks[i]);
	return ret;
}

static bool is_cancelled(void *owner)
{
	return signals_received();
}

/* Nothing changes the machine while its processors wait, so the lock is not needed. */
static int save_without_lock(struct machine *machine,
			     const struct svmrun_state *state)
{
	const struct svmrun_saved_source source = {
		.fd = machine->save.fd,
		.pagemap = machine->save.pagemap,
		.state = state,
		.memories = machine->memories,
		.memory_count = machine->memory_count,
		.base = machine->save.base,
		.cancelled = is_cancelled,
	};
	int ret;

	pthread_mutex_unlock(&machine->lock);
	ret = sync_disks(machine);
	if (!ret)
		ret = svmrun_saved_write(&source);
	pthread_mutex_lock(&machine->lock);
	return ret;
}

static int try_to_save(struct machine *machine)
{
	struct svmrun_state state;
	int ret = make_records(machine, &state);

	if (!ret)
		ret = save_without_lock(machine, &state);
	free(state.bytes);
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

/*
 * After an error, the machine continues. If a signal has cancelled the save, the signal ends the
 * run.
 */
void save_machine(struct machine *machine)
{
	int ret;

	if (machine_awaits_disk(machine))
		return;
	machine->stop.save = false;
	machine->save.resumed = 0;
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
