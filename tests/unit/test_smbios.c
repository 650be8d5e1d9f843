// SPDX-License-Identifier: GPL-2.0
/* The SMBIOS tables: entry points, structures, strings, and buffers that are too small. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <svmrun/smbios.h>

#include "suites.h"
#include "table_reader.h"

#define KIB 1024ull
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

static uint8_t buffer[SVMRUN_SMBIOS_SIZE];

static const struct svmrun_smbios two = {
	.cpus = 2,
	.low = 3 * GIB,
	.high = 2 * GIB,
	.gpa = SVMRUN_SMBIOS_GPA,
};

static size_t build(const struct svmrun_smbios *smbios)
{
	int size = svmrun_smbios_build(smbios, buffer, sizeof(buffer));

	ck_assert_int_gt(size, SVMRUN_SMBIOS_STRUCTURES);
	return size;
}

/* Return the end of a structure, which is that of its strings: two zeros. */
static const uint8_t *after(const uint8_t *structure)
{
	const uint8_t *at = structure + structure[1];

	while (at[0] || at[1])
		at++;
	return at + 2;
}

/* Return the structure of a type with a number, or NULL. */
static const uint8_t *find(uint8_t type, unsigned int number)
{
	const uint8_t *at = buffer + SVMRUN_SMBIOS_STRUCTURES;

	for (; *at != 127; at = after(at))
		if (*at == type && !number--)
			return at;
	return *at == type ? at : NULL;
}

/* Return a string of a structure by the number in one of its fields. */
static const char *text(const uint8_t *structure, unsigned int field)
{
	const char *at = (const char *)structure + structure[1];
	unsigned int number = structure[field];

	ck_assert_uint_gt(number, 0);
	while (--number) {
		ck_assert(*at);
		at += strlen(at) + 1;
	}
	ck_assert(*at);
	return at;
}

START_TEST(entry_point)
{
	size_t size = build(&two);

	ck_assert_mem_eq(buffer, "_SM_", 4);
	ck_assert_uint_eq(buffer[5], SVMRUN_SMBIOS_ANCHOR_SIZE);
	ck_assert_uint_eq(sum(buffer, SVMRUN_SMBIOS_ANCHOR_SIZE), 0);
	ck_assert_mem_eq(buffer + 16, "_DMI_", 5);
	ck_assert_uint_eq(sum(buffer + 16, 15), 0);
	ck_assert_uint_eq(get(buffer + 22, 2), size - SVMRUN_SMBIOS_STRUCTURES);
	ck_assert_uint_eq(get(buffer + 24, 4),
			  two.gpa + SVMRUN_SMBIOS_STRUCTURES);
	ck_assert_uint_eq(buffer[30], 0x28);
}

START_TEST(entry_point_64)
{
	const uint8_t *entry = buffer + SVMRUN_SMBIOS_ANCHOR_64;
	size_t size = build(&two);

	ck_assert_mem_eq(entry, "_SM3_", 5);
	ck_assert_uint_eq(entry[6], 24);
	ck_assert_uint_eq(sum(entry, 24), 0);
	ck_assert_uint_eq(entry[7], 3);
	ck_assert_uint_eq(entry[10], 1);
	ck_assert_uint_eq(get(entry + 12, 4), size - SVMRUN_SMBIOS_STRUCTURES);
	ck_assert_uint_eq(get(entry + 16, 8),
			  two.gpa + SVMRUN_SMBIOS_STRUCTURES);
}

/* Their number and the size of the largest one are in the entry point. */
START_TEST(structures_fill_the_table)
{
	const uint8_t *end = buffer + build(&two);
	const uint8_t *at = buffer + SVMRUN_SMBIOS_STRUCTURES;
	unsigned int count = 0, largest = 0;
	const uint8_t *next;

	for (; at < end; at = next, count++) {
		next = after(at);
		if (next - at > largest)
			largest = next - at;
		if (next == end)
			ck_assert_uint_eq(*at, 127);
		ck_assert_uint_eq(get(at + 2, 2) >> 8, *at);
	}
	ck_assert_ptr_eq(at, end);
	ck_assert_uint_eq(count, get(buffer + 28, 2));
	ck_assert_uint_eq(largest, get(buffer + 8, 2));
}

/* Lengths that parsers of version 2.8 or 3.0 expect */
START_TEST(lengths)
{
	static const uint8_t table[][2] = {
		{ 0, 0x18 },  { 1, 0x1b },  { 3, 0x16 },
		{ 4, 0x30 },  { 16, 0x17 }, { 17, 0x28 },
		{ 19, 0x1f }, { 32, 0x0b }, { 127, 4 },
	};

	build(&two);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const uint8_t *structure = find(table[i][0], 0);

		ck_assert_msg(structure && structure[1] == table[i][1],
			      "type %u", table[i][0]);
	}
}

START_TEST(strings)
{
	build(&two);
	ck_assert_str_eq(text(find(0, 0), 4), "svmrun");
	ck_assert_str_eq(text(find(0, 0), 8), "01/01/2026");
	ck_assert_str_eq(text(find(1, 0), 4), "svmrun");
	ck_assert_str_eq(text(find(1, 0), 5), "PC");
	ck_assert_str_eq(text(find(1, 0), 6), text(find(0, 0), 5));
	ck_assert_str_eq(text(find(3, 0), 4), "svmrun");
	ck_assert_str_eq(text(find(4, 1), 4), "CPU 1");
	ck_assert_str_eq(text(find(17, 0), 16), "DIMM 0");
	ck_assert_str_eq(text(find(17, 0), 23), "svmrun");
}

START_TEST(uuid)
{
	static const uint8_t written[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
					   0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
					   0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t stored[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44,
					  0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
					  0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t none[16];
	struct svmrun_smbios smbios = two;

	build(&smbios);
	ck_assert_mem_eq(find(1, 0) + 8, none, 16);
	smbios.uuid = written;
	build(&smbios);
	ck_assert_mem_eq(find(1, 0) + 8, stored, 16);
}

START_TEST(processors)
{
	struct svmrun_smbios smbios = two;

	build(&smbios);
	ck_assert_ptr_nonnull(find(4, 1));
	ck_assert_ptr_null(find(4, 2));
	smbios.cpus = 255;
	build(&smbios);
	ck_assert_str_eq(text(find(4, 254), 4), "CPU 254");
	ck_assert_uint_eq(get(find(4, 254) + 2, 2), 4 << 8 | 254);
	ck_assert_ptr_null(find(4, 255));
}

/* Capacity in KiB or bytes, size in KiB or MiB, ranges in KiB or bytes */
START_TEST(memory)
{
	static const struct {
		uint64_t low, high;
		uint32_t capacity;
		uint64_t capacity_bytes;
		uint16_t size;
		uint32_t size_mib;
		uint32_t end_kib;
		uint32_t high_end_kib;
		uint64_t high_end;
	} table[] = {
		{ MIB + 4 * KIB, 0, 1028, 0, 0x8000 | 1028, 0, 1027, 0, 0 },
		{ 512 * MIB, 0, 512 << 10, 0, 512, 0, (512 << 10) - 1, 0, 0 },
		{ 3 * GIB, 2 * GIB, 5 << 20, 0, 5 << 10, 0, (3 << 20) - 1,
		  (6 << 20) - 1, 0 },
		{ 3 * GIB, 61 * GIB, 64 << 20, 0, 0x7fff, 64 << 10,
		  (3 << 20) - 1, (65 << 20) - 1, 0 },
		{ 3 * GIB, 4096 * GIB, 0x80000000, 4099 * GIB, 0x7fff,
		  4099 << 10, (3 << 20) - 1, UINT32_MAX, 4100 * GIB - 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct svmrun_smbios smbios = two;
		const uint8_t *high;

		smbios.low = table[i].low;
		smbios.high = table[i].high;
		build(&smbios);
		ck_assert_uint_eq(get(find(16, 0) + 7, 4), table[i].capacity);
		ck_assert_uint_eq(get(find(16, 0) + 15, 8),
				  table[i].capacity_bytes);
		ck_assert_uint_eq(get(find(17, 0) + 12, 2), table[i].size);
		ck_assert_uint_eq(get(find(17, 0) + 28, 4), table[i].size_mib);
		ck_assert_uint_eq(get(find(19, 0) + 4, 4), 0);
		ck_assert_uint_eq(get(find(19, 0) + 8, 4), table[i].end_kib);
		high = find(19, 1);
		ck_assert(!high == !table[i].high);
		if (!high)
			continue;
		ck_assert_uint_eq(get(high + 4, 4),
				  table[i].high_end ? UINT32_MAX : 4 << 20);
		ck_assert_uint_eq(get(high + 8, 4), table[i].high_end_kib);
		ck_assert_uint_eq(get(high + 15, 8),
				  table[i].high_end ? 4 * GIB : 0);
		ck_assert_uint_eq(get(high + 23, 8), table[i].high_end);
	}
}

START_TEST(handles_refer_to_the_array)
{
	build(&two);
	ck_assert_uint_eq(get(find(17, 0) + 4, 2), get(find(16, 0) + 2, 2));
	ck_assert_uint_eq(get(find(19, 1) + 12, 2), get(find(16, 0) + 2, 2));
}

START_TEST(machines_that_cannot_be_described)
{
	static const struct {
		unsigned int cpus;
		uint64_t low, high, gpa;
	} table[] = {
		{ 0, MIB, 0, 0 },
		{ 256, MIB, 0, 0 },
		{ 1, 0, 0, 0 },
		{ 1, MIB + 1, 0, 0 },
		{ 1, 4 * GIB + KIB, 0, 0 },
		{ 1, MIB, 1, 0 },
		{ 1, MIB, 1ull << 60, 0 },
		{ 1, MIB, 0, 8 },
		{ 1, MIB, 0, 4 * GIB },
		{ 1, MIB, 0, 4 * GIB - 64 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct svmrun_smbios smbios = {
			.cpus = table[i].cpus,
			.low = table[i].low,
			.high = table[i].high,
			.gpa = table[i].gpa,
		};

		ck_assert_int_eq(svmrun_smbios_build(&smbios, buffer,
						     sizeof(buffer)),
				 -EINVAL);
	}
}

START_TEST(small_buffers_are_not_exceeded)
{
	static uint8_t other[sizeof(buffer)];
	size_t size = build(&two), most;

	for (most = 0; most < size; most++) {
		memset(other, 0xee, sizeof(other));
		ck_assert_int_eq(svmrun_smbios_build(&two, other, most),
				 -ENOSPC);
		ck_assert_uint_eq(other[most], 0xee);
	}
	ck_assert_int_eq(svmrun_smbios_build(&two, other, size), size);
	ck_assert_mem_eq(other, buffer, size);
}

static const TTest **const tests[] = {
	&entry_point,
	&entry_point_64,
	&structures_fill_the_table,
	&lengths,

	&strings,
	&uuid,
	&processors,
	&memory,
	&handles_refer_to_the_array,

	&machines_that_cannot_be_described,
	&small_buffers_are_not_exceeded,
};

Suite *smbios_suite(void)
{
	return suite_of("smbios", tests, ARRAY_SIZE(tests));
}
