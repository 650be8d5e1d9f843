/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk: virtio's block device (Virtual I/O Device 1.2, 5.2). It reads, writes and
 * flushes while the guest's notification lasts, so its owner's functions may block,
 * and the processor that notified waits.
 */
#ifndef SVMRUN_BLOCK_H
#define SVMRUN_BLOCK_H

#include <svmrun/virtio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_BLOCK_SECTOR 512 /* bytes */
#define SVMRUN_BLOCK_NAME 20 /* bytes of a name that the guest can ask for */

/**
 * struct svmrun_block_owner - what holds the disk's contents
 * @read: fill all of @to with what is at @offset, in bytes; 0, or a negative errno
 * @write: write all of @from to @offset; NULL for a disk that is only read
 * @flush: what was written is to last; NULL if there is nothing to be done for that
 * @owner: first argument of each
 * @reserved: zero
 *
 * Offset and size are multiples of a sector within the disk. The array may be
 * changed; what it points to is the guest's memory.
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
 * @virtio: the device, to be attached: svmrun_pc_attach()
 * @owner: what holds its contents
 * @sectors: how many
 * @name: which the guest can ask for, padded with zeros
 * @chain: the request that is worked on
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
 * svmrun_block_init() - a disk after reset
 * @block: filled in; must stay where it is
 * @owner: what holds its contents, copied
 * @sectors: how many, of SVMRUN_BLOCK_SECTOR bytes; less than 2^55
 * @name: what it is called; longer ones are cut off
 * @memories: the guest's memory, which it can write to; must stay as it is
 * @memory_count: how many ranges
 */
void svmrun_block_init(struct svmrun_block *block,
		       const struct svmrun_block_owner *owner, uint64_t sectors,
		       const char *name, const struct svmrun_memory *memories,
		       size_t memory_count);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BLOCK_H */
