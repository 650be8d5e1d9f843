// SPDX-License-Identifier: GPL-2.0
/* The thread of a disk, and its queue of requests */
#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/thread.h"
#include "disk.h"

/* ---- the queue ----------------------------------------------------------- */

static void submit_request(void *owner, struct svmrun_block_request *request)
{
	struct disk *disk = owner;

	request->next = NULL;
	*disk->last = request;
	disk->last = &request->next;
	pthread_cond_signal(&disk->changed);
}

/* Return the next request, or NULL if there is none after the end of the run. */
static struct svmrun_block_request *next_request(struct disk *disk)
{
	struct svmrun_block_request *request;

	while (!disk->first && !disk->ending)
		pthread_cond_wait(&disk->changed, disk->machine.lock);
	request = disk->first;
	if (!request)
		return NULL;
	disk->first = request->next;
	if (!disk->first)
		disk->last = &disk->first;
	return request;
}

/* After the end of the run the guest is not notified, and no other request may begin. */
static void complete_request(struct disk *disk,
			     struct svmrun_block_request *request, int error)
{
	bool resetting = svmrun_block_is_resetting(&disk->block);

	if (disk->ending)
		return;
	svmrun_block_complete(&disk->block, request, error);
	pthread_cond_broadcast(&disk->completed);
	if (!disk->block.in_flight ||
	    (resetting && !svmrun_block_is_resetting(&disk->block)))
		disk->machine.wake(disk->machine.owner);
}

/* ---- the thread ---------------------------------------------------------- */

/* Make the guest's writes persistent, even if it has not flushed them. */
static void flush_writes(struct disk *disk)
{
	struct svmrun_block_request flush = {
		.operation = SVMRUN_BLOCK_FLUSH,
	};

	if (disk->written && !disk->abandoned)
		disk_execute(disk, &flush);
}

static void *run_disk(void *argument)
{
	struct disk *disk = argument;
	pthread_mutex_t *lock = disk->machine.lock;
	struct svmrun_block_request *request;
	int error;

	pthread_mutex_lock(lock);
	outcome_confine(disk->machine.outcome, SANDBOX_DISK);
	for (request = next_request(disk); request;
	     request = next_request(disk)) {
		pthread_mutex_unlock(lock);
		error = disk_execute(disk, request);
		pthread_mutex_lock(lock);
		complete_request(disk, request, error);
	}
	pthread_mutex_unlock(lock);
	flush_writes(disk);
	pthread_mutex_lock(lock);
	disk->ended = true;
	pthread_cond_broadcast(&disk->completed);
	pthread_mutex_unlock(lock);
	return NULL;
}

int disk_start(struct disk *disk)
{
	int ret = thread_start(&disk->thread, 0, run_disk, disk);

	disk->has_thread = !ret;
	return ret;
}

bool disk_reset(struct disk *disk)
{
	svmrun_virtio_reset(&disk->block.virtio);
	return !svmrun_block_is_resetting(&disk->block);
}

void disk_end(struct disk *disk)
{
	pthread_mutex_lock(disk->machine.lock);
	disk->ending = true;
	pthread_cond_signal(&disk->changed);
	pthread_mutex_unlock(disk->machine.lock);
}

bool disk_wait(struct disk *disk, uint64_t until)
{
	struct timespec when = clock_timespec(until);
	int ret = 0;

	if (!disk->has_thread)
		return true;
	pthread_mutex_lock(disk->machine.lock);
	while (!disk->ended && !ret)
		ret = pthread_cond_timedwait(&disk->completed,
					     disk->machine.lock, &when);
	disk->abandoned = !disk->ended;
	pthread_mutex_unlock(disk->machine.lock);
	if (disk->abandoned)
		pthread_detach(disk->thread);
	else
		pthread_join(disk->thread, NULL);
	return !disk->abandoned;
}

/* ---- the device ---------------------------------------------------------- */

void disk_init(struct disk *disk, unsigned int number,
	       const struct disk_machine *machine,
	       const struct svmrun_memory *memories, size_t memory_count)
{
	const struct svmrun_block_owner owner = {
		.submit = submit_request,
		.read_only = disk->read_only,
		.has_ranges = true,
		.owner = disk,
	};
	char name[SVMRUN_BLOCK_NAME];

	disk->machine = *machine;
	disk->last = &disk->first;
	thread_init_condition(&disk->changed);
	thread_init_condition(&disk->completed);
	snprintf(name, sizeof(name), "svmrun-%u", number);
	svmrun_block_init(&disk->block, &owner, disk->sectors, name, memories,
			  memory_count);
	svmrun_block_set_requests(&disk->block, disk->requests, DISK_REQUESTS);
}
