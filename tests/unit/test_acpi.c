// SPDX-License-Identifier: GPL-2.0
/* The ACPI tables: contents, checksums, and buffers that are too small. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <svmrun/acpi.h>

#include "suites.h"
#include "table_reader.h"
#include "xorshift.h"

static uint8_t buffer[8192];

static const struct svmrun_acpi two = {
	.cpus = 2,
	.pm_port = 0x600,
	.gpa = 0xf0000,
};

static int size_of(const struct svmrun_acpi *acpi)
{
	int size = svmrun_acpi_build(acpi, buffer, sizeof(buffer));

	ck_assert_int_gt(size, 0);
	return size;
}

/* Find the table at a guest address. Check its signature, length and checksum. */
static const uint8_t *table_at(const struct svmrun_acpi *acpi, uint64_t gpa,
			       const char *signature)
{
	uint64_t size = size_of(acpi);
	uint64_t at = gpa - acpi->gpa;

	ck_assert_uint_ge(gpa, acpi->gpa + 36);
	ck_assert_uint_le(at + 36, size);
	ck_assert_mem_eq(buffer + at, signature, 4);
	ck_assert_uint_le(at + get(buffer + at + 4, 4), size);
	if (strcmp(signature, "FACS"))
		ck_assert_uint_eq(sum(buffer + at, get(buffer + at + 4, 4)), 0);
	return buffer + at;
}

static const uint8_t *rsdt(const struct svmrun_acpi *acpi)
{
	size_of(acpi);
	return table_at(acpi, get(buffer + 16, 4), "RSDT");
}

static const uint8_t *xsdt(const struct svmrun_acpi *acpi)
{
	size_of(acpi);
	return table_at(acpi, get(buffer + 24, 8), "XSDT");
}

static const uint8_t *fadt(const struct svmrun_acpi *acpi)
{
	return table_at(acpi, get(xsdt(acpi) + 36, 8), "FACP");
}

static const uint8_t *madt(const struct svmrun_acpi *acpi)
{
	return table_at(acpi, get(xsdt(acpi) + 44, 8), "APIC");
}

START_TEST(rsdp)
{
	size_of(&two);
	ck_assert_mem_eq(buffer, "RSD PTR ", 8);
	ck_assert_uint_eq(sum(buffer, 20), 0);
	ck_assert_uint_eq(sum(buffer, 36), 0);
	ck_assert_uint_eq(buffer[15], 2);
	ck_assert_uint_eq(get(buffer + 20, 4), 36);
}

START_TEST(roots_agree)
{
	const uint8_t *narrow = rsdt(&two);
	const uint8_t *wide = xsdt(&two);

	ck_assert_uint_eq(get(narrow + 4, 4), 36 + 2 * 4);
	ck_assert_uint_eq(get(wide + 4, 4), 36 + 2 * 8);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_uint_eq(get(narrow + 36 + 4 * i, 4),
				  get(wide + 36 + 8 * i, 8));
}

START_TEST(fixed_description)
{
	static const struct {
		unsigned int offset;
		unsigned int size;
		uint64_t value;
	} table[] = {
		{ 4, 4, 268 },		{ 8, 1, 5 },
		{ 44, 2, 0x0100 },	{ 46, 2, 9 },
		{ 48, 4, 0 },		{ 56, 4, 0x600 },
		{ 64, 4, 0x604 },	{ 76, 4, 0x608 },
		{ 88, 1, 4 },		{ 89, 1, 2 },
		{ 91, 1, 4 },		{ 96, 2, 101 },
		{ 98, 2, 1001 },	{ 108, 1, 0x32 },
		{ 109, 2, 0xd },	{ 112, 4, 0x575 },
		{ 116, 4, 0x01000801 }, { 120, 8, 0xcf9 },
		{ 128, 1, 6 },		{ 131, 1, 1 },
		{ 132, 8, 0 },		{ 148, 4, 0x02002001 },
		{ 152, 8, 0x600 },	{ 160, 8, 0 },
		{ 172, 4, 0x02001001 }, { 176, 8, 0x604 },
		{ 208, 4, 0x03002001 }, { 212, 8, 0x608 },
		{ 220, 8, 0 },		{ 260, 8, 0 },
	};
	const uint8_t *fixed = fadt(&two);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(get(fixed + table[i].offset, table[i].size) ==
				      table[i].value,
			      "offset %u", table[i].offset);
}

START_TEST(tables_of_the_fixed_description)
{
	const uint8_t *fixed = fadt(&two);
	const uint8_t *facs = table_at(&two, get(fixed + 36, 4), "FACS");

	ck_assert_uint_eq(get(fixed + 36, 4) % 64, 0);
	ck_assert_uint_eq(get(facs + 4, 4), 64);
	ck_assert_uint_eq(facs[32], 2);
	ck_assert_uint_eq(get(fixed + 40, 4), get(fixed + 140, 8));
	table_at(&two, get(fixed + 40, 4), "DSDT");
}

START_TEST(definitions)
{
	static const uint8_t aml[] = {
		0x08, '_', 'S',	 '5',  '_',  0x12, 10,	 4,    0x0a, 5,
		0x0a, 5,   0x0a, 0,    0x0a, 0,	   0x10, 50,   '_',  'S',
		'B',  '_', 0x5b, 0x82, 43,   'C',  'O',	 'M',  '1',  0x08,
		'_',  'H', 'I',	 'D',  0x0c, 0x41, 0xd0, 0x05, 0x01, 0x08,
		'_',  'U', 'I',	 'D',  0x01, 0x08, '_',	 'C',  'R',  'S',
		0x11, 16,  0x0a, 13,   0x47, 1,	   0xf8, 0x03, 0xf8, 0x03,
		8,    8,   0x22, 0x10, 0x00, 0x79, 0x00,
	};
	const uint8_t *dsdt = table_at(&two, get(fadt(&two) + 40, 4), "DSDT");

	ck_assert_uint_eq(get(dsdt + 4, 4), 36 + sizeof(aml));
	ck_assert_mem_eq(dsdt + 36, aml, sizeof(aml));
}

START_TEST(virtio_devices)
{
	static const uint8_t aml[] = {
		0x10, 0x43, 0x04, '_',	'S',  'B',  '_',  0x5b, 0x82, 59,
		'V',  '0',  '0',  '1',	0x08, '_',  'H',  'I',	'D',  0x0d,
		'L',  'N',  'R',  'O',	'0',  '0',  '0',  '5',	0x00, 0x08,
		'_',  'U',  'I',  'D',	0x0a, 1,    0x08, '_',	'C',  'R',
		'S',  0x11, 26,	  0x0a, 23,   0x86, 9,	  0,	1,    0x00,
		0x10, 0x00, 0xd0, 0x00, 0x10, 0x00, 0x00, 0x89, 6,    0,
		0x01, 1,    17,	  0,	0,    0,    0x79, 0x00,
	};
	struct svmrun_acpi acpi = two;
	const uint8_t *dsdt;
	uint32_t before, size;

	dsdt = table_at(&two, get(fadt(&two) + 40, 4), "DSDT");
	before = get(dsdt + 4, 4);
	acpi.virtio_gpa = 0xd0000000;
	acpi.virtio_pin = 16;
	acpi.virtio_count = 2;
	dsdt = table_at(&acpi, get(fadt(&acpi) + 40, 4), "DSDT");
	size = get(dsdt + 4, 4);
	ck_assert_uint_eq(size, before + 2 * sizeof(aml));
	ck_assert_mem_eq(dsdt + size - sizeof(aml), aml, sizeof(aml));
}

START_TEST(interrupt_controllers)
{
	static const uint8_t entries[] = {
		0, 8,  0, 0,  1,   0, 0,    0,	  0,	8,    1, 1,  1, 0,
		0, 0,  1, 12, 0,   0, 0x00, 0x00, 0xc0, 0xfe, 0, 0,  0, 0,
		2, 10, 0, 0,  2,   0, 0,    0,	  0x5,	0,    2, 10, 0, 9,
		9, 0,  0, 0,  0xd, 0, 4,    6,	  0xff, 0x5,  0, 1,
	};
	const uint8_t *interrupts = madt(&two);

	ck_assert_uint_eq(get(interrupts + 36, 4), 0xfee00000);
	ck_assert_uint_eq(get(interrupts + 40, 4), 1);
	ck_assert_uint_eq(get(interrupts + 4, 4), 44 + sizeof(entries));
	ck_assert_mem_eq(interrupts + 44, entries, sizeof(entries));
}

START_TEST(many_processors_fit_in_a_page)
{
	struct svmrun_acpi acpi = two;
	const uint8_t *interrupts;

	acpi.cpus = 255;
	acpi.virtio_count = 8;
	ck_assert_int_le(size_of(&acpi), 4096);
	interrupts = madt(&acpi);
	for (unsigned int i = 0; i < 255; i++)
		ck_assert_uint_eq(get(interrupts + 44 + 8 * i, 8),
				  0x100000800 | i << 16 | (uint64_t)i << 24);
}

START_TEST(what_cannot_be_described)
{
	static const struct svmrun_acpi bad[] = {
		{ .cpus = 0, .pm_port = 0x600, .gpa = 0xf0000 },
		{ .cpus = 256, .pm_port = 0x600, .gpa = 0xf0000 },
		{ .cpus = 1, .pm_port = 0xfff5, .gpa = 0xf0000 },
		{ .cpus = 1, .pm_port = 0x600, .gpa = 0xf0008 },
		{ .cpus = 1, .pm_port = 0x600, .gpa = 0x100000000 },
		{ .cpus = 1, .pm_port = 0x600, .gpa = 0xfffffff0 },
		{ .cpus = 1, .pm_port = 0x600, .gpa = 0xfffffffffffffff0 },
		{ .cpus = 1, .pm_port = 0x600, .virtio_count = 256 },
		{ .cpus = 1,
		  .pm_port = 0x600,
		  .virtio_gpa = 0xfffff000,
		  .virtio_count = 2 },
		{ .cpus = 1, .pm_port = 0x600, .virtio_gpa = -1ull },
	};
	const struct svmrun_acpi last = { .cpus = 1, .pm_port = 0xfff4 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(svmrun_acpi_build(&bad[i], buffer,
						   sizeof(buffer)),
				 -EINVAL);
	size_of(&last);
}

START_TEST(small_buffers_are_not_overrun)
{
	int needed = size_of(&two);

	for (int size = 0; size < needed; size++) {
		memset(buffer, 0xa5, sizeof(buffer));
		ck_assert_int_eq(svmrun_acpi_build(&two, buffer, size),
				 -ENOSPC);
		for (int i = size; i < needed; i++)
			ck_assert_uint_eq(buffer[i], 0xa5);
	}
	ck_assert_int_eq(svmrun_acpi_build(&two, buffer, needed), needed);
}

START_TEST(anything_is_harmless)
{
	uint64_t state = xorshift_seed(1);

	for (unsigned int i = 0; i < 20000; i++) {
		struct svmrun_acpi acpi = {
			.cpus = xorshift_below(&state, 300),
			.pm_port = xorshift(&state),
			.gpa = xorshift(&state) >> (i % 64) & ~15ull,
		};
		size_t size = xorshift_below(&state, 4096);
		int used = svmrun_acpi_build(&acpi, buffer, size);

		ck_assert(used < 0 || (size_t)used <= size);
		if (used > 0)
			ck_assert_uint_eq(sum(buffer, 36), 0);
	}
}

static const TTest **const tests[] = {
	&rsdp,
	&roots_agree,
	&fixed_description,
	&tables_of_the_fixed_description,
	&definitions,
	&virtio_devices,
	&interrupt_controllers,
	&many_processors_fit_in_a_page,
	&what_cannot_be_described,
	&small_buffers_are_not_overrun,
	&anything_is_harmless,
};

Suite *acpi_suite(void)
{
	return suite_of("acpi", tests, ARRAY_SIZE(tests));
}
