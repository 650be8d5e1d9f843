/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all virtio devices have in common: registers in memory (Virtual I/O Device 1.2,
 * 4.2.2) and split virtqueues (2.7). No legacy interface (4.2.4), no indirect
 * descriptors, no event indices.
 *
 * A guest that breaks the rules of its queues gets DEVICE_NEEDS_RESET (2.1.1), and
 * nothing is taken from it until it resets the device.
 */
#ifndef SVMRUN_VIRTIO_H
#define SVMRUN_VIRTIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <svmrun.h>
#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_VIRTIO_SIZE 0x1000 /* bytes of the registers of a device */
#define SVMRUN_VIRTIO_QUEUES 2
#define SVMRUN_VIRTIO_ENTRIES 128 /* of a queue, at most */
#define SVMRUN_VIRTIO_CONFIG 64 /* bytes of configuration, at most */

/**
 * struct svmrun_virtio_kind - what sort of device it is
 * @id: device ID (chapter 5)
 * @features: that it offers, but VERSION_1, which each device has
 * @queues: how many
 * @notify: the guest says that there is something new in a queue
 * @owner: first argument of @notify
 * @reserved: zero
 */
struct svmrun_virtio_kind {
	uint32_t id;
	uint64_t features;
	unsigned int queues;
	void (*notify)(void *owner, unsigned int queue);
	void *owner;
	uint64_t reserved[4];
};

/**
 * struct svmrun_virtqueue - a queue
 * @size: entries, as the guest wants it
 * @ready: the guest has set it up
 * @descriptors: where the guest says its table is
 * @driver: and the ring of what is available
 * @device: and the ring of what is used
 * @table: these three, while it is @ready
 * @available: the second
 * @used: the third
 * @taken: how many chains were taken, modulo 2^16
 * @given: how many were given back
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
 * @kind: what sort of
 * @memories: the guest's memory, without what it cannot write to
 * @memory_count: how many ranges
 * @line: its interrupt
 * @config: its configuration, which the guest can read
 * @status: device status
 * @interrupts: interrupt status
 * @offered: which half of its features the guest reads
 * @accepted: which half of the accepted ones it writes
 * @features: that the guest has accepted
 * @queue: which one it sets up
 * @queues: all of them
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
 * @head: by which it is given back
 * @out_count: how many the device reads
 * @in_count: how many it writes to
 * @out_size: bytes of them
 * @in_size: bytes of these, no more than 32 bits hold
 * @out: to be read, none of them empty
 * @in: to be written to, none of them empty
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
 * svmrun_virtio_init() - a device after reset
 * @virtio: filled in; its configuration is zeros, its interrupt a wire that ends nowhere
 * @kind: what sort of, copied; 1 to SVMRUN_VIRTIO_QUEUES queues
 * @memories: the guest's memory; must stay, and stay as it is
 * @memory_count: how many ranges
 */
void svmrun_virtio_init(struct svmrun_virtio *virtio,
			const struct svmrun_virtio_kind *kind,
			const struct svmrun_memory *memories,
			size_t memory_count);

/**
 * svmrun_virtio_read() - read a register
 * @virtio: the device
 * @offset: 0 to SVMRUN_VIRTIO_SIZE - 1
 * @size: bytes: 1, 2, 4 or 8; below 0x100 there are only registers of 4
 *
 * Return: the register; zeros where there is none.
 */
uint64_t svmrun_virtio_read(const struct svmrun_virtio *virtio,
			    unsigned int offset, unsigned int size);

/**
 * svmrun_virtio_write() - write a register
 * @virtio: the device
 * @offset: 0 to SVMRUN_VIRTIO_SIZE - 1
 * @size: bytes: 1, 2, 4 or 8
 * @value: what
 *
 * The device may do its work meanwhile: one register notifies it.
 */
void svmrun_virtio_write(struct svmrun_virtio *virtio, unsigned int offset,
			 unsigned int size, uint64_t value);

/**
 * svmrun_virtio_take() - take the next chain that the guest has made available
 * @virtio: the device
 * @queue: of which queue
 * @chain: receives it
 *
 * The guest may write to the buffers at any time; where they are is read once.
 *
 * Return: false if there is none, or the guest has broken the rules.
 */
bool svmrun_virtio_take(struct svmrun_virtio *virtio, unsigned int queue,
			struct svmrun_virtio_chain *chain);

/**
 * svmrun_virtio_give() - give a chain back, with an interrupt unless none is wanted
 * @virtio: the device
 * @queue: of which queue
 * @head: of the chain
 * @written: bytes that were written to it, from its first on
 */
void svmrun_virtio_give(struct svmrun_virtio *virtio, unsigned int queue,
			uint16_t head, uint32_t written);

/**
 * svmrun_virtio_need_reset() - the guest has broken the device's rules
 * @virtio: the device, which does nothing until it is reset
 */
void svmrun_virtio_need_reset(struct svmrun_virtio *virtio);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_VIRTIO_H */
