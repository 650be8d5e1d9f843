/* SPDX-License-Identifier: GPL-2.0 */
/* GDT and IDT of 64-bit guests that handle exceptions and interrupts */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdint.h>

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10

/*
 * The frame of a handler. Handlers take it as volatile: GCC 14 drops writes to it that nothing
 * reads before IRET.
 */
struct frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
static struct gate idt[256];

static void set_gate(unsigned int vector, void *handler)
{
	uint64_t address = (uint64_t)handler;

	idt[vector] = (struct gate){
		.offset_low = address,
		.selector = CODE_SELECTOR,
		.type = 0x8e00,
		.offset_middle = address >> 16,
		.offset_high = address >> 32,
	};
}

/* Load both tables, and the data segments. CS has the selector already. */
static void load_descriptor_tables(void)
{
	const struct table gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
	const struct table idtr = { sizeof(idt) - 1, (uint64_t)idt };

	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	asm volatile("mov %0, %%ss; mov %0, %%ds; mov %0, %%es"
		     :
		     : "r"(DATA_SELECTOR));
}

#endif /* DESCRIPTORS_H */
