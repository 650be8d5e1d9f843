// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_acpi_build_loader(): the commands are carried out as firmware does it, and the
 * tables are then those that svmrun_acpi_build() writes for these addresses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <svmrun/acpi.h>

#include "suites.h"

#define TABLES_GPA 0x1ff00000u
#define RSDP_GPA 0xf5a00u
#define SIZE 8192
#define COMMANDS 32

static uint8_t tables[SIZE], rsdp[SVMRUN_ACPI_RSDP_SIZE];
static struct svmrun_acpi_command commands[COMMANDS];
static int size, count;

static struct svmrun_acpi machine(uint64_t gpa)
{
	return (struct svmrun_acpi){
		.cpus = 64,
		.pm_port = 0x600,
		.virtio_gpa = 0xd0000000,
		.virtio_pin = 16,
		.virtio_count = 8,
		.gpa = gpa,
	};
}

static void build(void)
{
	const struct svmrun_acpi acpi = machine(0);

	memset(tables, 0, sizeof(tables));
	size = svmrun_acpi_build(&acpi, tables, sizeof(tables));
	ck_assert_int_gt(size, 0);
	memcpy(rsdp, tables, sizeof(rsdp));
	count = svmrun_acpi_build_loader(tables, size, commands, COMMANDS);
	ck_assert_int_gt(count, 0);
}

static uint32_t u32_of(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint8_t *file_of(const uint8_t *name, size_t *file_size)
{
	if (!strcmp((const char *)name, "etc/acpi/rsdp")) {
		*file_size = sizeof(rsdp);
		return rsdp;
	}
	ck_assert_str_eq((const char *)name, "etc/acpi/tables");
	*file_size = size;
	return tables;
}

static void add_pointer(const uint8_t *command)
{
	uint32_t offset = u32_of(command + 116);
	uint8_t width = command[120];
	uint64_t value = 0;
	size_t file_size;
	uint8_t *file = file_of(command + 4, &file_size);

	ck_assert_str_eq((const char *)command + 60, "etc/acpi/tables");
	ck_assert(width == 4 || width == 8);
	ck_assert_uint_le(offset + width, file_size);
	memcpy(&value, file + offset, width);
	ck_assert_uint_gt(value, 0);
	ck_assert_uint_lt(value, size);
	value += TABLES_GPA;
	memcpy(file + offset, &value, width);
}

static void add_checksum(const uint8_t *command)
{
	uint32_t offset = u32_of(command + 60);
	uint32_t start = u32_of(command + 64), length = u32_of(command + 68);
	size_t file_size, i;
	uint8_t *file = file_of(command + 4, &file_size), sum = 0;

	ck_assert_uint_le(start + length, file_size);
	ck_assert_uint_lt(offset, file_size);
	for (i = 0; i < length; i++)
		sum += file[start + i];
	file[offset] -= sum;
}

START_TEST(commands_relocate_the_tables)
{
	static uint8_t expected[SIZE];
	const struct svmrun_acpi acpi = machine(TABLES_GPA);
	int i;

	build();
	for (i = 0; i < count; i++) {
		const uint8_t *command = commands[i].bytes;

		switch (u32_of(command)) {
		case 1:
			ck_assert_int_lt(i, 2);
			ck_assert_uint_eq(command[64], i ? 1 : 2);
			ck_assert_uint_eq(u32_of(command + 60), i ? 64 : 16);
			break;
		case 2:
			add_pointer(command);
			break;
		case 3:
			add_checksum(command);
			break;
		default:
			ck_abort_msg("unknown command");
		}
	}
	ck_assert_int_eq(svmrun_acpi_build(&acpi, expected, SIZE), size);
	ck_assert_mem_eq(rsdp, expected, sizeof(rsdp));
	/* The copy of the RSDP in this file is of no use. */
	ck_assert_mem_eq(tables + sizeof(rsdp), expected + sizeof(rsdp),
			 size - sizeof(rsdp));
}

START_TEST(commands_need_room)
{
	build();
	ck_assert_int_eq(svmrun_acpi_build_loader(tables, size, commands,
						  count - 1),
			 -ENOSPC);
	ck_assert_int_eq(svmrun_acpi_build_loader(tables, size, NULL, 0),
			 -ENOSPC);
}

/* The tables are on the heap, so that the sanitizer detects reads beyond their end. */
START_TEST(tables_must_be_whole)
{
	uint8_t *copy;
	int cut;

	build();
	for (cut = 0; cut < size; cut += 7) {
		copy = malloc(cut + 1);
		memcpy(copy, tables, cut + 1);
		svmrun_acpi_build_loader(copy, cut, commands, COMMANDS);
		free(copy);
	}
	ck_assert_int_eq(svmrun_acpi_build_loader(tables, 20, commands,
						  COMMANDS),
			 -EINVAL);
	ck_assert_int_eq(svmrun_acpi_build_loader(tables, size - 1, commands,
						  COMMANDS),
			 -EINVAL);
}

static const TTest **const tests[] = {
	&commands_relocate_the_tables,
	&commands_need_room,
	&tables_must_be_whole,
};

Suite *acpi_loader_suite(void)
{
	return suite_of("acpi_loader", tests, ARRAY_SIZE(tests));
}
