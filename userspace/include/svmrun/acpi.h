/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI tables for the PC of svmrun/pc.h (ACPI 5.1, chapter 5): RSDP, RSDT, XSDT, FADT,
 * FACS, MADT, and a DSDT that describes soft-off (S5), COM1 and the virtio devices.
 *
 * The tables describe a machine that is always in ACPI mode: SCI_EN, bit 0 of PM1
 * control, must read as 1, and there is no SMI command port. There is no fixed power or
 * sleep button.
 */
#ifndef SVMRUN_ACPI_H
#define SVMRUN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_ACPI_SCI 9 /* the power management interrupt, level-triggered */
#define SVMRUN_ACPI_S5 5 /* SLP_TYP of PM1 control for soft-off */
#define SVMRUN_ACPI_RESET_PORT 0xcf9
#define SVMRUN_ACPI_RESET_VALUE 6 /* a byte written there resets the machine */

/**
 * struct svmrun_acpi - the machine that the tables describe
 * @cpus: number of processors, from 1 to 255
 * @pm_port: first port of the registers of svmrun/pm.h
 * @virtio_gpa: guest physical address of the first virtio device's registers; each device
 *	takes SVMRUN_VIRTIO_SIZE bytes, all of them below 4 GiB
 * @virtio_pin: pin of the I/O APIC for the first virtio device; each further device has
 *	the next pin
 * @virtio_count: number of virtio devices, at most 255
 * @gpa: guest physical address of the tables, a multiple of 16; all of them must be below
 *	4 GiB. The RSDP comes first: a guest without a pointer to it searches from
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
 * svmrun_acpi_build() - build the ACPI tables
 * @acpi: the machine that they describe
 * @buffer: the tables are written to it
 * @size: size of @buffer in bytes; 4 KiB suffice for any number of processors and eight
 *	virtio devices
 *
 * Return: the size of the tables in bytes, or a negative errno; -EINVAL: a member of
 * @acpi is out of range; -ENOSPC: the buffer is too small.
 */
int svmrun_acpi_build(const struct svmrun_acpi *acpi, void *buffer,
		      size_t size);

/* Files of fw_cfg from which firmware builds the tables in its own memory */
#define SVMRUN_ACPI_FILE_LOADER "etc/table-loader"
#define SVMRUN_ACPI_FILE_RSDP "etc/acpi/rsdp"
#define SVMRUN_ACPI_FILE_TABLES "etc/acpi/tables"
#define SVMRUN_ACPI_RSDP_SIZE 36
#define SVMRUN_ACPI_COMMAND_SIZE 128

/**
 * struct svmrun_acpi_command - a command of QEMU's table loader
 * @bytes: the command
 *
 * Firmware carries out an array of commands in order (QEMU's docs/specs,
 * "etc/table-loader"). It never grows.
 */
struct svmrun_acpi_command {
	uint8_t bytes[SVMRUN_ACPI_COMMAND_SIZE];
};

/**
 * svmrun_acpi_build_loader() - write the commands for firmware that places the tables
 * @tables: the tables, which svmrun_acpi_build() wrote for address 0. They are the contents
 *	of SVMRUN_ACPI_FILE_TABLES, and their first SVMRUN_ACPI_RSDP_SIZE bytes those of
 *	SVMRUN_ACPI_FILE_RSDP
 * @size: size of the tables in bytes
 * @commands: filled in; the contents of SVMRUN_ACPI_FILE_LOADER
 * @count: number of commands that @commands has room for; 32 suffice
 *
 * The commands allocate memory for both files, make addresses of offsets, and correct
 * checksums.
 *
 * Return: the number of commands, or a negative errno; -EINVAL: the tables are not as
 * described; -ENOSPC: @count is too small.
 */
int svmrun_acpi_build_loader(const void *tables, size_t size,
			     struct svmrun_acpi_command *commands,
			     size_t count);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_ACPI_H */
