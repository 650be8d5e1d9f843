// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <svmrun/acpi.h>
#include <svmrun/pm.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define LAPIC_GPA 0xfee00000u
#define IOAPIC_GPA 0xfec00000u
#define PORT_RESET 0xcf9
#define RESET_VALUE 6
#define SCI 9
#define CPUS_MAX 254

/**
 * struct writer - tables that are being written
 * @bytes: where
 * @size: room
 * @used: of that
 * @gpa: what the guest sees @bytes at
 * @full: there was no room for something
 */
struct writer {
	uint8_t *bytes;
	size_t size;
	size_t used;
	uint32_t gpa;
	bool full;
};

/* ---- bytes ---------------------------------------------------------------- */

static void put_bytes(struct writer *w, const void *bytes, size_t count)
{
	if (count > w->size - w->used) {
		w->full = true;
		return;
	}
	memcpy(w->bytes + w->used, bytes, count);
	w->used += count;
}

static void put(struct writer *w, unsigned int count, uint64_t value)
{
	uint8_t byte;

	while (count--) {
		byte = value;
		put_bytes(w, &byte, 1);
		value >>= 8;
	}
}

static void put_zeros(struct writer *w, size_t count)
{
	while (count--)
		put(w, 1, 0);
}

static void align(struct writer *w, size_t to)
{
	while (w->used % to && !w->full)
		put(w, 1, 0);
}

static uint32_t here(const struct writer *w)
{
	return w->gpa + w->used;
}

/* All bytes of a table add up to 0. */
static void set_checksum(struct writer *w, size_t start, size_t size, size_t at)
{
	uint8_t sum = 0;
	size_t i;

	if (w->full)
		return;
	for (i = 0; i < size; i++)
		sum += w->bytes[start + i];
	w->bytes[start + at] -= sum;
}

/* ---- tables --------------------------------------------------------------- */

/* Gives where it begins. */
static size_t begin(struct writer *w, const char *signature, uint8_t revision)
{
	size_t start;

	align(w, 16);
	start = w->used;
	put_bytes(w, signature, 4);
	put(w, 4, 0); /* length */
	put(w, 1, revision);
	put(w, 1, 0); /* checksum */
	put_bytes(w, "SVMRUN", 6);
	put_bytes(w, "SVMRUNPC", 8);
	put(w, 4, 1);
	put_bytes(w, "SVMR", 4);
	put(w, 4, 1);
	return start;
}

static void end(struct writer *w, size_t start)
{
	uint32_t size = w->used - start;

	if (w->full)
		return;
	memcpy(w->bytes + start + 4, &size, 4);
	set_checksum(w, start, size, 9);
}

/* A register in I/O space (5.2.3.2) */
static void put_port(struct writer *w, uint16_t port, unsigned int bytes)
{
	put(w, 1, 1);
	put(w, 1, 8 * bytes);
	put(w, 1, 0);
	put(w, 1, bytes == 1 ? 1 : bytes == 2 ? 2 : 3); /* access size */
	put(w, 8, port);
}

static void put_no_register(struct writer *w)
{
	put_zeros(w, 12);
}

/*
 * The machine's code (chapter 20): \_S5 = Package { 5, 5, 0, 0 }, and the serial
 * port, \_SB.COM1, with _HID PNP0501 and ports 3F8h to 3FFh, interrupt 4.
 */
static const uint8_t code[] = {
	0x08, '_',
	'S',  '5',
	'_', /* Name */
	0x12, 0x08,
	0x04, /* Package of four */
	0x0a, SVMRUN_ACPI_S5,
	0x0a, SVMRUN_ACPI_S5,
	0x00, 0x00,
	0x10, 0x32,
	'_',  'S',
	'B',  '_', /* Scope */
	0x5b, 0x82,
	0x2b, 'C',
	'O',  'M',
	'1', /* Device */
	0x08, '_',
	'H',  'I',
	'D',  0x0c,
	0x41, 0xd0,
	0x05, 0x01, /* EISAID("PNP0501") */
	0x08, '_',
	'U',  'I',
	'D',  0x01,
	0x08, '_',
	'C',  'R',
	'S',  0x11,
	0x10, 0x0a,
	0x0d, /* Buffer of 13 bytes */
	0x47, 0x01,
	0xf8, 0x03,
	0xf8, 0x03,
	0x01, 0x08, /* I/O ports */
	0x22, 0x10,
	0x00, /* interrupts */
	0x79, 0x00, /* end */
};

static uint32_t put_dsdt(struct writer *w)
{
	size_t start = begin(w, "DSDT", 2);

	put_bytes(w, code, sizeof(code));
	end(w, start);
	return w->gpa + start;
}

/* 5.2.10: no waking vector, no global lock that somebody else would want */
static uint32_t put_facs(struct writer *w)
{
	uint32_t gpa;

	align(w, 64);
	gpa = here(w);
	put_bytes(w, "FACS", 4);
	put(w, 4, 64);
	put_zeros(w, 24);
	put(w, 1, 2);
	put_zeros(w, 31);
	return gpa;
}

/*
 * 5.2.9: flags are WBINVD, C1 works, no sleep button, the timer has 32 bits, there
 * is a reset register; IAPC_BOOT_ARCH: legacy devices, no VGA, no CMOS alarm
 */
static uint32_t put_fadt(struct writer *w, const struct svmrun_acpi *acpi,
			 uint32_t facs, uint32_t dsdt)
{
	const uint16_t event = acpi->pm_port + SVMRUN_PM_EVENT,
		       control = acpi->pm_port + SVMRUN_PM_CONTROL,
		       timer = acpi->pm_port + SVMRUN_PM_TIMER;
	size_t start = begin(w, "FACP", 6);

	put(w, 4, facs);
	put(w, 4, dsdt);
	put(w, 1, 0);
	put(w, 1, 0); /* profile */
	put(w, 2, SCI);
	put_zeros(w, 8); /* no SMI command: always in ACPI mode */
	put(w, 4, event);
	put(w, 4, 0);
	put(w, 4, control);
	put(w, 4, 0);
	put(w, 4, 0);
	put(w, 4, timer);
	put_zeros(w, 8); /* no GPEs */
	put(w, 1, 4);
	put(w, 1, 2);
	put(w, 1, 0);
	put(w, 1, 4);
	put_zeros(w, 4);
	put(w, 2, 0xffff); /* no C2 */
	put(w, 2, 0xffff); /* no C3 */
	put_zeros(w, 8);
	put(w, 1, 0x32); /* century */
	put(w, 2, 1 << 0 | 1 << 2);
	put(w, 1, 0);
	put(w, 4, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 8 | 1 << 10);
	put_port(w, PORT_RESET, 1);
	put(w, 1, RESET_VALUE);
	put_zeros(w, 2);
	put(w, 1, 4); /* minor version */
	put(w, 8, 0); /* the 32-bit one is FACS's address */
	put(w, 8, dsdt);
	put_port(w, event, 4);
	put_no_register(w);
	put_port(w, control, 2);
	put_no_register(w);
	put_no_register(w);
	put_port(w, timer, 4);
	put_no_register(w);
	put_no_register(w);
	put_no_register(w);
	put_no_register(w);
	put(w, 8, 0x6e75726d7673); /* hypervisor: "svmrun" */
	end(w, start);
	return w->gpa + start;
}

/* An interrupt of ISA that is not at the pin of its number, or not edge-triggered */
static void put_override(struct writer *w, uint8_t irq, uint32_t pin,
			 uint16_t flags)
{
	put(w, 1, 2);
	put(w, 1, 10);
	put(w, 1, 0);
	put(w, 1, irq);
	put(w, 4, pin);
	put(w, 2, flags);
}

/* 5.2.12 */
static uint32_t put_madt(struct writer *w, const struct svmrun_acpi *acpi)
{
	size_t start = begin(w, "APIC", 5);
	unsigned int i;

	put(w, 4, LAPIC_GPA);
	put(w, 4, 1); /* there are 8259s too */
	for (i = 0; i < acpi->cpus; i++) {
		put(w, 2, 0x0800);
		put(w, 1, i);
		put(w, 1, i);
		put(w, 4, 1);
	}
	put(w, 2, 0x0c01);
	put(w, 1, 0); /* ID */
	put(w, 1, 0);
	put(w, 4, IOAPIC_GPA);
	put(w, 4, 0);
	put_override(w, 0, 2, 0);
	put_override(w, SCI, SCI, 0x000d); /* level, active high */
	put(w, 2, 0x0604); /* NMI at LINT1 of all processors */
	put(w, 1, 0xff);
	put(w, 2, 0);
	put(w, 1, 1);
	end(w, start);
	return w->gpa + start;
}

static uint32_t put_root(struct writer *w, const char *signature,
			 const uint32_t *tables, size_t count,
			 unsigned int width)
{
	size_t i, start = begin(w, signature, 1);

	for (i = 0; i < count; i++)
		put(w, width, tables[i]);
	end(w, start);
	return w->gpa + start;
}

#define RSDP_SIZE 36

/* 5.2.5; the first part has a checksum of its own, and all of it another. */
static void put_rsdp(struct writer *w, uint32_t rsdt, uint32_t xsdt)
{
	struct writer first = { .bytes = w->bytes, .size = w->size };

	put_bytes(&first, "RSD PTR ", 8);
	put(&first, 1, 0);
	put_bytes(&first, "SVMRUN", 6);
	put(&first, 1, 2);
	put(&first, 4, rsdt);
	put(&first, 4, RSDP_SIZE);
	put(&first, 8, xsdt);
	put(&first, 4, 0);
	set_checksum(&first, 0, 20, 8);
	set_checksum(&first, 0, RSDP_SIZE, 32);
}

int svmrun_acpi_build(const struct svmrun_acpi *acpi, void *buffer, size_t size)
{
	struct writer w = { .bytes = buffer, .size = size, .gpa = acpi->gpa };
	uint32_t tables[2], facs, dsdt, rsdt, xsdt;

	if (!acpi->cpus || acpi->cpus > CPUS_MAX || acpi->gpa % 64)
		return -EINVAL;
	put_zeros(&w, RSDP_SIZE);
	facs = put_facs(&w);
	dsdt = put_dsdt(&w);
	tables[0] = put_fadt(&w, acpi, facs, dsdt);
	tables[1] = put_madt(&w, acpi);
	rsdt = put_root(&w, "RSDT", tables, ARRAY_SIZE(tables), 4);
	xsdt = put_root(&w, "XSDT", tables, ARRAY_SIZE(tables), 8);
	if (w.full)
		return -ENOSPC;
	put_rsdp(&w, rsdt, xsdt);
	return w.used;
}
