/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An I/O APIC of 24 pins (Intel 82093AA), with the EOI register of version 0x20.
 *
 * Messages are accepted or lost at once, so that the delivery status of a pin shows
 * only a level-triggered one that nobody accepted; that is tried again when the pin,
 * or its entry, is touched next.
 */
#ifndef SVMRUN_IOAPIC_H
#define SVMRUN_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun/lapic.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_IOAPIC_GPA  0xfec00000ull
#define SVMRUN_IOAPIC_SIZE 0x1000
#define SVMRUN_IOAPIC_PINS 24

/**
 * struct svmrun_ioapic - an I/O APIC
 * @apics: who gets its messages
 * @select: IOREGSEL, the register that IOWIN shows
 * @id: its id register
 * @lines: a bit for each pin that is asserted
 * @entries: the redirection table
 * @reserved: zero
 */
struct svmrun_ioapic {
	struct svmrun_apics *apics;
	uint32_t select;
	uint32_t id;
	uint32_t lines;
	uint64_t entries[SVMRUN_IOAPIC_PINS];
	uint64_t reserved[4];
};

/**
 * svmrun_ioapic_init() - reset an I/O APIC
 * @ioapic: to be set up: all pins are masked
 * @apics: who gets its messages
 */
void svmrun_ioapic_init(struct svmrun_ioapic *ioapic,
			struct svmrun_apics *apics);

/**
 * svmrun_ioapic_read() - read a register
 * @ioapic: the I/O APIC
 * @offset: in its page; inside a register's four bytes, the upper of them are read
 *
 * Return: the register, or 0 where there is none.
 */
uint32_t svmrun_ioapic_read(const struct svmrun_ioapic *ioapic,
			    unsigned int offset);

/**
 * svmrun_ioapic_write() - write a register
 * @ioapic: the I/O APIC
 * @offset: in its page; swallowed unless it is a register's
 * @value: what
 */
void svmrun_ioapic_write(struct svmrun_ioapic *ioapic, unsigned int offset,
			 uint32_t value);

/**
 * svmrun_ioapic_set() - drive a pin
 * @ioapic: a struct svmrun_ioapic, as of svmrun_line.set
 * @pin: its number; others than those that are there are ignored
 * @level: whether the device asks for an interrupt, whatever voltage says so: the
 *         polarity that a guest sets for the pin reads as written, and is right
 */
void svmrun_ioapic_set(void *ioapic, unsigned int pin, bool level);

/**
 * svmrun_ioapic_eoi() - note that a level-triggered interrupt has ended
 * @ioapic: the I/O APIC
 * @vector: of the interrupt; it is sent again if its pin is still asserted
 *
 * It is what svmrun_apics_owner.eoi() is to call.
 */
void svmrun_ioapic_eoi(struct svmrun_ioapic *ioapic, uint8_t vector);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_IOAPIC_H */
