// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands of QEMU's table loader: firmware chooses the addresses of the tables, which
 * contain offsets until then.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <svmrun/acpi.h>

/* Commands, and where memory is allocated */
#define ALLOCATE 1
#define ADD_POINTER 2
#define ADD_CHECKSUM 3
#define ZONE_HIGH 1
#define ZONE_F_SEGMENT 2

#define FILE_NAME 56
#define RSDP_ALIGN 16
#define TABLES_ALIGN 64 /* the FACS's: ACPI 5.2.10 */

/* Offsets in tables: ACPI 5.2.5.3, 5.2.6, 5.2.9 */
#define RSDP_CHECKSUM 8
#define RSDP_RSDT 16
#define RSDP_OLD_SIZE 20
#define RSDP_XSDT 24
#define RSDP_NEW_CHECKSUM 32
#define TABLE_LENGTH 4
#define TABLE_CHECKSUM 9
#define TABLE_HEADER 36
#define FADT_SIGNATURE 0x50434146 /* "FACP" */
#define FADT_FACS 36
#define FADT_DSDT 40
#define FADT_X_FACS 132
#define FADT_X_DSDT 140

struct allocate {
	char file[FILE_NAME];
	uint32_t align;
	uint8_t zone;
} __attribute__((packed));

struct add_pointer {
	char file[FILE_NAME];
	char target[FILE_NAME];
	uint32_t offset;
	uint8_t size;
} __attribute__((packed));

struct add_checksum {
	char file[FILE_NAME];
	uint32_t offset;
	uint32_t start;
	uint32_t length;
} __attribute__((packed));

struct command {
	uint32_t kind;
	union {
		struct allocate allocate;
		struct add_pointer pointer;
		struct add_checksum checksum;
		uint8_t bytes[SVMRUN_ACPI_COMMAND_SIZE - sizeof(uint32_t)];
	};
} __attribute__((packed));

_Static_assert(sizeof(struct command) == sizeof(struct svmrun_acpi_command),
	       "a command has 128 bytes");

/**
 * struct loader - the commands while they are written
 * @tables: the tables
 * @size: bytes
 * @commands: the commands
 * @count: number of @commands
 * @used: number of commands that have been written; more than @count if they do not fit
 * @invalid: the tables contradict themselves
 */
struct loader {
	const uint8_t *tables;
	size_t size;
	struct svmrun_acpi_command *commands;
	size_t count;
	size_t used;
	bool invalid;
};

static void put_command(struct loader *loader, const struct command *command)
{
	if (loader->used < loader->count)
		memcpy(&loader->commands[loader->used], command,
		       sizeof(*command));
	loader->used++;
}

static void put_allocate(struct loader *loader, const char *file,
			 uint32_t align, uint8_t zone)
{
	struct command command = { .kind = ALLOCATE };

	strcpy(command.allocate.file, file);
	command.allocate.align = align;
	command.allocate.zone = zone;
	put_command(loader, &command);
}

static void put_pointer(struct loader *loader, const char *file,
			uint32_t offset, uint8_t size)
{
	struct command command = { .kind = ADD_POINTER };

	strcpy(command.pointer.file, file);
	strcpy(command.pointer.target, SVMRUN_ACPI_FILE_TABLES);
	command.pointer.offset = offset;
	command.pointer.size = size;
	put_command(loader, &command);
}

static void put_checksum(struct loader *loader, const char *file,
			 uint32_t offset, uint32_t start, uint32_t length)
{
	struct command command = { .kind = ADD_CHECKSUM };

	strcpy(command.checksum.file, file);
	command.checksum.offset = offset;
	command.checksum.start = start;
	command.checksum.length = length;
	put_command(loader, &command);
}

/* Return a little-endian number in the tables. */
static uint64_t number_at(struct loader *loader, uint64_t offset,
			  unsigned int size)
{
	uint64_t value = 0;

	if (offset > loader->size || size > loader->size - offset) {
		loader->invalid = true;
		return 0;
	}
	memcpy(&value, loader->tables + offset, size);
	return value;
}

/* A pointer of 0 refers to nothing. */
static void put_table_pointer(struct loader *loader, uint64_t offset,
			      uint8_t size)
{
	if (number_at(loader, offset, size))
		put_pointer(loader, SVMRUN_ACPI_FILE_TABLES, offset, size);
}

static void put_table_checksum(struct loader *loader, uint64_t table)
{
	put_checksum(loader, SVMRUN_ACPI_FILE_TABLES, table + TABLE_CHECKSUM,
		     table, number_at(loader, table + TABLE_LENGTH, 4));
}

static void put_fadt(struct loader *loader, uint64_t fadt)
{
	put_table_pointer(loader, fadt + FADT_FACS, 4);
	put_table_pointer(loader, fadt + FADT_DSDT, 4);
	put_table_pointer(loader, fadt + FADT_X_FACS, 8);
	put_table_pointer(loader, fadt + FADT_X_DSDT, 8);
	put_table_checksum(loader, fadt);
}

/* The tables of an RSDT or XSDT, of which only the FADT has pointers */
static void put_root(struct loader *loader, uint64_t root, unsigned int width,
		     bool follow)
{
	uint64_t end = root + number_at(loader, root + TABLE_LENGTH, 4);
	uint64_t at, table;

	if (end > loader->size) {
		loader->invalid = true;
		return;
	}
	for (at = root + TABLE_HEADER; at + width <= end; at += width) {
		table = number_at(loader, at, width);
		put_table_pointer(loader, at, width);
		if (follow && number_at(loader, table, 4) == FADT_SIGNATURE)
			put_fadt(loader, table);
	}
	put_table_checksum(loader, root);
}

int svmrun_acpi_build_loader(const void *tables, size_t size,
			     struct svmrun_acpi_command *commands, size_t count)
{
	const char *rsdp = SVMRUN_ACPI_FILE_RSDP;
	struct loader loader = {
		.tables = tables,
		.size = size,
		.commands = commands,
		.count = count,
	};

	put_allocate(&loader, rsdp, RSDP_ALIGN, ZONE_F_SEGMENT);
	put_allocate(&loader, SVMRUN_ACPI_FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
	put_root(&loader, number_at(&loader, RSDP_RSDT, 4), 4, true);
	put_root(&loader, number_at(&loader, RSDP_XSDT, 8), 8, false);
	put_pointer(&loader, rsdp, RSDP_RSDT, 4);
	put_pointer(&loader, rsdp, RSDP_XSDT, 8);
	put_checksum(&loader, rsdp, RSDP_CHECKSUM, 0, RSDP_OLD_SIZE);
	put_checksum(&loader, rsdp, RSDP_NEW_CHECKSUM, 0,
		     SVMRUN_ACPI_RSDP_SIZE);
	if (loader.invalid)
		return -EINVAL;
	return loader.used > count ? -ENOSPC : (int)loader.used;
}
