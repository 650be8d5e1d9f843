// SPDX-License-Identifier: LGPL-2.1-or-later
/* ACPI tables; section numbers of ACPI 5.1 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <svmrun/acpi.h>
#include <svmrun/ioapic.h>
#include <svmrun/lapic.h>
#include <svmrun/pm.h>
#include <svmrun/virtio.h>

#include "writer.h"

/* The RSDT and the FADT hold 32-bit addresses. */
#define ADDRESS_LIMIT 0x100000000ull

#define RSDP_SIZE 36
#define FACS_SIZE 64
#define FACS_ALIGN 64

/* Write a table header (ACPI 5.2.6). end_table() sets length and checksum. */
static size_t begin_table(struct writer *writer, const char *signature,
			  uint8_t revision)
{
	size_t start;

	writer_align(writer, 16);
	start = writer->at;
	writer_put_bytes(writer, signature, 4);
	writer_put(writer, 0, 4);
	writer_put(writer, revision, 1);
	writer_put(writer, 0, 1);
	writer_put_bytes(writer, "SVMRUNSVMRUNPC", 14);
	writer_put(writer, 1, 4); /* OEM revision */
	writer_put_bytes(writer, "SVMR", 4);
	writer_put(writer, 1, 4); /* creator revision */
	return start;
}

/* Complete a table, and return its guest physical address. */
static uint64_t end_table(struct writer *writer, size_t start)
{
	size_t size = writer->at - start;

	writer_patch(writer, start + 4, size, 4);
	writer_put_checksum(writer, start, size, start + 9);
	return writer->gpa + start;
}

/* The FACS (ACPI 5.2.10), without a waking vector, and with a free global lock */
static uint64_t put_facs(struct writer *writer)
{
	uint64_t gpa;

	writer_align(writer, FACS_ALIGN);
	gpa = writer_address(writer);
	writer_put_bytes(writer, "FACS", 4);
	writer_put(writer, FACS_SIZE, 4);
	writer_put_zeros(writer, 24);
	writer_put(writer, 2, 1); /* version */
	writer_put_zeros(writer, FACS_SIZE - 33);
	return gpa;
}

/* ---- AML (ACPI chapter 20) ------------------------------------------------- */

#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_DWORD 0x0c
#define AML_STRING 0x0d
#define AML_SCOPE 0x10
#define AML_BUFFER 0x11
#define AML_PACKAGE 0x12
#define AML_DEVICE 0x825b

static void put_aml_name(struct writer *writer, const char *name)
{
	writer_put(writer, AML_NAME, 1);
	writer_put_bytes(writer, name, 4);
}

static void put_aml_byte(struct writer *writer, uint8_t value)
{
	writer_put(writer, AML_BYTE, 1);
	writer_put(writer, value, 1);
}

/* PkgLength, which includes itself, in one byte, for lengths below 64 */
static size_t begin_package_length(struct writer *writer)
{
	writer_put(writer, 0, 1);
	return writer->at - 1;
}

static void end_package_length(struct writer *writer, size_t start)
{
	writer_patch(writer, start, writer->at - start, 1);
}

/* PkgLength in two bytes, for lengths below 4096 */
static size_t begin_package_length_2(struct writer *writer)
{
	writer_put(writer, 0, 2);
	return writer->at - 2;
}

static void end_package_length_2(struct writer *writer, size_t start)
{
	size_t length = writer->at - start;

	writer_patch(writer, start, 0x40 | (length & 0xf), 1);
	writer_patch(writer, start + 1, length >> 4, 1);
}

/* Name (_S5_, Package () { S5, S5, 0, 0 }): PM1a, PM1b and two reserved elements */
static void put_s5(struct writer *writer)
{
	size_t package;

	put_aml_name(writer, "_S5_");
	writer_put(writer, AML_PACKAGE, 1);
	package = begin_package_length(writer);
	writer_put(writer, 4, 1);
	put_aml_byte(writer, SVMRUN_ACPI_S5);
	put_aml_byte(writer, SVMRUN_ACPI_S5);
	put_aml_byte(writer, 0);
	put_aml_byte(writer, 0);
	end_package_length(writer, package);
}

/* Small resource descriptors (ACPI 6.4.2): ports, and an edge-triggered interrupt */
static const uint8_t com1_resources[] = {
	0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x08, 0x08, /* 0x3f8, 8 ports */
	0x22, 0x10, 0x00, /* IRQ 4 */
	0x79, 0x00, /* end tag without a checksum */
};

/* Name (_CRS, Buffer () { ... }) */
static void put_aml_resources(struct writer *writer, const uint8_t *resources,
			      size_t size)
{
	size_t buffer;

	put_aml_name(writer, "_CRS");
	writer_put(writer, AML_BUFFER, 1);
	buffer = begin_package_length(writer);
	put_aml_byte(writer, size);
	writer_put_bytes(writer, resources, size);
	end_package_length(writer, buffer);
}

/* Device (COM1) { Name (_HID, EisaId ("PNP0501")) Name (_UID, One) ... } */
static void put_com1(struct writer *writer)
{
	static const uint8_t pnp0501[] = { 0x41, 0xd0, 0x05, 0x01 };
	size_t device;

	writer_put(writer, AML_DEVICE, 2);
	device = begin_package_length(writer);
	writer_put_bytes(writer, "COM1", 4);
	put_aml_name(writer, "_HID");
	writer_put(writer, AML_DWORD, 1);
	writer_put_bytes(writer, pnp0501, sizeof(pnp0501));
	put_aml_name(writer, "_UID");
	writer_put(writer, AML_ONE, 1);
	put_aml_resources(writer, com1_resources, sizeof(com1_resources));
	end_package_length(writer, device);
}

/* Large resource descriptors (ACPI 6.4.3): memory, and a level-triggered interrupt */
static void put_virtio_resources(struct writer *writer, uint32_t gpa,
				 uint32_t pin)
{
	uint8_t resources[23];
	struct writer list = { .buffer = resources, .size = sizeof(resources) };

	writer_put(&list, 0x000986, 3);
	writer_put(&list, 1, 1); /* writable */
	writer_put(&list, gpa, 4);
	writer_put(&list, SVMRUN_VIRTIO_SIZE, 4);
	writer_put(&list, 0x000689, 3);
	writer_put(&list, 0x01, 1);
	writer_put(&list, 1, 1);
	writer_put(&list, pin, 4);
	writer_put(&list, 0x0079, 2);
	put_aml_resources(writer, resources, sizeof(resources));
}

/* Device (V0nn) { Name (_HID, "LNRO0005") Name (_UID, nn) ... } */
static void put_virtio(struct writer *writer, const struct svmrun_acpi *acpi,
		       uint8_t number)
{
	char name[5];
	size_t device;

	snprintf(name, sizeof(name), "V%03X", number);
	writer_put(writer, AML_DEVICE, 2);
	device = begin_package_length(writer);
	writer_put_bytes(writer, name, 4);
	put_aml_name(writer, "_HID");
	writer_put(writer, AML_STRING, 1);
	writer_put_bytes(writer, "LNRO0005", 9);
	put_aml_name(writer, "_UID");
	put_aml_byte(writer, number);
	put_virtio_resources(writer,
			     acpi->virtio_gpa + number * SVMRUN_VIRTIO_SIZE,
			     acpi->virtio_pin + number);
	end_package_length(writer, device);
}

/* One scope per device, so that its length fits in two bytes */
static void put_virtios(struct writer *writer, const struct svmrun_acpi *acpi)
{
	for (unsigned int i = 0; i < acpi->virtio_count; i++) {
		size_t scope;

		writer_put(writer, AML_SCOPE, 1);
		scope = begin_package_length_2(writer);
		writer_put_bytes(writer, "_SB_", 4);
		put_virtio(writer, acpi, i);
		end_package_length_2(writer, scope);
	}
}

static uint64_t put_dsdt(struct writer *writer, const struct svmrun_acpi *acpi)
{
	size_t start = begin_table(writer, "DSDT", 2);
	size_t scope;

	put_s5(writer);
	writer_put(writer, AML_SCOPE, 1);
	scope = begin_package_length(writer);
	writer_put_bytes(writer, "_SB_", 4);
	put_com1(writer);
	end_package_length(writer, scope);
	put_virtios(writer, acpi);
	return end_table(writer, start);
}

/* ---- FADT (ACPI 5.2.9) ----------------------------------------------------- */

#define FADT_DESKTOP 1
#define FADT_NO_C2 101 /* latencies in us of states that do not exist */
#define FADT_NO_C3 1001
#define FADT_CENTURY 0x32 /* index of the century in CMOS */
#define FADT_LEGACY 0x0001
#define FADT_NO_VGA 0x0004
#define FADT_NO_MSI 0x0008
#define FADT_WBINVD 0x0001
#define FADT_C1 0x0004
#define FADT_NO_POWER 0x0010
#define FADT_NO_SLEEP 0x0020
#define FADT_NO_RTC_STATE 0x0040
#define FADT_TIMER_32 0x0100
#define FADT_RESET 0x0400

#define PM1_EVENT_SIZE 4
#define PM1_CONTROL_SIZE 2
#define PM_TIMER_SIZE 4

/* Generic address structure for @size bytes of ports, with accesses of @width bytes */
static void put_generic_address(struct writer *writer, uint16_t port,
				unsigned int size, unsigned int width)
{
	writer_put(writer, 1, 1); /* system I/O space */
	writer_put(writer, 8 * size, 1);
	writer_put(writer, 0, 1);
	writer_put(writer, width == 4 ? 3 : width, 1);
	writer_put(writer, port, 8);
}

static void put_no_addresses(struct writer *writer, unsigned int count)
{
	writer_put_zeros(writer, 12 * count);
}

/* The fields of ACPI 1.0, offsets 36 to 115 */
static void put_fadt_ports(struct writer *writer, uint16_t port)
{
	writer_put(writer, 0, 1);
	writer_put(writer, FADT_DESKTOP, 1);
	writer_put(writer, SVMRUN_ACPI_SCI, 2);
	writer_put_zeros(writer, 8); /* no SMI command port */
	writer_put(writer, port + SVMRUN_PM_EVENT, 4);
	writer_put(writer, 0, 4);
	writer_put(writer, port + SVMRUN_PM_CONTROL, 4);
	writer_put_zeros(writer, 8);
	writer_put(writer, port + SVMRUN_PM_TIMER, 4);
	writer_put_zeros(writer, 8); /* no general-purpose events */
	writer_put(writer, PM1_EVENT_SIZE, 1);
	writer_put(writer, PM1_CONTROL_SIZE, 1);
	writer_put(writer, 0, 1);
	writer_put(writer, PM_TIMER_SIZE, 1);
	writer_put_zeros(writer, 4);
}

static void put_fadt_features(struct writer *writer)
{
	writer_put(writer, FADT_NO_C2, 2);
	writer_put(writer, FADT_NO_C3, 2);
	/* Caches are flushed by WBINVD; there is no throttling and no alarm. */
	writer_put_zeros(writer, 8);
	writer_put(writer, FADT_CENTURY, 1);
	writer_put(writer, FADT_LEGACY | FADT_NO_VGA | FADT_NO_MSI, 2);
	writer_put(writer, 0, 1);
	writer_put(writer,
		   FADT_WBINVD | FADT_C1 | FADT_NO_POWER | FADT_NO_SLEEP |
			   FADT_NO_RTC_STATE | FADT_TIMER_32 | FADT_RESET,
		   4);
	put_generic_address(writer, SVMRUN_ACPI_RESET_PORT, 1, 1);
	writer_put(writer, SVMRUN_ACPI_RESET_VALUE, 1);
	writer_put(writer, 0, 2);
	writer_put(writer, 1, 1); /* minor version: ACPI 5.1 */
}

static void put_fadt_addresses(struct writer *writer, uint16_t port)
{
	put_generic_address(writer, port + SVMRUN_PM_EVENT, PM1_EVENT_SIZE, 2);
	put_no_addresses(writer, 1);
	put_generic_address(writer, port + SVMRUN_PM_CONTROL, PM1_CONTROL_SIZE,
			    2);
	put_no_addresses(writer, 2);
	put_generic_address(writer, port + SVMRUN_PM_TIMER, PM_TIMER_SIZE, 4);
	/* No general-purpose events, and no sleep registers of ACPI 5.0 */
	put_no_addresses(writer, 4);
}

static uint64_t put_fadt(struct writer *writer, uint16_t port, uint64_t facs,
			 uint64_t dsdt)
{
	size_t start = begin_table(writer, "FACP", 5);

	writer_put(writer, facs, 4);
	writer_put(writer, dsdt, 4);
	put_fadt_ports(writer, port);
	put_fadt_features(writer);
	writer_put(writer, 0,
		   8); /* X_FIRMWARE_CTRL, as FIRMWARE_CTRL is used */
	writer_put(writer, dsdt, 8);
	put_fadt_addresses(writer, port);
	return end_table(writer, start);
}

/* ---- MADT (ACPI 5.2.12) ---------------------------------------------------- */

#define MADT_8259 1
#define MADT_ENABLED 1
#define MADT_EVERYONE 0xff
#define MADT_HIGH_EDGE 0x5
#define MADT_HIGH_LEVEL 0xd

static void put_local_apic(struct writer *writer, unsigned int id)
{
	writer_put(writer, 0, 1);
	writer_put(writer, 8, 1);
	writer_put(writer, id, 1); /* processor ID */
	writer_put(writer, id, 1); /* APIC ID */
	writer_put(writer, MADT_ENABLED, 4);
}

static void put_io_apic(struct writer *writer)
{
	writer_put(writer, 1, 1);
	writer_put(writer, 12, 1);
	writer_put(writer, 0, 2);
	writer_put(writer, SVMRUN_IOAPIC_GPA, 4);
	writer_put(writer, 0, 4); /* global system interrupt base */
}

static void put_override(struct writer *writer, unsigned int irq,
			 unsigned int pin, unsigned int flags)
{
	writer_put(writer, 2, 1);
	writer_put(writer, 10, 1);
	writer_put(writer, 0, 1); /* ISA bus */
	writer_put(writer, irq, 1);
	writer_put(writer, pin, 4);
	writer_put(writer, flags, 2);
}

static void put_nmi(struct writer *writer)
{
	writer_put(writer, 4, 1);
	writer_put(writer, 6, 1);
	writer_put(writer, MADT_EVERYONE, 1);
	writer_put(writer, MADT_HIGH_EDGE, 2);
	writer_put(writer, 1, 1); /* LINT1 */
}

static uint64_t put_madt(struct writer *writer, unsigned int cpus)
{
	size_t start = begin_table(writer, "APIC", 3);

	writer_put(writer, SVMRUN_LAPIC_GPA, 4);
	writer_put(writer, MADT_8259, 4);
	for (unsigned int i = 0; i < cpus; i++)
		put_local_apic(writer, i);
	put_io_apic(writer);
	put_override(writer, 0, 2, MADT_HIGH_EDGE);
	put_override(writer, SVMRUN_ACPI_SCI, SVMRUN_ACPI_SCI, MADT_HIGH_LEVEL);
	put_nmi(writer);
	return end_table(writer, start);
}

/* RSDT or XSDT, with addresses of 4 or 8 bytes (ACPI 5.2.7, 5.2.8) */
static uint64_t put_root(struct writer *writer, const char *signature,
			 unsigned int width, uint64_t fadt, uint64_t madt)
{
	size_t start = begin_table(writer, signature, 1);

	writer_put(writer, fadt, width);
	writer_put(writer, madt, width);
	return end_table(writer, start);
}

/* RSDP (ACPI 5.2.5.3), with one checksum of the fields of ACPI 1.0 and one of all */
static void put_rsdp(struct writer *writer, uint64_t rsdt, uint64_t xsdt)
{
	writer_put_bytes(writer, "RSD PTR ", 8);
	writer_put(writer, 0, 1);
	writer_put_bytes(writer, "SVMRUN", 6);
	writer_put(writer, 2, 1);
	writer_put(writer, rsdt, 4);
	writer_put(writer, RSDP_SIZE, 4);
	writer_put(writer, xsdt, 8);
	writer_put(writer, 0, 4);
	writer_put_checksum(writer, 0, 20, 8);
	writer_put_checksum(writer, 0, RSDP_SIZE, 32);
}

static void put_tables(struct writer *writer, const struct svmrun_acpi *acpi)
{
	struct writer front = *writer;
	uint64_t facs, dsdt, fadt, madt, rsdt, xsdt;

	writer_put_zeros(writer, RSDP_SIZE);
	facs = put_facs(writer);
	dsdt = put_dsdt(writer, acpi);
	fadt = put_fadt(writer, acpi->pm_port, facs, dsdt);
	madt = put_madt(writer, acpi->cpus);
	rsdt = put_root(writer, "RSDT", 4, fadt, madt);
	xsdt = put_root(writer, "XSDT", 8, fadt, madt);
	put_rsdp(&front, rsdt, xsdt);
}

int svmrun_acpi_build(const struct svmrun_acpi *acpi, void *buffer, size_t size)
{
	struct writer writer = {
		.buffer = buffer,
		.size = size,
		.gpa = acpi->gpa,
	};

	if (!acpi->cpus || acpi->cpus > SVMRUN_LAPIC_MAX || acpi->gpa % 16 ||
	    acpi->gpa >= ADDRESS_LIMIT ||
	    acpi->pm_port + SVMRUN_PM_PORTS > UINT16_MAX + 1 ||
	    acpi->virtio_count > UINT8_MAX ||
	    acpi->virtio_gpa >
		    ADDRESS_LIMIT - acpi->virtio_count * SVMRUN_VIRTIO_SIZE)
		return -EINVAL;
	put_tables(&writer, acpi);
	if (writer_address(&writer) > ADDRESS_LIMIT)
		return -EINVAL;
	return writer.at > size ? -ENOSPC : (int)writer.at;
}
