/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An I/O APIC of version 20h, with 24 pins (Intel 82093AA, and its EOI register) */
#ifndef SVMRUN_IOAPIC_H
#define SVMRUN_IOAPIC_H

#include <svmrun/lapic.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_IOAPIC_PINS 24

/**
 * struct svmrun_ioapic - an I/O APIC
 * @apics: where its messages go
 * @id: what software numbered it
 * @select: which register is in its window
 * @levels: of its pins, a bit each
 * @entries: redirection table
 */
struct svmrun_ioapic {
	struct svmrun_apics *apics;
	uint32_t id;
	uint32_t select;
	uint32_t levels;
	uint64_t entries[SVMRUN_IOAPIC_PINS];
};

/**
 * svmrun_ioapic_init() - an I/O APIC that has just been switched on
 * @ioapic: filled in: all pins are masked
 * @apics: where its messages go
 */
void svmrun_ioapic_init(struct svmrun_ioapic *ioapic,
			struct svmrun_apics *apics);

/**
 * svmrun_ioapic_read() - read a register
 * @ioapic: the I/O APIC
 * @offset: in its page
 *
 * Return: the register; 0 where there is none.
 */
uint32_t svmrun_ioapic_read(const struct svmrun_ioapic *ioapic,
			    unsigned int offset);

/**
 * svmrun_ioapic_write() - write a register
 * @ioapic: the I/O APIC
 * @offset: in its page
 * @value: what
 */
void svmrun_ioapic_write(struct svmrun_ioapic *ioapic, unsigned int offset,
			 uint32_t value);

/**
 * svmrun_ioapic_set() - a pin's level
 * @ioapic: the I/O APIC; of the type that struct svmrun_line has
 * @pin: 0 to 23
 * @level: true if the device asks for an interrupt, whatever the polarity
 */
void svmrun_ioapic_set(void *ioapic, unsigned int pin, bool level);

/**
 * svmrun_ioapic_eoi() - a level-triggered interrupt has ended
 * @ioapic: the I/O APIC
 * @vector: its vector
 *
 * It is sent again if the device still asks.
 */
void svmrun_ioapic_eoi(struct svmrun_ioapic *ioapic, uint8_t vector);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_IOAPIC_H */
