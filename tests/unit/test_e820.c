// SPDX-License-Identifier: GPL-2.0
/* The memory map that guests get, in the format of the BIOS call E820h. */
#include <errno.h>

#include <svmrun/e820.h>

#include "suites.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void check_entry(const struct svmrun_e820_entry *entry, uint64_t base,
			uint64_t size, uint32_t type)
{
	ck_assert_uint_eq(entry->base, base);
	ck_assert_uint_eq(entry->size, size);
	ck_assert_uint_eq(entry->type, type);
}

START_TEST(entries_are_as_the_bios_has_them)
{
	ck_assert_uint_eq(sizeof(struct svmrun_e820_entry), 20);
}

START_TEST(map_of_a_pc)
{
	const struct svmrun_memory memories[] = {
		{ .gpa = 0, .size = 3 * GIB },
		{ .gpa = 4 * GIB, .size = 5 * GIB },
	};
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];

	ck_assert_int_eq(svmrun_e820_build(memories, 2, map, 5), 5);
	check_entry(&map[0], 0, 0x9fc00, SVMRUN_E820_MEMORY);
	check_entry(&map[1], 0x9fc00, 0x400, SVMRUN_E820_RESERVED);
	check_entry(&map[2], 0xe0000, 0x20000, SVMRUN_E820_RESERVED);
	check_entry(&map[3], MIB, 3 * GIB - MIB, SVMRUN_E820_MEMORY);
	check_entry(&map[4], 4 * GIB, 5 * GIB, SVMRUN_E820_MEMORY);
}

START_TEST(nothing_has_no_entry)
{
	const struct svmrun_memory memories[] = {
		{ .gpa = 0, .size = MIB },
		{ .gpa = 4 * GIB, .size = 0 },
	};
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];

	ck_assert_int_eq(svmrun_e820_build(memories, 1, map, 5), 3);
	ck_assert_int_eq(svmrun_e820_build(memories, 2, map, 5), 3);
	check_entry(&map[2], 0xe0000, 0x20000, SVMRUN_E820_RESERVED);
}

START_TEST(too_little_room_is_an_error)
{
	const struct svmrun_memory memory = { .gpa = 0, .size = 2 * MIB };
	struct svmrun_e820_entry map[4] = { { 0 } };
	size_t room;

	for (room = 0; room < 4; room++)
		ck_assert_int_eq(svmrun_e820_build(&memory, 1, map, room),
				 -ENOSPC);
	check_entry(&map[3], 0, 0, 0);
	ck_assert_int_eq(svmrun_e820_build(&memory, 1, map, 4), 4);
}

START_TEST(other_memories_are_refused)
{
	const struct svmrun_memory wrong[][2] = {
		{ { .gpa = 4096, .size = 2 * MIB } },
		{ { .gpa = 0, .size = MIB - 4096 } },
		{ { .gpa = 0, .size = 3 * GIB + 4096 } },
		{ { .gpa = 0, .size = MIB },
		  { .gpa = 4 * GIB - 4096, .size = MIB } },
		{ { .gpa = 0, .size = MIB },
		  { .gpa = -4096ull, .size = 8192 } },
	};
	const struct svmrun_memory three[3] = { { .gpa = 0, .size = MIB },
						{ .gpa = 4 * GIB, .size = MIB },
						{ .gpa = 5 * GIB,
						  .size = MIB } };
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(svmrun_e820_build(wrong[i],
						   wrong[i][1].size ? 2 : 1,
						   map, 5),
				 -EINVAL);
	ck_assert_int_eq(svmrun_e820_build(NULL, 0, map, 5), -EINVAL);
	ck_assert_int_eq(svmrun_e820_build(three, 3, map, 5), -EINVAL);
}

static const TTest **const tests[] = {
	&entries_are_as_the_bios_has_them,
	&map_of_a_pc,
	&nothing_has_no_entry,
	&too_little_room_is_an_error,
	&other_memories_are_refused,
};

Suite *e820_suite(void)
{
	return suite_of("e820", tests, ARRAY_SIZE(tests));
}
