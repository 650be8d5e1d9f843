/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that is about to execute an instruction. It has 64 KiB of memory; all other
 * addresses belong to a device with 4 KiB of storage, which repeats in each page.
 */
#ifndef BUS_GUEST_H
#define BUS_GUEST_H

#include <svmrun/instruction.h>

#include "vcpu_pages.h"

#define GUEST_CODE 0x1000ull
#define GUEST_DATA 0x3000ull
#define GUEST_TABLES 0x8000ull
#define GUEST_STACK 0x7000ull
#define GUEST_END 0x10000ull
#define GUEST_DEVICE 0xd0000000ull

/*
 * @reads, @writes: accesses to the device; @ins, @outs: accesses to ports; @gpa, @port,
 * @size, @value: the last access
 */
struct bus_guest {
	struct vcpu_pages pages;
	_Alignas(4096) uint8_t memory[GUEST_END];
	uint8_t device[4096 + 8];
	struct svmrun_memory memories[1];
	struct svmrun_vcpu vcpu;
	struct svmrun_bus bus;
	unsigned int reads, writes, ins, outs, asked, stop_after;
	uint64_t gpa, value;
	unsigned int size;
	uint16_t port;
	uint32_t in, out;
};

static inline uint64_t guest_mmio_read(void *owner, uint64_t gpa,
				       unsigned int size)
{
	struct bus_guest *guest = owner;
	uint64_t value = 0;

	memcpy(&value, guest->device + gpa % 4096, size);
	guest->reads++;
	guest->gpa = gpa;
	guest->size = size;
	return value;
}

static inline void guest_mmio_write(void *owner, uint64_t gpa,
				    unsigned int size, uint64_t value)
{
	struct bus_guest *guest = owner;

	memcpy(guest->device + gpa % 4096, &value, size);
	guest->writes++;
	guest->gpa = gpa;
	guest->size = size;
	guest->value = value;
}

static inline uint32_t guest_port_read(void *owner, uint16_t port,
				       unsigned int size)
{
	struct bus_guest *guest = owner;

	guest->ins++;
	guest->port = port;
	guest->size = size;
	return guest->in++;
}

static inline void guest_port_write(void *owner, uint16_t port,
				    unsigned int size, uint32_t value)
{
	struct bus_guest *guest = owner;

	guest->outs++;
	guest->port = port;
	guest->size = size;
	guest->out = value;
}

static inline bool guest_stop(void *owner)
{
	struct bus_guest *guest = owner;

	return ++guest->asked == guest->stop_after;
}

static inline void guest_reset(struct bus_guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	guest->vcpu = vcpu_pages_fill(&guest->pages);
	guest->memories[0] = (struct svmrun_memory){
		.base = guest->memory,
		.size = sizeof(guest->memory),
	};
	guest->bus = (struct svmrun_bus){
		.memories = guest->memories,
		.memory_count = 1,
		.mmio_read = guest_mmio_read,
		.mmio_write = guest_mmio_write,
		.port_read = guest_port_read,
		.port_write = guest_port_write,
		.stop = guest_stop,
		.owner = guest,
	};
}

/* 64-bit mode; the low 4 GiB are mapped one to one for the supervisor */
static inline void guest_long(struct bus_guest *guest)
{
	guest_reset(guest);
	svmrun_mode_long(&guest->vcpu, guest->memories, GUEST_TABLES,
			 GUEST_CODE, GUEST_STACK);
	guest->pages.vmcb.control.exitcode = VMEXIT_NPF;
}

static inline void guest_protected(struct bus_guest *guest)
{
	guest_reset(guest);
	svmrun_mode_protected(&guest->vcpu, GUEST_CODE, GUEST_STACK);
	guest->pages.vmcb.control.exitcode = VMEXIT_NPF;
}

static inline void guest_real(struct bus_guest *guest)
{
	guest_reset(guest);
	svmrun_mode_real(&guest->vcpu, 0, GUEST_CODE);
	guest->pages.vmcb.control.exitcode = VMEXIT_NPF;
}

#endif /* BUS_GUEST_H */
