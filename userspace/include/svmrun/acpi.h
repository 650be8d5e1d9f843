/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI's tables of a small PC (ACPI 6.4, chapter 5): RSDP, RSDT, XSDT, FADT, FACS,
 * MADT, and a DSDT with its off state and its serial port
 */
#ifndef SVMRUN_ACPI_H
#define SVMRUN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_ACPI_S5 5 /* SLP_TYP of the off state */

/**
 * struct svmrun_acpi - the PC
 * @cpus: processors, 1 to 254; their APIC IDs are 0 and up
 * @pm_port: first of the ports of svmrun/pm.h
 * @gpa: where the tables go, a multiple of 64; the RSDP is the first of them
 */
struct svmrun_acpi {
	unsigned int cpus;
	uint16_t pm_port;
	uint32_t gpa;
};

/**
 * svmrun_acpi_build() - write the tables
 * @acpi: the PC
 * @buffer: what the guest sees at @gpa
 * @size: bytes of it; 8192 suffice
 *
 * Return: how many were written, or -ENOSPC if there is not room for all, -EINVAL
 * if @acpi is not as said.
 */
int svmrun_acpi_build(const struct svmrun_acpi *acpi, void *buffer,
		      size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_ACPI_H */
