// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "common/thread.h"
#include "output.h"

#define WRITE_MAX 4096 /* bytes per system call */

/* ---- the buffer ---------------------------------------------------------- */

bool output_is_full(const struct output *output)
{
	return output->size >= OUTPUT_FULL;
}

bool output_is_empty(const struct output *output)
{
	return !output->size;
}

void output_add(struct output *output, char byte)
{
	if (output->has_failed || output->size == OUTPUT_SIZE)
		return;
	output->bytes[(output->first + output->size) % OUTPUT_SIZE] = byte;
	output->size++;
}

void output_flush(struct output *output)
{
	output->ready = output->size;
	if (output->ready)
		pthread_cond_signal(&output->changed);
}

/* Copy the first bytes that may be written. Return how many. */
static size_t copy_ready(const struct output *output, char *bytes)
{
	size_t i;

	for (i = 0; i < output->ready && i < WRITE_MAX; i++)
		bytes[i] = output->bytes[(output->first + i) % OUTPUT_SIZE];
	return i;
}

static void remove_bytes(struct output *output, size_t size)
{
	bool was_full = output_is_full(output);

	output->first = (output->first + size) % OUTPUT_SIZE;
	output->size -= size;
	output->ready -= size;
	if (output_is_empty(output) || (was_full && !output_is_full(output)))
		output->machine.wake(output->machine.owner);
}

/* ---- the thread ---------------------------------------------------------- */

/* Another program may have made the file non-blocking. */
static void wait_for_room(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	poll(&pollfd, 1, -1);
}

static int write_all(int fd, const char *bytes, size_t size)
{
	ssize_t done;

	while (size) {
		done = write(fd, bytes, size);
		if (done < 0 && errno == EAGAIN) {
			wait_for_room(fd);
			continue;
		}
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			size -= done;
		}
	}
	return 0;
}

static void fail_output(struct output *output, int error)
{
	output->has_failed = true;
	output->ready = output->size;
	remove_bytes(output, output->size);
	outcome_end(output->machine.outcome, 0, STATUS_ENVIRONMENT,
		    "environment", "standard output: %s", strerror(-error));
}

/* Wait for bytes to write. Return false if there are none any more. */
static bool wait_for_bytes(struct output *output)
{
	while (!output->ready && !output->ending)
		pthread_cond_wait(&output->changed, output->machine.lock);
	return output->ready;
}

static void *write_output(void *argument)
{
	struct output *output = argument;
	pthread_mutex_t *lock = output->machine.lock;
	char bytes[WRITE_MAX];
	size_t size;
	int ret;

	pthread_mutex_lock(lock);
	outcome_confine(output->machine.outcome, SANDBOX_OUTPUT);
	while (wait_for_bytes(output)) {
		size = copy_ready(output, bytes);
		pthread_mutex_unlock(lock);
		ret = write_all(output->fd, bytes, size);
		pthread_mutex_lock(lock);
		if (ret)
			fail_output(output, ret);
		else
			remove_bytes(output, size);
	}
	output->ended = true;
	pthread_cond_broadcast(&output->ended_changed);
	pthread_mutex_unlock(lock);
	return NULL;
}

int output_start(struct output *output)
{
	int ret = thread_start(&output->thread, 0, write_output, output);

	output->has_thread = !ret;
	return ret;
}

void output_end(struct output *output)
{
	pthread_mutex_lock(output->machine.lock);
	output_flush(output);
	output->ending = true;
	pthread_cond_signal(&output->changed);
	pthread_mutex_unlock(output->machine.lock);
}

bool output_wait(struct output *output, uint64_t until)
{
	struct timespec when = clock_timespec(until);
	int ret = 0;
	bool ended;

	if (!output->has_thread)
		return true;
	pthread_mutex_lock(output->machine.lock);
	while (!output->ended && !ret)
		ret = pthread_cond_timedwait(&output->ended_changed,
					     output->machine.lock, &when);
	ended = output->ended;
	pthread_mutex_unlock(output->machine.lock);
	if (ended) {
		pthread_join(output->thread, NULL);
		output->has_thread = false;
	}
	return ended;
}

size_t output_abandon(struct output *output)
{
	size_t lost;

	pthread_mutex_lock(output->machine.lock);
	lost = output->size;
	pthread_mutex_unlock(output->machine.lock);
	pthread_detach(output->thread);
	return lost;
}

void output_init(struct output *output, int fd,
		 const struct output_machine *machine)
{
	memset(output, 0, sizeof(*output));
	output->fd = fd;
	output->machine = *machine;
	thread_init_condition(&output->changed);
	thread_init_condition(&output->ended_changed);
}
