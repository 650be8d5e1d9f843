/* SPDX-License-Identifier: GPL-2.0 */
/* A driver of a virtio device with one queue, which is in the memory of guest_ram.h */
#ifndef VIRTIO_GUEST_H
#define VIRTIO_GUEST_H

#include <svmrun/virtio.h>

#include "guest_ram.h"

#define REG_DEVICE_FEATURES 0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES 0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL 0x030
#define REG_QUEUE_NUM_MAX 0x034
#define REG_QUEUE_NUM 0x038
#define REG_QUEUE_READY 0x044
#define REG_QUEUE_NOTIFY 0x050
#define REG_INTERRUPT_STATUS 0x060
#define REG_INTERRUPT_ACK 0x064
#define REG_STATUS 0x070
#define REG_QUEUE_DESC 0x080
#define REG_QUEUE_DRIVER 0x090
#define REG_QUEUE_DEVICE 0x0a0
#define REG_CONFIG 0x100

#define STATUS_FEATURES_OK 0x08
#define STATUS_LIVE 0x0f /* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK */
#define STATUS_NEEDS_RESET 0x40

#define NEXT 1
#define WRITE 2
#define INDIRECT 4

#define QUEUE_SIZE 8
#define TABLE 0x1000
#define AVAILABLE 0x2000
#define USED 0x3000
#define DATA 0x10000

static inline uint32_t virtio_get(const struct svmrun_virtio *virtio,
				  unsigned int offset)
{
	return svmrun_virtio_read(virtio, offset, 4);
}

static inline void virtio_set(struct svmrun_virtio *virtio, unsigned int offset,
			      uint64_t value)
{
	svmrun_virtio_write(virtio, offset, 4, value);
}

/* Write an address register and the register after it, the upper half. */
static inline void virtio_set_address(struct svmrun_virtio *virtio,
				      unsigned int offset, uint64_t gpa)
{
	virtio_set(virtio, offset, (uint32_t)gpa);
	virtio_set(virtio, offset + 4, gpa >> 32);
}

/* Set size and addresses of the queue, without making it ready. */
static inline void virtio_set_rings(struct svmrun_virtio *virtio, uint32_t size,
				    uint64_t table, uint64_t available,
				    uint64_t used)
{
	virtio_set(virtio, REG_QUEUE_SEL, 0);
	virtio_set(virtio, REG_QUEUE_NUM, size);
	virtio_set_address(virtio, REG_QUEUE_DESC, table);
	virtio_set_address(virtio, REG_QUEUE_DRIVER, available);
	virtio_set_address(virtio, REG_QUEUE_DEVICE, used);
}

static inline void virtio_accept(struct svmrun_virtio *virtio,
				 uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		virtio_set(virtio, REG_DRIVER_FEATURES_SEL, i);
		virtio_set(virtio, REG_DRIVER_FEATURES,
			   (uint32_t)(features >> (32 * i)));
	}
	virtio_set(virtio, REG_STATUS, STATUS_LIVE & ~4);
}

/* Initialize the device as drivers do, with an empty queue. */
static inline void virtio_drive(struct svmrun_virtio *virtio,
				const struct svmrun_memory *ram)
{
	virtio_set(virtio, REG_STATUS, 0);
	virtio_accept(virtio, 1ull << 32);
	memset(guest_ram_at(ram, AVAILABLE, 4), 0, 4);
	memset(guest_ram_at(ram, USED, 4), 0, 4);
	virtio_set_rings(virtio, QUEUE_SIZE, TABLE, AVAILABLE, USED);
	virtio_set(virtio, REG_QUEUE_READY, 1);
	virtio_set(virtio, REG_STATUS, STATUS_LIVE);
}

static inline void virtio_describe(const struct svmrun_memory *ram,
				   unsigned int number, uint64_t gpa,
				   uint32_t size, uint16_t flags, uint16_t next)
{
	uint8_t *at = guest_ram_at(ram, TABLE + 16 * number, 16);

	memcpy(at, &gpa, 8);
	memcpy(at + 8, &size, 4);
	memcpy(at + 12, &flags, 2);
	memcpy(at + 14, &next, 2);
}

/* Make a chain available without notifying the device. */
static inline void virtio_offer(const struct svmrun_memory *ram, uint16_t head)
{
	uint16_t *available = guest_ram_at(ram, AVAILABLE, 4 + 2 * QUEUE_SIZE);

	available[2 + available[1] % QUEUE_SIZE] = head;
	available[1]++;
}

/* Number of chains that the device has used */
static inline uint16_t virtio_used(const struct svmrun_memory *ram)
{
	const uint16_t *used = guest_ram_at(ram, USED, 4);

	return used[1];
}

/* Get the used chain @index: its head and the number of bytes written. */
static inline void virtio_used_entry(const struct svmrun_memory *ram,
				     uint16_t index, uint32_t *head,
				     uint32_t *written)
{
	const uint32_t *entry =
		guest_ram_at(ram, USED + 4 + 8 * (index % QUEUE_SIZE), 8);

	*head = entry[0];
	*written = entry[1];
}

#endif /* VIRTIO_GUEST_H */
