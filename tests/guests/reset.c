// SPDX-License-Identifier: GPL-2.0
/*
 * Reset the machine twice, in the way that the last character of the command line says.
 * Each start prints the state that it finds, which must be the same each time, and then
 * changes all of it. CMOS memory, which survives, counts the starts.
 */
#include "guest.h"

#define LOADER_MAGIC 0x2badb002
#define FAILED_MAGIC 1
#define STARTS 3
#define CMOS_COUNT 0x50
#define CMOS_TSC 0x51 /* 8 bytes */

#define IMAGE_WORD 0x600df00d
#define FAR_MEMORY ((volatile uint32_t *)0x02000000)
#define AP_CODE 0x8000
#define AP_COUNTER ((volatile uint32_t *)0x7000)
#define LAPIC 0xfee00000
#define IOAPIC 0xfec00000
#define MSR_APIC_BASE 0x1b
#define MSR_PAT 0x277
#define MSR_MTRR_DEFAULT 0x2ff
#define MSR_EFER 0xc0000080

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, command_line;
	uint32_t module_count, modules;
};

/* xor ax, ax; mov ds, ax; count: inc dword [0x7000]; jmp count */
static const uint8_t code_count[] = {
	0x31, 0xc0, 0x8e, 0xd8, 0x66, 0xff, 0x06, 0x00, 0x70, 0xeb, 0xf9,
};
/* mov dx, 0xcf9; mov al, 6; out dx, al; jmp $ */
static const uint8_t code_reset[] = {
	0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xeb, 0xfe,
};

static volatile uint32_t image_word = IMAGE_WORD;
static volatile uint32_t zero_word;

static uint64_t read_tsc(void)
{
	uint64_t value;

	asm volatile("rdtsc" : "=A"(value));
	return value;
}

static volatile uint32_t *lapic(uint32_t offset)
{
	return (volatile uint32_t *)(LAPIC + offset);
}

static volatile uint32_t *ioapic(uint32_t index)
{
	*(volatile uint32_t *)IOAPIC = index;
	return (volatile uint32_t *)(IOAPIC + 0x10);
}

static uint8_t cmos(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static void set_cmos(uint8_t index, uint8_t value)
{
	out8(0x70, index);
	out8(0x71, value);
}

/* Wait for some changes of the refresh bit, 15 microseconds each. */
static void wait_a_moment(void)
{
	unsigned int i, last = in8(0x61) & 0x10;

	for (i = 0; i < 500; i++) {
		while ((in8(0x61) & 0x10) == last)
			;
		last ^= 0x10;
	}
}

static void print_state(const char *name, uint64_t value)
{
	serial_puts(" ");
	serial_puts(name);
	serial_puts(" ");
	serial_put_hex(value, 8);
}

static void print_processor(void)
{
	uint32_t cr0, cr4, dr7, flags;
	uint16_t fcw;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %%dr7, %0" : "=r"(dr7));
	asm volatile("pushf; pop %0" : "=r"(flags));
	asm volatile("fnstcw %0" : "=m"(fcw));
	print_state("fcw", fcw);
	print_state("cr0", cr0);
	print_state("cr4", cr4);
	print_state("dr7", dr7);
	print_state("if", flags & 0x200);
	print_state("efer", read_msr(MSR_EFER));
	print_state("pat", read_msr(MSR_PAT));
	print_state("mtrr", read_msr(MSR_MTRR_DEFAULT));
	print_state("apic-base", read_msr(MSR_APIC_BASE));
	print_state("svr", *lapic(0xf0));
	print_state("tpr", *lapic(0x80));
	print_state("lint0", *lapic(0x350));
	print_state("irr", *lapic(0x210));
}

static void print_devices(void)
{
	print_state("imr", in8(0x21));
	print_state("ier", in8(0x3f9));
	print_state("lcr", in8(0x3fb));
	print_state("a20", in8(0x92));
	print_state("8042", in8(0x64));
	print_state("port61", in8(0x61) & 0x0f);
	print_state("pci", in32(0xcf8));
	print_state("cf9", in8(0xcf9));
	print_state("pm-enable", in16(0x602));
	print_state("pin4", *ioapic(0x18));
	print_state("rtc-b", cmos(0x0b));
	print_state("shutdown", cmos(0x0f));
}

static void print_memory(uint8_t *module)
{
	print_state("data", image_word);
	print_state("bss", zero_word);
	print_state("far", *FAR_MEMORY);
	print_state("module", *module);
	wait_a_moment();
	print_state("counter", *AP_COUNTER);
	serial_puts("\n");
}

static void check_tsc(void)
{
	uint64_t now = read_tsc(), last = 0;
	unsigned int i;

	for (i = 0; i < 8; i++)
		last |= (uint64_t)cmos(CMOS_TSC + i) << 8 * i;
	if (now <= last)
		serial_puts("The TSC went back.\n");
	for (i = 0; i < 8; i++)
		set_cmos(CMOS_TSC + i, now >> 8 * i);
}

static void start_ap(const uint8_t *code, size_t size)
{
	memcpy((void *)AP_CODE, code, size);
	*lapic(0x310) = 1 << 24;
	*lapic(0x300) = 0x4500;
	*lapic(0x300) = 0x4600 | AP_CODE >> 12;
}

static void change_processor(void)
{
	const uint16_t fcw = 0x0f7f;

	asm volatile("fldcw %0" : : "m"(fcw));
	asm volatile("mov %0, %%cr4" : : "r"(0x8c)); /* TSD, DE, PGE */
	asm volatile("mov %0, %%dr7" : : "r"(0x401));
	write_msr(MSR_EFER, 1);
	write_msr(MSR_PAT, 0x0606060606060606);
	write_msr(MSR_MTRR_DEFAULT, 0);
	*lapic(0xf0) = 0x1f0;
	*lapic(0x80) = 0x20;
	*lapic(0x350) = 0x10000;
	*lapic(0x310) = 0;
	*lapic(0x300) = 0x4030; /* an interrupt that stays pending */
}

static void change_devices(void)
{
	*ioapic(0x18) = 0x34;
	out8(0x20, 0x11);
	out8(0x21, 0x20);
	out8(0x21, 0x04);
	out8(0x21, 0x01);
	out8(0x21, 0x5a);
	out8(0x3f9, 0x0f);
	out8(0x43, 0x34);
	out8(0x40, 0x00);
	out8(0x40, 0x10);
	out8(0x61, 0x03);
	out8(0x92, 0x00);
	out8(0x64, 0x60);
	out8(0x60, 0x00);
	out8(0x60, 0xff);
	out32(0xcf8, 0x80000008);
	out8(0xcf9, 0x0a);
	out16(0x602, 0x0101);
	set_cmos(0x0b, cmos(0x0b) | 0x70);
	set_cmos(0x0f, 0x0a);
}

static void change_memory(uint8_t *module)
{
	image_word = 1;
	zero_word = 1;
	*FAR_MEMORY = 1;
	*module = 0;
}

static void triple_fault(void)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) none = { 0 };

	asm volatile("lidt %0; int3" : : "m"(none));
}

/* REP OUTSB: the bytes after the one that resets the machine must not be written. */
static void reset_by_string(void)
{
	const uint8_t bytes[] = { 0x02, 0x06, 0x02, 0x06, 0x02, 0x06 };
	const uint8_t *from = bytes;
	size_t count = sizeof(bytes);

	asm volatile("rep outsb"
		     : "+S"(from), "+c"(count)
		     : "d"(0xcf9)
		     : "memory");
}

static void reset(char way)
{
	switch (way) {
	case '1':
		out8(0x64, 0xfe);
		break;
	case '2':
		out8(0x64, 0xd1);
		out8(0x60, 0xfe);
		break;
	case '3':
		out8(0x92, 1);
		break;
	case '4':
		out8(0xcf9, 0x06);
		break;
	case '5':
		out8(0xcf9, 0x0e);
		break;
	case '6':
		triple_fault();
		break;
	case '7':
		reset_by_string();
		break;
	case '8':
		start_ap(code_reset, sizeof(code_reset));
		break;
	}
	for (;;)
		;
}

/* Called by startmb.S with the loader's EAX and EBX. A value ends the run. */
int multiboot(uint32_t magic, const struct info *info)
{
	const char *way = (const char *)info->command_line;
	uint8_t *module = *(uint8_t **)info->modules;
	uint8_t count = cmos(CMOS_COUNT);

	if (magic != LOADER_MAGIC)
		return FAILED_MAGIC;
	set_cmos(CMOS_COUNT, ++count);
	check_tsc();
	print_processor();
	print_devices();
	print_memory(module);
	if (count == STARTS)
		return STARTS;
	while (way[1])
		way++;
	change_processor();
	change_devices();
	change_memory(module);
	start_ap(code_count, sizeof(code_count));
	wait_a_moment();
	if (!*AP_COUNTER)
		serial_puts("The second processor has not started.\n");
	reset(*way);
	return 0;
}
