/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small PC: the devices of libsvmrun-machine, connected. The conventions of
 * svmrun/line.h apply: the owner needs one lock for it, and time is an argument.
 */
#ifndef SVMRUN_PC_H
#define SVMRUN_PC_H

#include <svmrun/fwcfg.h>
#include <svmrun/i8042.h>
#include <svmrun/ioapic.h>
#include <svmrun/lapic.h>
#include <svmrun/line.h>
#include <svmrun/pci.h>
#include <svmrun/pic.h>
#include <svmrun/pit.h>
#include <svmrun/pm.h>
#include <svmrun/rtc.h>
#include <svmrun/state.h>
#include <svmrun/testdev.h>
#include <svmrun/uart.h>
#include <svmrun/virtio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PC_CPUS_MAX 64
#define SVMRUN_PC_PM_PORT 0x600
#define SVMRUN_PC_VIRTIO_MAX 8
#define SVMRUN_PC_VIRTIO_GPA 0xd0000000ull /* registers of the first device */
#define SVMRUN_PC_VIRTIO_PIN 16 /* pin of the I/O APIC for the first device */

/**
 * enum svmrun_pc_end - reasons for which a guest ends
 * @SVMRUN_PC_OFF: it entered ACPI's S5, soft-off
 * @SVMRUN_PC_RESET: it requested a reset by port 0xcf9 (also the reset register of the
 *	ACPI tables), 0x92 or 0x64 (the 8042)
 * @SVMRUN_PC_EXIT: it wrote a value to port 0xf4
 */
enum svmrun_pc_end {
	SVMRUN_PC_OFF,
	SVMRUN_PC_RESET,
	SVMRUN_PC_EXIT,
};

/**
 * struct svmrun_pc_owner - functions that the PC calls
 * @wake: called when processor @cpu, which may be running or waiting, has got an
 *	interrupt, a message or an earlier deadline
 * @send: called with each byte that the serial port sends
 * @debug: called with each byte that is written to port 0x402 or 0xe9
 * @end: called when the guest ends, with the value that it wrote, SLP_TYP, or the port by
 *	which it requested the reset
 * @tsc: return the time stamp counter that processor @cpu would read now; NULL: the local
 *	APIC timers have no TSC-deadline mode
 * @tsc_khz: return the present estimate of the TSC's frequency
 * @owner: first argument of each
 * @save: called when the guest requests by a write to port 0xf8 that the machine be saved;
 *	NULL: there is no such port. Save it after the instruction has been completed.
 * @resumed: return what the guest reads from port 0xf8, if there is @save: 0, or from 1 on
 *	if the machine has been resumed. A byte reads as 255 if the number is larger.
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
	void (*save)(void *owner);
	uint32_t (*resumed)(void *owner);
	uint64_t reserved[6];
};

/**
 * struct svmrun_pc - the PC
 * @owner: functions that it calls
 * @cpus: number of processors
 * @unclaimed: number of bytes read from or written to ports without a device
 * @uart: COM1: ports 0x3f8 to 0x3ff, interrupt 4
 * @pic: the 8259s
 * @pit: the 8254, interrupt 0
 * @rtc: the real-time clock, interrupt 8
 * @pm: ACPI power management registers, at SVMRUN_PC_PM_PORT
 * @fwcfg: the configuration for firmware
 * @pci: an empty PCI bus
 * @apics: the local APICs
 * @lapics: the local APIC of each processor
 * @ioapic: the I/O APIC: ISA interrupts at the pins of the same number, except for
 *	interrupt 0 at pin 2
 * @virtio: the attached virtio devices
 * @virtio_count: number of @virtio
 * @i8042: the keyboard controller, interrupts 1 and 12; port 0x92 is also connected to
 *	its address line 20
 * @reset_control: the reset control register, port 0xcf9
 * @testdev: the attached test device, or NULL
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
	struct svmrun_i8042 i8042;
	uint8_t reset_control;
	struct svmrun_testdev *testdev;
	uint64_t reserved[4];
};

/**
 * svmrun_pc_init() - initialize a PC in its power-on state
 * @pc: filled in; must not be moved afterwards
 * @cpus: number of processors, from 1 to SVMRUN_PC_CPUS_MAX
 * @owner: functions that the PC calls; copied
 * @unix_seconds: the present time of day, in seconds since 1970
 * @now: the same moment in nanoseconds of the owner's clock
 */
void svmrun_pc_init(struct svmrun_pc *pc, unsigned int cpus,
		    const struct svmrun_pc_owner *owner, int64_t unix_seconds,
		    uint64_t now);

/**
 * svmrun_pc_reset() - reset all devices, as the reset line of a PC does
 * @pc: the PC
 * @now: the time
 *
 * All processors except the first wait for a start-up message again; the caller resets
 * them. What remains are the time of day and CMOS memory, the items of fw_cfg, the attached
 * virtio devices, and the count of unclaimed accesses.
 */
void svmrun_pc_reset(struct svmrun_pc *pc, uint64_t now);

/**
 * svmrun_pc_memory() - set the size of memory that firmware reads
 * @pc: the PC
 * @low: bytes from address 0 on, at most 3 GiB
 * @high: bytes from 4 GiB on
 *
 * It is stored in the bytes of CMOS that firmware has used since the IBM AT.
 */
void svmrun_pc_memory(struct svmrun_pc *pc, uint64_t low, uint64_t high);

/**
 * svmrun_pc_attach() - attach a virtio device
 * @pc: the PC
 * @virtio: an initialized device; must not be moved afterwards
 *
 * The registers of the first device are at SVMRUN_PC_VIRTIO_GPA, and its level-triggered
 * interrupt is at pin SVMRUN_PC_VIRTIO_PIN of the I/O APIC. Each further device has the
 * next SVMRUN_VIRTIO_SIZE bytes and the next pin. ACPI tables describe the devices to the
 * guest, see struct svmrun_acpi.
 *
 * Return: 0 or a negative errno; -ENOSPC: there are SVMRUN_PC_VIRTIO_MAX devices already.
 */
int svmrun_pc_attach(struct svmrun_pc *pc, struct svmrun_virtio *virtio);

/**
 * svmrun_pc_attach_testdev() - attach a test device
 * @pc: the PC
 * @testdev: an initialized device; must not be moved afterwards
 *
 * Its interrupt lines are those of ISA, and pins 16 to 23 of the I/O APIC. It has port
 * 0xe9, which is not a debug port then.
 */
void svmrun_pc_attach_testdev(struct svmrun_pc *pc,
			      struct svmrun_testdev *testdev);

/**
 * svmrun_pc_port_read() - read from a port (IN)
 * @pc: the PC
 * @port: the port
 * @size: bytes: 1, 2 or 4
 * @now: the time
 *
 * Return: the value; all ones if no device has the port.
 */
uint32_t svmrun_pc_port_read(struct svmrun_pc *pc, uint16_t port,
			     unsigned int size, uint64_t now);

/**
 * svmrun_pc_port_write() - write to a port (OUT)
 * @pc: the PC
 * @port: the port
 * @size: bytes: 1, 2 or 4
 * @value: the value
 * @now: the time
 */
void svmrun_pc_port_write(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint32_t value, uint64_t now);

/**
 * svmrun_pc_has() - does a device have registers at an address?
 * @pc: the PC
 * @cpu: the processor that uses the address: each one sees its own local APIC
 * @gpa: guest physical address without memory
 *
 * Return: true if one has.
 */
bool svmrun_pc_has(const struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa);

/**
 * svmrun_pc_mmio_read() - read a device's register by memory
 * @pc: the PC
 * @cpu: the processor that reads
 * @gpa: guest physical address
 * @size: bytes: 1, 2, 4 or 8
 * @now: the time
 *
 * Return: the value; all ones if no device has the address.
 */
uint64_t svmrun_pc_mmio_read(struct svmrun_pc *pc, unsigned int cpu,
			     uint64_t gpa, unsigned int size, uint64_t now);

/**
 * svmrun_pc_mmio_write() - write a device's register by memory
 * @pc: the PC
 * @cpu: the processor that writes
 * @gpa: guest physical address; the write is ignored if no device has it
 * @size: bytes: 1, 2, 4 or 8
 * @value: the value
 * @now: the time
 */
void svmrun_pc_mmio_write(struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa,
			  unsigned int size, uint64_t value, uint64_t now);

/**
 * svmrun_pc_coprocessor_error() - signal an x87 error
 * @pc: the PC
 *
 * To be called for a processor whose CR0.NE is clear. The error is interrupt 13 until the
 * guest writes to port 0xf0 or 0xf1.
 */
void svmrun_pc_coprocessor_error(struct svmrun_pc *pc);

/**
 * svmrun_pc_deadline() - get the time at which a processor's next timer expires
 * @pc: the PC
 * @cpu: the processor; processor 0 also has the timers that belong to no processor
 *
 * Return: the time at which svmrun_pc_advance() must be called, or SVMRUN_NEVER.
 */
uint64_t svmrun_pc_deadline(const struct svmrun_pc *pc, unsigned int cpu);

/**
 * svmrun_pc_advance() - raise the interrupts of a processor's timers that have expired
 * @pc: the PC
 * @cpu: the processor
 * @now: the time
 */
void svmrun_pc_advance(struct svmrun_pc *pc, unsigned int cpu, uint64_t now);

/**
 * svmrun_pc_interrupts() - is an interrupt pending for a processor?
 * @pc: the PC
 * @cpu: the processor
 *
 * Return: true if its local APIC or the 8259s have one.
 */
bool svmrun_pc_interrupts(const struct svmrun_pc *pc, unsigned int cpu);

/**
 * svmrun_pc_sends_nmi() - can a device send what a processor cannot mask?
 * @pc: the PC
 *
 * Return: true if the guest has let the I/O APIC or the 8259s, by LINT0 of processor 0,
 * send NMIs or INITs. A processor that is halted with interrupts disabled may continue
 * then.
 */
bool svmrun_pc_sends_nmi(const struct svmrun_pc *pc);

/**
 * svmrun_pc_acknowledge() - acknowledge the pending interrupt of a processor
 * @pc: the PC
 * @cpu: the processor, for which svmrun_pc_interrupts() returned true
 *
 * Return: the vector.
 */
uint8_t svmrun_pc_acknowledge(struct svmrun_pc *pc, unsigned int cpu);

/**
 * svmrun_pc_save() - write the state of a PC to records
 * @pc: the PC
 * @state: the records
 *
 * Attached devices are not included. Save them with their own functions.
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_pc_save(const struct svmrun_pc *pc, struct svmrun_state *state);

/**
 * svmrun_pc_load() - read the state of a PC from records
 * @pc: the initialized PC, with as many processors and the same attached devices; after an
 *	error, it must be initialized again
 * @state: the records; they must exist as long as the PC, because the contents of items of
 *	fw_cfg are not copied
 * @now: the time, which is not before that at which the state was saved
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_pc_load(struct svmrun_pc *pc, struct svmrun_state *state,
		   uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PC_H */
