// SPDX-License-Identifier: LGPL-2.1-or-later
#include <svmrun/ioapic.h>

#define OFFSET_SELECT 0x00
#define OFFSET_WINDOW 0x10
#define OFFSET_EOI 0x40

#define REG_ID 0x00
#define REG_VERSION 0x01
#define REG_ARBITRATION 0x02
#define REG_TABLE 0x10

#define VERSION (0x20 | (SVMRUN_IOAPIC_PINS - 1) << 16)
#define ID_BITS 0x0f000000

#define ENTRY_VECTOR 0xff
#define ENTRY_MODE 0x700
#define ENTRY_LOGICAL (1 << 11)
#define ENTRY_IRR (1 << 14)
#define ENTRY_LEVEL (1 << 15)
#define ENTRY_MASKED (1 << 16)
#define ENTRY_READ_ONLY (1 << 12 | ENTRY_IRR) /* delivery status, remote IRR */
#define ENTRY_BITS 0x1ffff

void svmrun_ioapic_init(struct svmrun_ioapic *ioapic,
			struct svmrun_apics *apics)
{
	unsigned int i;

	*ioapic = (struct svmrun_ioapic){ .apics = apics };
	for (i = 0; i < SVMRUN_IOAPIC_PINS; i++)
		ioapic->entries[i] = ENTRY_MASKED;
}

static void send(struct svmrun_ioapic *ioapic, unsigned int pin)
{
	uint64_t *entry = &ioapic->entries[pin];
	bool level = *entry & ENTRY_LEVEL;

	if (level)
		*entry |= ENTRY_IRR;
	svmrun_apics_message(ioapic->apics, *entry >> 56,
			     *entry & ENTRY_LOGICAL, (*entry & ENTRY_MODE) >> 8,
			     *entry & ENTRY_VECTOR, level);
}

/* A level that has been sent is not sent again before its end. */
static void look(struct svmrun_ioapic *ioapic, unsigned int pin)
{
	uint64_t entry = ioapic->entries[pin];

	if ((ioapic->levels >> pin & 1) && (entry & ENTRY_LEVEL) &&
	    !(entry & (ENTRY_MASKED | ENTRY_IRR)))
		send(ioapic, pin);
}

void svmrun_ioapic_set(void *owner, unsigned int pin, bool level)
{
	struct svmrun_ioapic *ioapic = owner;
	bool was;

	if (pin >= SVMRUN_IOAPIC_PINS)
		return;
	was = ioapic->levels >> pin & 1;
	ioapic->levels &= ~(1u << pin);
	ioapic->levels |= (uint32_t)level << pin;
	if (ioapic->entries[pin] & ENTRY_LEVEL)
		look(ioapic, pin);
	else if (level && !was && !(ioapic->entries[pin] & ENTRY_MASKED))
		send(ioapic, pin);
}

void svmrun_ioapic_eoi(struct svmrun_ioapic *ioapic, uint8_t vector)
{
	unsigned int i;

	for (i = 0; i < SVMRUN_IOAPIC_PINS; i++) {
		if ((ioapic->entries[i] & ENTRY_VECTOR) != vector ||
		    !(ioapic->entries[i] & ENTRY_LEVEL))
			continue;
		ioapic->entries[i] &= ~(uint64_t)ENTRY_IRR;
		look(ioapic, i);
	}
}

static uint32_t read_entry(const struct svmrun_ioapic *ioapic, uint32_t reg)
{
	uint32_t pin = (reg - REG_TABLE) / 2;

	if (reg < REG_TABLE || pin >= SVMRUN_IOAPIC_PINS)
		return 0;
	return reg & 1 ? ioapic->entries[pin] >> 32 : ioapic->entries[pin];
}

static uint32_t read(const struct svmrun_ioapic *ioapic, uint32_t reg)
{
	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id;
	case REG_VERSION:
		return VERSION;
	default:
		return read_entry(ioapic, reg);
	}
}

uint32_t svmrun_ioapic_read(const struct svmrun_ioapic *ioapic,
			    unsigned int offset)
{
	if (offset == OFFSET_SELECT)
		return ioapic->select;
	return offset == OFFSET_WINDOW ? read(ioapic, ioapic->select) : 0;
}

static void write_low(struct svmrun_ioapic *ioapic, unsigned int pin,
		      uint32_t value)
{
	uint64_t *entry = &ioapic->entries[pin];
	uint64_t keep = ~(uint64_t)(ENTRY_BITS & ~ENTRY_READ_ONLY);

	*entry = (*entry & keep) | (value & ENTRY_BITS & ~ENTRY_READ_ONLY);
	if (!(value & ENTRY_LEVEL))
		*entry &= ~(uint64_t)ENTRY_IRR;
	look(ioapic, pin);
}

static void write(struct svmrun_ioapic *ioapic, uint32_t reg, uint32_t value)
{
	uint32_t pin = (reg - REG_TABLE) / 2;

	if (reg == REG_ID)
		ioapic->id = value & ID_BITS;
	if (reg < REG_TABLE || pin >= SVMRUN_IOAPIC_PINS)
		return;
	if (reg & 1)
		ioapic->entries[pin] = (uint64_t)(value & 0xff000000) << 32 |
				       (uint32_t)ioapic->entries[pin];
	else
		write_low(ioapic, pin, value);
}

void svmrun_ioapic_write(struct svmrun_ioapic *ioapic, unsigned int offset,
			 uint32_t value)
{
	if (offset == OFFSET_SELECT)
		ioapic->select = value & 0xff;
	else if (offset == OFFSET_WINDOW)
		write(ioapic, ioapic->select, value);
	else if (offset == OFFSET_EOI)
		svmrun_ioapic_eoi(ioapic, value);
}
