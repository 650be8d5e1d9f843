/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output of the guest: a buffer, and a thread that writes it to a file without the
 * machine's lock, so that a pipe without a reader stops only the processors that print.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

/*
 * A processor that has added output waits while there are this many bytes or more. Until
 * then it adds at most one line, so that there must be space for one line of each.
 */
#define OUTPUT_FULL (16u << 10)
#define OUTPUT_SIZE (48u << 10)

/**
 * struct output_machine - the machine that the output is from
 * @lock: its lock, which guards the output
 * @outcome: set when the file cannot be written to
 * @wake: called with the lock held when output_is_full() or output_is_empty() changes
 * @owner: argument of @wake
 */
struct output_machine {
	pthread_mutex_t *lock;
	struct outcome *outcome;
	void (*wake)(void *owner);
	void *owner;
};

/**
 * struct output - the output
 * @fd: the file
 * @machine: the machine
 * @bytes: ring buffer
 * @first: index of the first byte
 * @size: bytes in the buffer
 * @ready: how many of them, the first, the thread may write
 * @has_failed: the file cannot be written to; output is discarded
 * @changed: signalled when @ready or @ending changes
 * @ended_changed: signalled when @ended changes
 * @thread: the thread
 * @has_thread: it has been started
 * @ending: no output follows
 * @ended: the thread has ended
 */
struct output {
	int fd;
	struct output_machine machine;
	char bytes[OUTPUT_SIZE];
	size_t first;
	size_t size;
	size_t ready;
	bool has_failed;
	pthread_cond_t changed;
	pthread_cond_t ended_changed;
	pthread_t thread;
	bool has_thread;
	bool ending;
	bool ended;
};

void output_init(struct output *output, int fd,
		 const struct output_machine *machine);

/* Start the thread. Return 0 or a negative errno. */
int output_start(struct output *output);

/* Call these functions with the lock held: add a byte; let the thread write all bytes. */
void output_add(struct output *output, char byte);
void output_flush(struct output *output);

/*
 * Return whether a processor that has added output must wait, and whether all output has been
 * written.
 */
bool output_is_full(const struct output *output);
bool output_is_empty(const struct output *output);

/*
 * End the thread after the run, without the lock: write what is left. Wait for that until a
 * time; return false if the thread has not ended then. It can be called again. The
 * thread is left alone by output_abandon(), which returns the number of bytes that are lost.
 */
void output_end(struct output *output);
bool output_wait(struct output *output, uint64_t until);
size_t output_abandon(struct output *output);

#endif /* OUTPUT_H */
