// SPDX-License-Identifier: GPL-2.0
/* Allocation of guest memory for loaders: next to the occupied range, inside memory. */
#include "boot/layout.h"
#include "suites.h"

#define MIB (1ull << 20)
#define SIZE (4 * MIB)

START_TEST(only_memory_can_be_occupied)
{
	struct layout layout = layout_of(SIZE);

	ck_assert(!layout_occupy(&layout, 0, 1));
	ck_assert(!layout_occupy(&layout, 0xfff, 2));
	ck_assert(!layout_occupy(&layout, 0x9fbff, 2));
	ck_assert(!layout_occupy(&layout, 0xa0000, 1));
	ck_assert(!layout_occupy(&layout, 0xf0000, 1));
	ck_assert(!layout_occupy(&layout, 0xf7fff, 1));
	ck_assert(!layout_occupy(&layout, 0xf7fff, 2));
	ck_assert(!layout_occupy(&layout, 0xf8000, SIZE - 0xf8000 + 1));
	ck_assert(!layout_occupy(&layout, SIZE - 1, 2));
	ck_assert(!layout_occupy(&layout, SIZE + 1, 0));
	ck_assert(!layout_occupy(&layout, MIB, UINT64_MAX));
	ck_assert(!layout_occupy(&layout, UINT64_MAX, 2));
	ck_assert(layout_occupy(&layout, 0x9fbff, 1));
	ck_assert(layout_occupy(&layout, SIZE - 1, 1));
}

START_TEST(shadow_memory_can_be_occupied_but_not_taken)
{
	struct layout layout = layout_of(SIZE);

	ck_assert(layout_occupy(&layout, 0xf8000, 0x8000));
	ck_assert_uint_eq(layout_take(&layout.high, 1, 4096), MIB);
	ck_assert(layout_occupy(&layout, 0xff000, 0x5001));
	ck_assert_uint_eq(layout_take(&layout.high, 1, 1), MIB + 0x4001);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, MIB), 0);
}

START_TEST(taken_range_follows_the_occupied_one)
{
	struct layout layout = layout_of(SIZE);

	ck_assert(layout_occupy(&layout, MIB + 0x1234, 1));
	ck_assert(layout_occupy(&layout, MIB + 0x10, 1));
	ck_assert_uint_eq(layout_take(&layout.high, 5, 4096), MIB + 0x2000);
	ck_assert_uint_eq(layout_take(&layout.high, 5, 16), MIB + 0x2010);
	ck_assert_uint_eq(layout_take(&layout.low, 1, 4096), 0x1000);
}

START_TEST(or_else_before_it)
{
	struct layout layout = layout_of(SIZE);

	ck_assert(layout_occupy(&layout, 3 * MIB + 5, MIB - 5));
	ck_assert_uint_eq(layout_take(&layout.high, MIB + 1, 4096), 2 * MIB);
	ck_assert_uint_eq(layout_take(&layout.high, MIB + 1, 4096), 0);
	ck_assert_uint_eq(layout_take(&layout.high, MIB, 4096), MIB);
	ck_assert_uint_eq(layout_take(&layout.high, 1, 1), 0);
	ck_assert_uint_eq(layout_take(&layout.low, UINT64_MAX, 4096), 0);
}

START_TEST(highest_is_below_the_limit)
{
	struct layout layout = layout_of(SIZE);

	ck_assert(layout_occupy(&layout, 2 * MIB, MIB));
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1,
					      3 * MIB + 0x1800),
			  3 * MIB + 0x1000);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, UINT64_MAX),
			  SIZE - 0x1000);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, UINT64_MAX),
			  2 * MIB - 0x1000);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, MIB + 0x1000),
			  MIB);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, UINT64_MAX), 0);
}

START_TEST(limits_below_memory_leave_none)
{
	struct layout layout = layout_of(SIZE);

	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, MIB), 0);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 1, 1), 0);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 3 * MIB + 1, SIZE),
			  0);
	ck_assert_uint_eq(layout_take_highest(&layout.high, 3 * MIB, SIZE),
			  MIB);
}

static const TTest **const tests[] = {
	&only_memory_can_be_occupied,
	&shadow_memory_can_be_occupied_but_not_taken,

	&taken_range_follows_the_occupied_one,
	&or_else_before_it,
	&highest_is_below_the_limit,
	&limits_below_memory_leave_none,
};

Suite *layout_suite(void)
{
	return suite_of("layout", tests, ARRAY_SIZE(tests));
}
