/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks of the guest: --disk FILE[,ro][,format=raw]
 *
 * Each disk has a thread that carries out its requests, one after the other, without the
 * machine's lock. The device, and the queue of requests for the thread, are guarded by that
 * lock.
 */
#ifndef DISK_H
#define DISK_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <svmrun/block.h>

#include "outcome.h"

/* Requests that the thread has at most; the others wait in the guest's queue. */
#define DISK_REQUESTS 8

/**
 * struct disk_machine - the machine of a disk
 * @lock: its lock
 * @outcome: set when the run ends
 * @wake: called with the lock held when no request is left, or none from before a reset
 * @owner: argument of @wake
 */
struct disk_machine {
	pthread_mutex_t *lock;
	struct outcome *outcome;
	void (*wake)(void *owner);
	void *owner;
};

/**
 * struct disk - a file or block device that the guest has as a disk
 * @name: its name
 * @fd: the file
 * @sectors: its size in sectors
 * @read_only: the guest cannot write to it
 * @is_raw: the user says that the file has the disk's contents, whatever they are
 * @machine: the machine
 * @block: the device
 * @requests: its requests
 * @first: queue of requests for the thread, NULL if it is empty
 * @last: end of the queue
 * @changed: signalled when the queue or @ending changes
 * @completed: signalled when a request or the thread has ended
 * @thread: the thread
 * @has_thread: it has been started
 * @ended: it has ended
 * @ending: the run has ended: the thread writes what is in the queue, and ends
 * @abandoned: there is no time left for that
 * @written: there are writes since the last flush; used by the thread only
 * @flush_error: error of the first flush that failed, 0 or a negative errno
 */
struct disk {
	char name[PATH_MAX];
	int fd;
	uint64_t sectors;
	bool read_only;
	bool is_raw;
	struct disk_machine machine;
	struct svmrun_block block;
	struct svmrun_block_request requests[DISK_REQUESTS];
	struct svmrun_block_request *first;
	struct svmrun_block_request **last;
	pthread_cond_t changed;
	pthread_cond_t completed;
	pthread_t thread;
	bool has_thread;
	bool ended;
	atomic_bool ending;
	atomic_bool abandoned;
	bool written;
	int flush_error;
};

/**
 * struct disk_mark - size and time of a file, to detect that it has been written to
 * @sectors: its size in sectors
 * @seconds: time of the last write, in seconds since 1970
 * @nanoseconds: its fraction
 */
struct disk_mark {
	uint64_t sectors;
	int64_t seconds;
	int64_t nanoseconds;
};

/*
 * Get the mark of the file as it is now. Return 0 or a negative errno. There is no time for
 * a block device, which has none of its own.
 */
int disk_get_mark(const struct disk *disk, struct disk_mark *mark);

/* Make the guest's writes persistent. Return 0 or a negative errno. */
int disk_sync(const struct disk *disk);

/* Open the file that the option names. Return 0, or the exit status after a message. */
int disk_open(struct disk *disk, const char *option);
void disk_close(struct disk *disk);

/* Initialise the device. @memories: the guest's memory, which it reads and writes */
void disk_init(struct disk *disk, unsigned int number,
	       const struct disk_machine *machine,
	       const struct svmrun_memory *memories, size_t memory_count);

/* Start the thread. Return 0 or a negative errno. */
int disk_start(struct disk *disk);

/*
 * Reset the device, with the machine's lock held. Return whether none of the guest's
 * requests is in progress; otherwise @wake of the machine is called when this is so.
 */
bool disk_reset(struct disk *disk);

/*
 * End the thread after the run, without the lock. Writes in the queue are carried out, and
 * flushed. Wait for that until a time; return false if the thread has not ended then. It
 * may access the guest's memory from then on until the program exits.
 */
void disk_end(struct disk *disk);
bool disk_wait(struct disk *disk, uint64_t until);

/*
 * Carry out a request, without the lock. Return 0 or a negative errno: -ECANCELED if the
 * run has ended.
 */
int disk_execute(struct disk *disk, struct svmrun_block_request *request);

#endif /* DISK_H */
