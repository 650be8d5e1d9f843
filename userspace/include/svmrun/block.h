/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk: the virtio block device (Virtual I/O Device 1.2, 5.2). Its owner carries out the
 * requests, in one of two ways:
 *
 * - With @submit it is given requests, and reports the end of each by
 *   svmrun_block_complete(). The device itself does only a bounded amount of work in each
 *   call. It takes as many requests as the program has set by svmrun_block_set_requests(),
 *   and continues with the guest's queue as they complete.
 * - With @read, @write and @flush, requests are carried out during the guest's
 *   notification, and the processor that notified the device waits for them.
 */
#ifndef SVMRUN_BLOCK_H
#define SVMRUN_BLOCK_H

#include <stdbool.h>

#include <svmrun/virtio.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_BLOCK_SECTOR 512 /* bytes */
#define SVMRUN_BLOCK_NAME 20 /* bytes of the ID that the guest can read */

/**
 * enum svmrun_block_operation - operation of a request
 * @SVMRUN_BLOCK_READ: fill the buffers from the disk
 * @SVMRUN_BLOCK_WRITE: write the buffers to the disk
 * @SVMRUN_BLOCK_FLUSH: make all writes persistent that were completed before
 * @SVMRUN_BLOCK_DISCARD: the guest does not need the contents of the range any more; the
 *	owner need not do anything
 * @SVMRUN_BLOCK_WRITE_ZEROES: fill the range with zeros
 */
enum svmrun_block_operation {
	SVMRUN_BLOCK_READ,
	SVMRUN_BLOCK_WRITE,
	SVMRUN_BLOCK_FLUSH,
	SVMRUN_BLOCK_DISCARD,
	SVMRUN_BLOCK_WRITE_ZEROES,
};

/**
 * struct svmrun_block_request - a request for an owner with @submit
 * @operation: what to do
 * @count: number of @buffers
 * @offset: first byte on the disk, a multiple of SVMRUN_BLOCK_SECTOR
 * @size: bytes of the range, a multiple of SVMRUN_BLOCK_SECTOR: the total size of @buffers
 *	if there are any. The range is inside the disk.
 * @buffers: the guest's memory; the owner may modify the array
 * @next: for a list of the owner
 * @is_stable: the request must be persistent when it completes, because the guest's driver
 *	does not flush; not for SVMRUN_BLOCK_READ and SVMRUN_BLOCK_FLUSH
 * @may_unmap: SVMRUN_BLOCK_WRITE_ZEROES: the range may become a hole
 * @in_flight: the owner has the request
 * @stale: the guest has reset the device since then
 * @head: the chain that the guest waits for
 * @written: number of bytes written to the chain, which the driver reads
 * @status: the request's status in the guest's memory
 * @reserved: zero
 *
 * The members from @in_flight on belong to the device.
 */
struct svmrun_block_request {
	enum svmrun_block_operation operation;
	unsigned int count;
	uint64_t offset;
	uint64_t size;
	struct iovec buffers[SVMRUN_VIRTIO_ENTRIES];
	struct svmrun_block_request *next;
	bool is_stable;
	bool may_unmap;
	bool in_flight;
	bool stale;
	uint16_t head;
	uint32_t written;
	uint8_t *status;
	uint64_t reserved[4];
};

/**
 * struct svmrun_block_owner - functions that access the contents of the disk
 * @read: fill all @count buffers of @to from @offset, in bytes, on
 * @write: write all @count buffers of @from to @offset; NULL if the disk is read-only
 * @flush: make previous writes persistent; NULL if nothing needs to be done. It is also
 *	called after each write if the guest's driver does not flush.
 * @owner: first argument of each
 * @submit: begin a request, without waiting for its end; the other functions are not
 *	called then. It must not call svmrun_block_complete() itself.
 * @read_only: with @submit: the disk is read-only, and only reads and flushes are submitted
 * @has_ranges: with @submit: SVMRUN_BLOCK_DISCARD and SVMRUN_BLOCK_WRITE_ZEROES are
 *	implemented
 * @reserved: zero
 *
 * The functions return 0 or a negative errno, which the guest sees as VIRTIO_BLK_S_IOERR.
 * Offset and total size are multiples of SVMRUN_BLOCK_SECTOR inside the disk. The
 * functions may modify the arrays. The buffers are the guest's memory.
 */
struct svmrun_block_owner {
	int (*read)(void *owner, struct iovec *to, unsigned int count,
		    uint64_t offset);
	int (*write)(void *owner, struct iovec *from, unsigned int count,
		     uint64_t offset);
	int (*flush)(void *owner);
	void *owner;
	void (*submit)(void *owner, struct svmrun_block_request *request);
	bool read_only;
	bool has_ranges;
	uint8_t reserved[6];
};

/**
 * struct svmrun_block - a disk
 * @virtio: the virtio device, for svmrun_pc_attach()
 * @owner: functions that access its contents
 * @sectors: size of the disk in sectors
 * @name: its ID, padded with zeros
 * @chain: the chain that is being taken
 * @requests: requests for an owner with @submit
 * @request_count: number of @requests
 * @in_flight: how many of them the owner has
 * @stale: how many of these are from before the guest's last reset of the device
 * @reserved: zero
 */
struct svmrun_block {
	struct svmrun_virtio virtio;
	struct svmrun_block_owner owner;
	uint64_t sectors;
	char name[SVMRUN_BLOCK_NAME];
	struct svmrun_virtio_chain chain;
	struct svmrun_block_request *requests;
	unsigned int request_count;
	unsigned int in_flight;
	unsigned int stale;
	uint64_t reserved[1];
};

/**
 * svmrun_block_init() - initialize a disk
 * @block: filled in; must not be moved afterwards
 * @owner: functions that access its contents; copied
 * @sectors: size of the disk in sectors of SVMRUN_BLOCK_SECTOR bytes, less than 2^55
 * @name: its ID, truncated to SVMRUN_BLOCK_NAME bytes
 * @memories: the guest's memory, without what the guest cannot write to; the array must
 *	not change afterwards
 * @memory_count: number of @memories
 */
void svmrun_block_init(struct svmrun_block *block,
		       const struct svmrun_block_owner *owner, uint64_t sectors,
		       const char *name, const struct svmrun_memory *memories,
		       size_t memory_count);

/**
 * svmrun_block_set_requests() - set the requests for an owner with @submit
 * @block: the disk, before the guest uses it
 * @requests: filled in; the array must exist as long as the disk
 * @count: number of @requests, 1 or more: how many the owner has at most
 */
void svmrun_block_set_requests(struct svmrun_block *block,
			       struct svmrun_block_request *requests,
			       unsigned int count);

/**
 * svmrun_block_complete() - end a request
 * @block: the disk
 * @request: a request that was submitted; its buffers are not accessed any more
 * @error: 0 or a negative errno, which the guest sees as VIRTIO_BLK_S_IOERR
 *
 * The guest is notified, unless it has reset the device since the request was submitted:
 * then the request leaves no trace in its memory. In both cases, further requests of the
 * guest are submitted.
 */
void svmrun_block_complete(struct svmrun_block *block,
			   struct svmrun_block_request *request, int error);

/**
 * svmrun_block_is_resetting() - check for requests from before a reset
 * @block: the disk
 *
 * The buffers of such requests may still be accessed, but a guest that has reset the
 * device uses their memory for other purposes. The processor that reset the device must
 * not continue while this function returns true.
 *
 * Return: true while there are such requests.
 */
bool svmrun_block_is_resetting(const struct svmrun_block *block);

/**
 * svmrun_block_save() - write the state of a disk to records
 * @block: the disk, of which the owner has no request
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end(); -EBUSY: a request that was
 * submitted has not completed.
 */
int svmrun_block_save(const struct svmrun_block *block,
		      struct svmrun_state *state);

/**
 * svmrun_block_load() - read the state of a disk from records
 * @block: the initialized disk, which has the same size and offers the same features; after
 *	an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_block_load(struct svmrun_block *block, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BLOCK_H */
