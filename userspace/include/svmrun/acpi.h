/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI tables for a PC of this library (ACPI 5.1, chapter 5): RSDP, RSDT, XSDT, FADT,
 * FACS, MADT and a DSDT that knows how to switch off, COM1 and virtio devices.
 *
 * They say that the machine is always in ACPI mode: bit 0 of PM1 control, SCI_EN, has
 * to read as 1, and nothing waits for an SMI. There is no fixed power or sleep button.
 */
#ifndef SVMRUN_ACPI_H
#define SVMRUN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_ACPI_SCI 9 /* of power management, level-triggered */
#define SVMRUN_ACPI_S5 5 /* SLP_TYP of PM1 control that switches off */
#define SVMRUN_ACPI_RESET_PORT 0xcf9
#define SVMRUN_ACPI_RESET_VALUE 6 /* a byte written there resets the machine */

/**
 * struct svmrun_acpi - what the tables are about
 * @cpus: how many processors, at most 255
 * @pm_port: where the registers of svmrun/pm.h start
 * @virtio_gpa: where those of the first virtio device do, each SVMRUN_VIRTIO_SIZE
 *	bytes, all of them below 4 GiB
 * @virtio_pin: its interrupt at the I/O APIC, one further for each that follows
 * @virtio_count: how many there are, at most 255
 * @gpa: guest physical address of the tables: a multiple of 16, and all below 4 GiB. A
 *	guest without a pointer to the RSDP, which comes first, searches for it from
 *	0xe0000 to 0xfffff
 * @reserved: zero
 */
struct svmrun_acpi {
	unsigned int cpus;
	uint16_t pm_port;
	uint64_t virtio_gpa;
	unsigned int virtio_pin;
	unsigned int virtio_count;
	uint64_t gpa;
	uint64_t reserved[4];
};

/**
 * svmrun_acpi_build() - write the tables
 * @acpi: what they are about
 * @buffer: receives them
 * @size: of the buffer; 4 KiB will do for any number of processors
 *	  and eight virtio devices
 *
 * Return: the bytes that they take, -EINVAL if @acpi is not as said above, or -ENOSPC.
 */
int svmrun_acpi_build(const struct svmrun_acpi *acpi, void *buffer,
		      size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_ACPI_H */
