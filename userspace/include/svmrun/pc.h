/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small PC: the devices of libsvmrun-machine, wired together. As with each of
 * them (svmrun/line.h), its owner has one lock for it, and time is an argument.
 */
#ifndef SVMRUN_PC_H
#define SVMRUN_PC_H

#include <svmrun/fwcfg.h>
#include <svmrun/ioapic.h>
#include <svmrun/lapic.h>
#include <svmrun/line.h>
#include <svmrun/pci.h>
#include <svmrun/pic.h>
#include <svmrun/pit.h>
#include <svmrun/pm.h>
#include <svmrun/rtc.h>
#include <svmrun/uart.h>
#include <svmrun/virtio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PC_CPUS_MAX 64
#define SVMRUN_PC_PM_PORT 0x600
#define SVMRUN_PC_VIRTIO_MAX 8
#define SVMRUN_PC_VIRTIO_GPA 0xd0000000ull /* of the first device's registers */
#define SVMRUN_PC_VIRTIO_PIN 16 /* of the I/O APIC, the first device's */

/**
 * enum svmrun_pc_end - what a guest may ask for as its last
 * @SVMRUN_PC_OFF: it switched itself off (ACPI's S5)
 * @SVMRUN_PC_RESET: it wants to be reset: port 0xcf9, 0x92 or 0x64
 * @SVMRUN_PC_EXIT: it wrote a value to port 0xf4
 */
enum svmrun_pc_end {
	SVMRUN_PC_OFF,
	SVMRUN_PC_RESET,
	SVMRUN_PC_EXIT,
};

/**
 * struct svmrun_pc_owner - what a PC asks of who has it
 * @wake: that processor has something new to look at, and may be in its guest or
 *	waiting: an interrupt, a message, or an earlier deadline
 * @send: the serial port sends a byte
 * @debug: a byte for port 0x402
 * @end: the guest asked for it, with a value
 * @tsc: a guest processor's time stamp counter now; NULL: no TSC-deadline timer
 * @tsc_khz: its frequency, as well as it is known by now
 * @owner: first argument of each
 * @reserved: zero
 */
struct svmrun_pc_owner {
	void (*wake)(void *owner, unsigned int cpu);
	void (*send)(void *owner, uint8_t byte);
	void (*debug)(void *owner, uint8_t byte);
	void (*end)(void *owner, enum svmrun_pc_end why, uint32_t value);
	uint64_t (*tsc)(void *owner, unsigned int cpu);
	uint32_t (*tsc_khz)(void *owner);
	void *owner;
	uint64_t reserved[8];
};

/**
 * struct svmrun_pc - the PC
 * @owner: who has it
 * @cpus: how many processors
 * @unclaimed: bytes that were read from or written to ports of nobody
 * @uart: COM1: ports 0x3f8 to 0x3ff, interrupt 4
 * @pic: the 8259s
 * @pit: the 8254, interrupt 0
 * @rtc: the clock, interrupt 8
 * @pm: ACPI's registers, at SVMRUN_PC_PM_PORT
 * @fwcfg: what firmware asks of the machine
 * @pci: an empty bus
 * @apics: the local APICs
 * @lapics: of each processor
 * @ioapic: the I/O APIC: the interrupts of ISA at the same pins, but 0 at pin 2
 * @virtio: devices that were attached
 * @virtio_count: how many
 * @reserved: zero
 */
struct svmrun_pc {
	struct svmrun_pc_owner owner;
	unsigned int cpus;
	uint64_t unclaimed;
	struct svmrun_uart uart;
	struct svmrun_pic pic;
	struct svmrun_pit pit;
	struct svmrun_rtc rtc;
	struct svmrun_pm pm;
	struct svmrun_fwcfg fwcfg;
	struct svmrun_pci pci;
	struct svmrun_apics apics;
	struct svmrun_lapic lapics[SVMRUN_PC_CPUS_MAX];
	struct svmrun_ioapic ioapic;
	struct svmrun_virtio *virtio[SVMRUN_PC_VIRTIO_MAX];
	unsigned int virtio_count;
	uint64_t reserved[16];
};

/**
 * svmrun_pc_init() - a PC that has just been switched on
 * @pc: filled in; must stay where it is
 * @cpus: processors, 1 to SVMRUN_PC_CPUS_MAX
 * @owner: who has it, copied
 * @unix_seconds: what time it is
 * @now: the same, in nanoseconds of the owner's clock
 */
void svmrun_pc_init(struct svmrun_pc *pc, unsigned int cpus,
		    const struct svmrun_pc_owner *owner, int64_t unix_seconds,
		    uint64_t now);

/**
 * svmrun_pc_memory() - tell firmware of the memory
 * @pc: the PC
 * @low: bytes from address 0 on, at most 3 GiB
 * @high: bytes from 4 GiB on
 *
 * By the bytes of CMOS that firmware has looked at since the AT.
 */
void svmrun_pc_memory(struct svmrun_pc *pc, uint64_t low, uint64_t high);

/**
 * svmrun_pc_attach() - give it one more virtio device
 * @pc: the PC
 * @virtio: a device that has been initialised; must stay where it is
 *
 * The first one's registers are at SVMRUN_PC_VIRTIO_GPA, its interrupt is at pin
 * SVMRUN_PC_VIRTIO_PIN of the I/O APIC, level-triggered; each that follows is
 * SVMRUN_VIRTIO_SIZE bytes and a pin further. Guests know by ACPI: struct svmrun_acpi.
 *
 * Return: 0, or -ENOSPC if it has SVMRUN_PC_VIRTIO_MAX already.
 */
int svmrun_pc_attach(struct svmrun_pc *pc, struct svmrun_virtio *virtio);

/**
 * svmrun_pc_port_read() - IN
 * @pc: the PC
 * @port: the port
 * @size: bytes: 1, 2 or 4
 * @now: the time
 *
 * Return: what was read; ones where nobody answers.
 */
uint32_t svmrun_pc_port_read(struct svmrun_pc *pc, uint16_t port,
			     unsigned int size, uint64_t now);

/**
 * svmrun_pc_port_write() - OUT
 * @pc: the PC
 * @port: the port
 * @size: bytes: 1, 2 or 4
 * @value: what
 * @now: the time
 */
void svmrun_pc_port_write(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint32_t value, uint64_t now);

/**
 * svmrun_pc_has() - is something of the PC at an address without memory?
 * @pc: the PC
 * @cpu: the processor that asks: each sees its own local APIC
 * @gpa: guest physical address
 *
 * Return: true if there is.
 */
bool svmrun_pc_has(const struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa);

/**
 * svmrun_pc_mmio_read() - read where svmrun_pc_has() something
 * @pc: the PC
 * @cpu: the processor that reads
 * @gpa: guest physical address
 * @size: bytes: 1, 2, 4 or 8
 * @now: the time
 *
 * Return: what was read; ones where there is nothing.
 */
uint64_t svmrun_pc_mmio_read(struct svmrun_pc *pc, unsigned int cpu,
			     uint64_t gpa, unsigned int size, uint64_t now);

/**
 * svmrun_pc_mmio_write() - write where svmrun_pc_has() something
 * @pc: the PC
 * @cpu: the processor that writes
 * @gpa: guest physical address
 * @size: bytes: 1, 2, 4 or 8
 * @value: what
 * @now: the time
 */
void svmrun_pc_mmio_write(struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa,
			  unsigned int size, uint64_t value, uint64_t now);

/**
 * svmrun_pc_deadline() - when a processor must come back, at the latest
 * @pc: the PC
 * @cpu: the processor; the first one also has the timers that are nobody's
 *
 * Return: the time, or SVMRUN_NEVER.
 */
uint64_t svmrun_pc_deadline(const struct svmrun_pc *pc, unsigned int cpu);

/**
 * svmrun_pc_advance() - the time has come
 * @pc: the PC
 * @cpu: the processor whose timers are looked at
 * @now: the time
 */
void svmrun_pc_advance(struct svmrun_pc *pc, unsigned int cpu, uint64_t now);

/**
 * svmrun_pc_interrupts() - is there an interrupt that a processor could take?
 * @pc: the PC
 * @cpu: the processor
 *
 * Return: true if there is, by its local APIC or the 8259s.
 */
bool svmrun_pc_interrupts(const struct svmrun_pc *pc, unsigned int cpu);

/**
 * svmrun_pc_acknowledge() - a processor takes it
 * @pc: the PC
 * @cpu: the processor, which svmrun_pc_interrupts()
 *
 * Return: its vector.
 */
uint8_t svmrun_pc_acknowledge(struct svmrun_pc *pc, unsigned int cpu);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PC_H */
