/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk: the virtio block device (Virtual I/O Device 1.2, 5.2). Requests are carried out
 * during the guest's notification. So the owner's functions may block, and the processor
 * that notified the device waits for them.
 */
#ifndef SVMRUN_BLOCK_H
#define SVMRUN_BLOCK_H

#include <svmrun/virtio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_BLOCK_SECTOR 512 /* bytes */
#define SVMRUN_BLOCK_NAME 20 /* bytes of the ID that the guest can read */

/**
 * struct svmrun_block_owner - functions that access the contents of the disk
 * @read: fill all @count buffers of @to from @offset, in bytes, on
 * @write: write all @count buffers of @from to @offset; NULL if the disk is read-only
 * @flush: make previous writes persistent; NULL if nothing needs to be done
 * @owner: first argument of each
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
	uint64_t reserved[2];
};

/**
 * struct svmrun_block - a disk
 * @virtio: the virtio device, for svmrun_pc_attach()
 * @owner: functions that access its contents
 * @sectors: size of the disk in sectors
 * @name: its ID, padded with zeros
 * @chain: the request that is being carried out
 * @reserved: zero
 */
struct svmrun_block {
	struct svmrun_virtio virtio;
	struct svmrun_block_owner owner;
	uint64_t sectors;
	char name[SVMRUN_BLOCK_NAME];
	struct svmrun_virtio_chain chain;
	uint64_t reserved[4];
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

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BLOCK_H */
