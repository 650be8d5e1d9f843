/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The common part of virtio devices: registers in memory (Virtual I/O Device 1.2, 4.2.2)
 * and split virtqueues (2.7). There is no legacy interface (4.2.4), and there are no
 * indirect descriptors and no event indices.
 *
 * If a guest violates the rules for its queues, DEVICE_NEEDS_RESET (2.1.1) is set, and
 * requests are ignored until it resets the device.
 */
#ifndef SVMRUN_VIRTIO_H
#define SVMRUN_VIRTIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <svmrun.h>
#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_VIRTIO_SIZE 0x1000 /* bytes of a device's registers */
#define SVMRUN_VIRTIO_QUEUES 2
#define SVMRUN_VIRTIO_ENTRIES 128 /* maximum size of a queue */
#define SVMRUN_VIRTIO_CONFIG 64 /* bytes of configuration space */

/**
 * struct svmrun_virtio_kind - a type of device
 * @id: device ID (chapter 5)
 * @features: features that it offers besides VIRTIO_F_VERSION_1
 * @queues: number of queues, from 1 to SVMRUN_VIRTIO_QUEUES
 * @notify: called when the guest notifies the device of new buffers in a queue
 * @owner: first argument of @notify and @reset
 * @reset: called when the guest resets the device or disables a queue: chains that were
 *	taken before must not be given back; NULL if none are kept after @notify
 * @reserved: zero
 */
struct svmrun_virtio_kind {
	uint32_t id;
	uint64_t features;
	unsigned int queues;
	void (*notify)(void *owner, unsigned int queue);
	void *owner;
	void (*reset)(void *owner);
	uint64_t reserved[3];
};

/**
 * struct svmrun_virtqueue - a queue
 * @size: number of entries that the guest has set
 * @ready: the guest has set it up
 * @descriptors: guest physical address of the descriptor table
 * @driver: guest physical address of the available ring
 * @device: guest physical address of the used ring
 * @table: the descriptor table, valid while @ready is set
 * @available: the available ring, likewise
 * @used: the used ring, likewise
 * @taken: number of chains taken from the available ring, modulo 2^16
 * @given: number of chains put into the used ring, modulo 2^16
 *
 * It never grows.
 */
struct svmrun_virtqueue {
	uint32_t size;
	bool ready;
	uint64_t descriptors;
	uint64_t driver;
	uint64_t device;
	void *table;
	void *available;
	void *used;
	uint16_t taken;
	uint16_t given;
};

/**
 * struct svmrun_virtio - a device
 * @kind: type of the device
 * @memories: the guest's memory, without what the guest cannot write to
 * @memory_count: number of @memories
 * @line: its interrupt
 * @config: configuration space, which the guest can read
 * @status: device status
 * @interrupts: interrupt status
 * @offered: DeviceFeaturesSel: which half of the offered features the guest reads
 * @accepted: DriverFeaturesSel: which half of the accepted features it writes
 * @features: features that the guest has accepted
 * @queue: QueueSel: the queue that the guest sets up
 * @queues: the queues
 * @reserved: zero
 */
struct svmrun_virtio {
	struct svmrun_virtio_kind kind;
	const struct svmrun_memory *memories;
	size_t memory_count;
	struct svmrun_line line;
	uint8_t config[SVMRUN_VIRTIO_CONFIG];
	uint32_t status;
	uint32_t interrupts;
	uint32_t offered;
	uint32_t accepted;
	uint64_t features;
	uint32_t queue;
	struct svmrun_virtqueue queues[SVMRUN_VIRTIO_QUEUES];
	uint64_t reserved[8];
};

/**
 * struct svmrun_virtio_chain - a chain of buffers in the guest's memory
 * @head: index of its first descriptor, for svmrun_virtio_give()
 * @out_count: number of @out
 * @in_count: number of @in
 * @out_size: total size of @out in bytes
 * @in_size: total size of @in in bytes, less than 4 GiB
 * @out: buffers that the device reads, none of them empty
 * @in: buffers that the device writes, none of them empty
 * @reserved: zero
 */
struct svmrun_virtio_chain {
	uint16_t head;
	unsigned int out_count;
	unsigned int in_count;
	size_t out_size;
	size_t in_size;
	struct iovec out[SVMRUN_VIRTIO_ENTRIES];
	struct iovec in[SVMRUN_VIRTIO_ENTRIES];
	uint64_t reserved[4];
};

/**
 * svmrun_virtio_init() - initialize a device in its reset state
 * @virtio: filled in; the configuration space is all zeros, the interrupt not connected
 * @kind: type of the device; copied
 * @memories: the guest's memory, without what the guest cannot write to; the array must
 *	not change afterwards
 * @memory_count: number of @memories
 */
void svmrun_virtio_init(struct svmrun_virtio *virtio,
			const struct svmrun_virtio_kind *kind,
			const struct svmrun_memory *memories,
			size_t memory_count);

/**
 * svmrun_virtio_read() - read a register
 * @virtio: the device
 * @offset: 0 to SVMRUN_VIRTIO_SIZE - 1
 * @size: bytes: 1, 2, 4 or 8; registers below 0x100 have 4
 *
 * Return: the value, or 0 if there is no such register.
 */
uint64_t svmrun_virtio_read(const struct svmrun_virtio *virtio,
			    unsigned int offset, unsigned int size);

/**
 * svmrun_virtio_write() - write a register
 * @virtio: the device
 * @offset: 0 to SVMRUN_VIRTIO_SIZE - 1
 * @size: bytes: 1, 2, 4 or 8
 * @value: the value
 *
 * A write to QueueNotify calls @notify of the device, which may carry out requests. A write
 * of 0 to Status calls its @reset, and so does one of 0 to QueueReady of a queue in use.
 */
void svmrun_virtio_write(struct svmrun_virtio *virtio, unsigned int offset,
			 unsigned int size, uint64_t value);

/**
 * svmrun_virtio_take() - take the next chain from the available ring
 * @virtio: the device
 * @queue: number of the queue
 * @chain: filled in
 *
 * Descriptors are read only once. The guest may write to the buffers at any time.
 *
 * Return: true, or false if there is no chain, or the guest has violated the rules.
 */
bool svmrun_virtio_take(struct svmrun_virtio *virtio, unsigned int queue,
			struct svmrun_virtio_chain *chain);

/**
 * svmrun_virtio_give() - put a chain into the used ring
 * @virtio: the device
 * @queue: number of the queue
 * @head: @head of the chain
 * @written: number of bytes written to the chain, from its first byte on
 *
 * An interrupt is raised unless the guest has disabled it.
 */
void svmrun_virtio_give(struct svmrun_virtio *virtio, unsigned int queue,
			uint16_t head, uint32_t written);

/**
 * svmrun_virtio_reset() - reset a device
 * @virtio: the device; it is in its reset state then, and its @reset has been called
 *
 * The guest does the same by writing 0 to Status (Virtual I/O Device 1.2, 2.1).
 */
void svmrun_virtio_reset(struct svmrun_virtio *virtio);

/**
 * svmrun_virtio_need_reset() - stop a device whose rules the guest has violated
 * @virtio: the device; it ignores requests until the guest resets it
 */
void svmrun_virtio_need_reset(struct svmrun_virtio *virtio);

/**
 * svmrun_virtio_save() - write the state of a device to a record
 * @virtio: the device; the device of which it is a part has taken no chain that it has not
 *	given back
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_virtio_save(const struct svmrun_virtio *virtio,
		       struct svmrun_state *state);

/**
 * svmrun_virtio_load() - read the state of a device from a record
 * @virtio: the initialized device, which offers the same features, and whose guest's memory
 *	has the same addresses; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_virtio_load(struct svmrun_virtio *virtio,
		       struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_VIRTIO_H */
