// SPDX-License-Identifier: GPL-2.0
/*
 * Use the test device as kvm-unit-tests do: its register and memory, an interrupt by each
 * of its lines, and a page that is removed from the nested page table.
 */
#include "guest.h"

#define LOADER_MAGIC 0x2badb002

enum {
	FAILED_MAGIC = 1,
	FAILED_REGISTER,
	FAILED_MEMORY,
	FAILED_INTERRUPT,
	FAILED_LEVEL,
	FAILED_FLUSH,
};

#define PORT_REGISTER 0xe0
#define PORT_FLUSH 0xe4
#define PORT_LINES 0x2000
#define LINES 24
#define MEMORY 0xff000000
#define MEMORY_SIZE 0x10000
#define LAPIC 0xfee00000
#define IOAPIC 0xfec00000
#define VECTOR 0x40
#define CODE 0x08

struct gate {
	uint16_t low, selector, type, high;
};

struct table {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

struct frame;

/* Null, code and data; 4 GiB from address 0 */
static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
static struct gate idt[VECTOR + 1];
static volatile unsigned int interrupts;

static volatile uint32_t *at(uint32_t address)
{
	return (volatile uint32_t *)address;
}

__attribute__((interrupt)) static void on_interrupt(struct frame *frame)
{
	(void)frame;
	interrupts++;
	*at(LAPIC + 0xb0) = 0;
}

/* A multiboot loader leaves no valid GDT. */
static void prepare_interrupts(void)
{
	const struct table gdtr = { sizeof(gdt) - 1, (uint32_t)gdt };
	const struct table idtr = { sizeof(idt) - 1, (uint32_t)idt };
	uint32_t handler = (uint32_t)on_interrupt;

	idt[VECTOR] = (struct gate){ handler, CODE, 0x8e00, handler >> 16 };
	asm volatile("lgdt %0; ljmp %1, $1f; 1:" : : "m"(gdtr), "i"(CODE));
	asm volatile("lidt %0" : : "m"(idtr));
	*at(LAPIC + 0xf0) = 0x1ff;
}

/* Let a line of the I/O APIC interrupt this processor by an edge. */
static void set_pin(unsigned int pin, uint32_t entry)
{
	*at(IOAPIC) = 0x11 + 2 * pin;
	*at(IOAPIC + 0x10) = 0;
	*at(IOAPIC) = 0x10 + 2 * pin;
	*at(IOAPIC + 0x10) = entry;
}

static void allow_interrupts(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

static int test_register(void)
{
	out32(PORT_REGISTER, 0x12345678);
	out8(PORT_REGISTER + 1, 0xab);
	if (in32(PORT_REGISTER) != 0x1234ab78)
		return FAILED_REGISTER;
	return in32(PORT_REGISTER + 8) == 0x1234ab78 ? 0 : FAILED_REGISTER;
}

static int test_memory(void)
{
	uint32_t i;

	for (i = 0; i < MEMORY_SIZE; i += 0x1010)
		*at(MEMORY + (i & ~3u)) = i * 0x01010101;
	for (i = 0; i < MEMORY_SIZE; i += 0x1010)
		if (*at(MEMORY + (i & ~3u)) != i * 0x01010101)
			return FAILED_MEMORY;
	return 0;
}

static int test_interrupts(void)
{
	unsigned int line, pin;

	for (line = 0; line < LINES; line++) {
		if (line == 2)
			continue; /* the cascade of the 8259s */
		pin = line ? line : 2;
		set_pin(pin, VECTOR);
		interrupts = 0;
		out8(PORT_LINES + line, 0);
		allow_interrupts();
		if (interrupts)
			return FAILED_LEVEL;
		out8(PORT_LINES + line, 1);
		allow_interrupts();
		out8(PORT_LINES + line, 0);
		allow_interrupts();
		if (interrupts != 1)
			return FAILED_INTERRUPT;
		set_pin(pin, 0x10000);
	}
	return 0;
}

static int test_flush(void)
{
	uint32_t i, page = 0x00800000;

	for (i = 0; i < 100; i++) {
		*at(page + 4 * i) = i;
		out32(PORT_FLUSH, page);
		if (*at(page + 4 * i) != i)
			return FAILED_FLUSH;
	}
	out32(PORT_FLUSH, 0xfffff000); /* no memory */
	return 0;
}

/* Called by startmb.S with the loader's EAX and EBX */
int multiboot(uint32_t magic, const void *info)
{
	int failed;

	if (magic != LOADER_MAGIC || !info)
		return FAILED_MAGIC;
	prepare_interrupts();
	failed = test_register();
	if (!failed)
		failed = test_memory();
	if (!failed)
		failed = test_interrupts();
	if (!failed)
		failed = test_flush();
	if (!failed)
		serial_puts("The test device works.\n");
	return failed;
}
