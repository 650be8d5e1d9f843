/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An I/O APIC of 24 pins (Intel 82093AA), with the EOI register of version 0x20.
 *
 * A message is accepted or lost immediately. So the delivery status of a pin is set only
 * for a level-triggered interrupt that no local APIC accepted. It is sent again when the
 * pin is driven, or its entry is written, the next time.
 */
#ifndef SVMRUN_IOAPIC_H
#define SVMRUN_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun/lapic.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_IOAPIC_GPA  0xfec00000ull
#define SVMRUN_IOAPIC_SIZE 0x1000
#define SVMRUN_IOAPIC_PINS 24

/**
 * struct svmrun_ioapic - an I/O APIC
 * @apics: the local APICs that its messages are sent to
 * @select: IOREGSEL, the number of the register that IOWIN accesses
 * @id: its ID register
 * @lines: one bit per pin, set if it is asserted
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
 * @ioapic: filled in; all pins are masked
 * @apics: the local APICs that its messages are sent to
 */
void svmrun_ioapic_init(struct svmrun_ioapic *ioapic,
			struct svmrun_apics *apics);

/**
 * svmrun_ioapic_read() - read a register
 * @ioapic: the I/O APIC
 * @offset: offset in its page; an offset inside a register's four bytes reads the upper
 *	ones of them
 *
 * Return: the value of the register, or 0 if there is none.
 */
uint32_t svmrun_ioapic_read(const struct svmrun_ioapic *ioapic,
			    unsigned int offset);

/**
 * svmrun_ioapic_write() - write a register
 * @ioapic: the I/O APIC
 * @offset: offset in its page; the write is ignored unless it is that of a register
 * @value: the value
 */
void svmrun_ioapic_write(struct svmrun_ioapic *ioapic, unsigned int offset,
			 uint32_t value);

/**
 * svmrun_ioapic_set() - drive a pin
 * @ioapic: a struct svmrun_ioapic; the type is that of svmrun_line.set
 * @pin: number of the pin, ignored if it is not less than SVMRUN_IOAPIC_PINS
 * @level: true if the device requests an interrupt, whatever the electrical level is: the
 *	polarity in the pin's entry can be written and read, but has no effect
 */
void svmrun_ioapic_set(void *ioapic, unsigned int pin, bool level);

/**
 * svmrun_ioapic_vector() - get the vector of a pin
 * @ioapic: the I/O APIC
 * @pin: number of the pin, less than SVMRUN_IOAPIC_PINS
 *
 * Return: the vector, or -1 if the pin is masked.
 */
int svmrun_ioapic_vector(const struct svmrun_ioapic *ioapic, unsigned int pin);

/**
 * svmrun_ioapic_sends_nmi() - can a pin send what a processor cannot mask?
 * @ioapic: the I/O APIC
 *
 * Return: true if the delivery mode of a pin that is not masked is NMI or INIT.
 */
bool svmrun_ioapic_sends_nmi(const struct svmrun_ioapic *ioapic);

/**
 * svmrun_ioapic_eoi() - end a level-triggered interrupt
 * @ioapic: the I/O APIC
 * @vector: the interrupt's vector; it is sent again if its pin is still asserted
 *
 * svmrun_apics_owner.eoi() should call it.
 */
void svmrun_ioapic_eoi(struct svmrun_ioapic *ioapic, uint8_t vector);

/**
 * svmrun_ioapic_save() - write the state of an I/O APIC to a record
 * @ioapic: the I/O APIC
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_ioapic_save(const struct svmrun_ioapic *ioapic,
		       struct svmrun_state *state);

/**
 * svmrun_ioapic_load() - read the state of an I/O APIC from a record
 * @ioapic: the initialized I/O APIC; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_ioapic_load(struct svmrun_ioapic *ioapic,
		       struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_IOAPIC_H */
