// SPDX-License-Identifier: GPL-2.0
/* svmrun_memory_at(): only ranges that are wholly inside a memory have a pointer. */
#include <stdint.h>

#include <svmrun.h>

#include "suites.h"

static char bytes[64];
static const struct svmrun_memory memory = { .base = bytes,
					     .gpa = 0x1000,
					     .size = sizeof(bytes) };

START_TEST(at_returns_every_byte)
{
	ck_assert_ptr_eq(svmrun_memory_at(&memory, 0x1000, 64), bytes);
	ck_assert_ptr_eq(svmrun_memory_at(&memory, 0x103f, 1), bytes + 63);
}

START_TEST(at_the_end_there_are_no_bytes_left)
{
	ck_assert_ptr_eq(svmrun_memory_at(&memory, 0x1040, 0), bytes + 64);
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0x1040, 1));
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0x1041, 0));
}

START_TEST(at_refuses_what_begins_before)
{
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0xfff, 1));
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0xfff, 2));
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0, 0));
}

START_TEST(at_refuses_what_ends_behind)
{
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0x1000, 65));
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0x103f, 2));
}

START_TEST(at_does_not_overflow)
{
	ck_assert_ptr_null(svmrun_memory_at(&memory, 0x1001, SIZE_MAX));
	ck_assert_ptr_null(svmrun_memory_at(&memory, UINT64_MAX, 2));
	ck_assert_ptr_null(svmrun_memory_at(&memory, UINT64_MAX, SIZE_MAX));
}

static const TTest **const tests[] = {
	&at_returns_every_byte,		&at_the_end_there_are_no_bytes_left,
	&at_refuses_what_begins_before, &at_refuses_what_ends_behind,
	&at_does_not_overflow,
};

Suite *memory_suite(void)
{
	return suite_of("memory", tests, ARRAY_SIZE(tests));
}
