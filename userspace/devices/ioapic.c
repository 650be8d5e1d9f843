// SPDX-License-Identifier: LGPL-2.1-or-later
/* The I/O APIC: pins, redirection table and registers (Intel 82093AA) */
#include <svmrun/ioapic.h>

#include "lib/array_size.h"

/* Offsets in the page */
#define IOREGSEL 0x00
#define IOWIN 0x10
#define EOI 0x40

/* Registers that IOWIN accesses */
enum {
	REG_ID = 0x00,
	REG_VERSION = 0x01,
	REG_ARBITRATION = 0x02,
	REG_TABLE = 0x10
};

#define REG_TABLE_END (REG_TABLE + 2 * SVMRUN_IOAPIC_PINS)
#define VERSION_VALUE (0x20 | (SVMRUN_IOAPIC_PINS - 1) << 16)
#define ID_BITS 0x0f000000u

/* Entries of the redirection table (82093AA, 3.2.4) */
#define ENTRY_LOGICAL 0x00800ull
#define ENTRY_STATUS 0x01000ull
#define ENTRY_REMOTE_IRR 0x04000ull
#define ENTRY_LEVEL 0x08000ull
#define ENTRY_MASKED 0x10000ull
#define ENTRY_BITS 0xff0000000001afffull /* bits that can be written */

static unsigned int entry_delivery_mode(uint64_t entry)
{
	return entry >> 8 & 7;
}

/* Other delivery modes are edge-triggered, whatever the entry says. */
static bool entry_is_level(uint64_t entry)
{
	return entry & ENTRY_LEVEL &&
	       entry_delivery_mode(entry) <= SVMRUN_APIC_LOWEST;
}

static bool send_interrupt(struct svmrun_ioapic *ioapic, uint64_t entry)
{
	return svmrun_apics_message(ioapic->apics, entry >> 56,
				    entry & ENTRY_LOGICAL,
				    entry_delivery_mode(entry), entry,
				    entry_is_level(entry));
}

static bool is_asserted(const struct svmrun_ioapic *ioapic, unsigned int pin)
{
	return ioapic->lines >> pin & 1;
}

/* Return whether the pin is level-triggered, asserted, not masked, and not accepted yet. */
static bool needs_delivery(const struct svmrun_ioapic *ioapic, unsigned int pin)
{
	uint64_t entry = ioapic->entries[pin];

	return is_asserted(ioapic, pin) && entry_is_level(entry) &&
	       !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR));
}

/* Set remote IRR after acceptance: an interrupt cannot end before this returns. */
static void send_level(struct svmrun_ioapic *ioapic, unsigned int pin)
{
	if (needs_delivery(ioapic, pin) &&
	    send_interrupt(ioapic, ioapic->entries[pin]))
		ioapic->entries[pin] |= ENTRY_REMOTE_IRR;
}

void svmrun_ioapic_set(void *owner, unsigned int pin, bool level)
{
	struct svmrun_ioapic *ioapic = owner;
	bool rises;

	if (pin >= SVMRUN_IOAPIC_PINS)
		return;
	rises = level && !is_asserted(ioapic, pin);
	ioapic->lines &= ~(1u << pin);
	ioapic->lines |= (uint32_t)level << pin;
	if (entry_is_level(ioapic->entries[pin]))
		send_level(ioapic, pin);
	else if (rises && !(ioapic->entries[pin] & ENTRY_MASKED))
		send_interrupt(ioapic, ioapic->entries[pin]);
}

int svmrun_ioapic_vector(const struct svmrun_ioapic *ioapic, unsigned int pin)
{
	uint64_t entry = ioapic->entries[pin];

	return entry & ENTRY_MASKED ? -1 : (uint8_t)entry;
}

bool svmrun_ioapic_sends_nmi(const struct svmrun_ioapic *ioapic)
{
	unsigned int pin, mode;

	for (pin = 0; pin < SVMRUN_IOAPIC_PINS; pin++) {
		mode = entry_delivery_mode(ioapic->entries[pin]);
		if (!(ioapic->entries[pin] & ENTRY_MASKED) &&
		    (mode == SVMRUN_APIC_NMI || mode == SVMRUN_APIC_INIT))
			return true;
	}
	return false;
}

void svmrun_ioapic_eoi(struct svmrun_ioapic *ioapic, uint8_t vector)
{
	for (unsigned int pin = 0; pin < SVMRUN_IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entries[pin];

		if (!(*entry & ENTRY_REMOTE_IRR) || (uint8_t)*entry != vector)
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		send_level(ioapic, pin);
	}
}

static uint32_t entry_half(uint64_t value, unsigned int reg)
{
	return reg & 1 ? value >> 32 : value;
}

static uint64_t replace_entry_half(uint64_t value, unsigned int reg,
				   uint32_t new)
{
	if (reg & 1)
		return (uint64_t) new << 32 | (uint32_t)value;
	return (value & ~(uint64_t)UINT32_MAX) | new;
}

static uint32_t read_entry(const struct svmrun_ioapic *ioapic, unsigned int reg)
{
	unsigned int pin = (reg - REG_TABLE) / 2;
	uint64_t entry = ioapic->entries[pin];

	if (needs_delivery(ioapic, pin))
		entry |= ENTRY_STATUS;
	return entry_half(entry, reg);
}

/*
 * Edge mode has no remote IRR: software without an EOI register ends an interrupt by
 * switching its entry to edge mode and back.
 */
static void write_entry(struct svmrun_ioapic *ioapic, unsigned int reg,
			uint32_t value)
{
	unsigned int pin = (reg - REG_TABLE) / 2;
	uint64_t *entry = &ioapic->entries[pin];
	uint64_t remote_irr = *entry & ENTRY_REMOTE_IRR;

	*entry = replace_entry_half(*entry, reg, value) & ENTRY_BITS;
	if (entry_is_level(*entry))
		*entry |= remote_irr;
	send_level(ioapic, pin);
}

static uint32_t read_window(const struct svmrun_ioapic *ioapic)
{
	unsigned int reg = ioapic->select;

	if (reg == REG_ID || reg == REG_ARBITRATION)
		return ioapic->id;
	if (reg == REG_VERSION)
		return VERSION_VALUE;
	if (reg >= REG_TABLE && reg < REG_TABLE_END)
		return read_entry(ioapic, reg);
	return 0;
}

static void write_window(struct svmrun_ioapic *ioapic, uint32_t value)
{
	unsigned int reg = ioapic->select;

	if (reg == REG_ID)
		ioapic->id = value & ID_BITS;
	else if (reg >= REG_TABLE && reg < REG_TABLE_END)
		write_entry(ioapic, reg, value);
}

uint32_t svmrun_ioapic_read(const struct svmrun_ioapic *ioapic,
			    unsigned int offset)
{
	unsigned int shift = offset % 4 * 8;

	switch (offset & ~3u) {
	case IOREGSEL:
		return ioapic->select >> shift;
	case IOWIN:
		return read_window(ioapic) >> shift;
	default:
		return 0;
	}
}

void svmrun_ioapic_write(struct svmrun_ioapic *ioapic, unsigned int offset,
			 uint32_t value)
{
	switch (offset) {
	case IOREGSEL:
		ioapic->select = value & 0xff;
		return;
	case IOWIN:
		write_window(ioapic, value);
		return;
	case EOI:
		svmrun_ioapic_eoi(ioapic, value);
		return;
	}
}

void svmrun_ioapic_init(struct svmrun_ioapic *ioapic,
			struct svmrun_apics *apics)
{
	*ioapic = (struct svmrun_ioapic){ .apics = apics };
	for (unsigned int pin = 0; pin < SVMRUN_IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member ioapic_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_ioapic, select),
	SVMRUN_STATE_MEMBER(struct svmrun_ioapic, id),
	SVMRUN_STATE_MEMBER(struct svmrun_ioapic, lines),
	SVMRUN_STATE_MEMBER(struct svmrun_ioapic, entries),
};

int svmrun_ioapic_save(const struct svmrun_ioapic *ioapic,
		       struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_IOAPIC, STATE_VERSION);
	svmrun_state_put_members(state, ioapic, ioapic_members,
				 ARRAY_SIZE(ioapic_members));
	return svmrun_state_end(state);
}

int svmrun_ioapic_load(struct svmrun_ioapic *ioapic, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_IOAPIC, STATE_VERSION);
	svmrun_state_get_members(state, ioapic, ioapic_members,
				 ARRAY_SIZE(ioapic_members));
	return svmrun_state_close(state, true);
}
