/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SMBIOS tables (DMTF DSP0134, 3.0): the description of a PC for system management, which
 * Linux calls DMI. There are structures of the types 0 (BIOS), 1 (system), 3 (chassis), 4
 * (a processor each), 16, 17, 19 (memory), 32 (boot status) and 127 (end).
 */
#ifndef SVMRUN_SMBIOS_H
#define SVMRUN_SMBIOS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Guests without a pointer to an entry point search the 64 KiB from here on (5.2). */
#define SVMRUN_SMBIOS_GPA 0xf0000ull
#define SVMRUN_SMBIOS_SIZE 0x8000 /* bytes that suffice for all tables */

/* Offsets: of the 32-bit entry point, of the 64-bit one, and of the structures */
#define SVMRUN_SMBIOS_ANCHOR 0
#define SVMRUN_SMBIOS_ANCHOR_SIZE 31
#define SVMRUN_SMBIOS_ANCHOR_64 32
#define SVMRUN_SMBIOS_STRUCTURES 64

/* Files of fw_cfg from which firmware builds the tables in its own memory */
#define SVMRUN_SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"
#define SVMRUN_SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"

/**
 * struct svmrun_smbios - the machine that the tables describe
 * @cpus: number of processors, from 1 to 255
 * @low: bytes of memory from address 0 on, a multiple of 1024, at most 4 GiB
 * @high: bytes of memory from 4 GiB on, a multiple of 1024, less than 2^60
 * @uuid: the 16 bytes of the system's UUID, in the order in which it is written (RFC
 *	4122); NULL: it has none
 * @gpa: guest physical address of the tables, a multiple of 16; all of them must be below
 *	4 GiB
 * @reserved: zero
 */
struct svmrun_smbios {
	unsigned int cpus;
	uint64_t low;
	uint64_t high;
	const uint8_t *uuid;
	uint64_t gpa;
	uint64_t reserved[4];
};

/**
 * svmrun_smbios_build() - build the SMBIOS tables
 * @smbios: the machine that they describe
 * @buffer: the tables are written to it
 * @size: size of @buffer in bytes; SVMRUN_SMBIOS_SIZE suffices
 *
 * If @gpa is 0, the SVMRUN_SMBIOS_ANCHOR_SIZE bytes at SVMRUN_SMBIOS_ANCHOR are the
 * contents of SVMRUN_SMBIOS_FILE_ANCHOR, and all bytes from SVMRUN_SMBIOS_STRUCTURES on
 * those of SVMRUN_SMBIOS_FILE_TABLES. Firmware sets the address and the checksums.
 *
 * Return: the size of the tables in bytes, or a negative errno; -EINVAL: a member of
 * @smbios is out of range; -ENOSPC: the buffer is too small.
 */
int svmrun_smbios_build(const struct svmrun_smbios *smbios, void *buffer,
			size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_SMBIOS_H */
