// SPDX-License-Identifier: GPL-2.0
/* Bars and sparklines of the tool's statistics, in ASCII and in UTF-8. */
#include <string.h>

#include "common/bar.h"
#include "suites.h"

static char bar[BAR_SIZE];

START_TEST(whole_is_the_full_width)
{
	bar_draw(bar, 7, 7, false);
	ck_assert_uint_eq(strlen(bar), BAR_WIDTH);
	ck_assert_uint_eq(strspn(bar, "#"), BAR_WIDTH);
	bar_draw(bar, 7, 7, true);
	ck_assert_uint_eq(strlen(bar), 3 * BAR_WIDTH);
}

START_TEST(nothing_is_empty)
{
	bar_draw(bar, 0, 7, false);
	ck_assert_str_eq(bar, "");
	bar_draw(bar, 0, 0, true);
	ck_assert_str_eq(bar, "");
}

START_TEST(half_is_half)
{
	bar_draw(bar, 1, 2, false);
	ck_assert_uint_eq(strlen(bar), BAR_WIDTH / 2);
	bar_draw(bar, 1, 2, true);
	ck_assert_uint_eq(strlen(bar), 3 * BAR_WIDTH / 2);
}

START_TEST(eighths_are_drawn)
{
	bar_draw(bar, 1, BAR_WIDTH * 8, true);
	ck_assert_str_eq(bar, "\xe2\x96\x8f"); /* U+258F, one eighth */
	bar_draw(bar, 7, BAR_WIDTH * 8, true);
	ck_assert_str_eq(bar, "\xe2\x96\x89"); /* U+2589, seven eighths */
	bar_draw(bar, 8, BAR_WIDTH * 8, true);
	ck_assert_str_eq(bar, "\xe2\x96\x88"); /* U+2588, full block */
}

START_TEST(small_shares_are_visible)
{
	bar_draw(bar, 1, UINT64_MAX, false);
	ck_assert_str_eq(bar, "#");
	bar_draw(bar, 1, UINT64_MAX, true);
	ck_assert_str_eq(bar, "\xe2\x96\x8f");
}

START_TEST(huge_counts_stay_inside)
{
	bar_draw(bar, UINT64_MAX - 1, UINT64_MAX, true);
	ck_assert_uint_eq(strlen(bar), 3 * BAR_WIDTH);
	bar_draw(bar, UINT64_MAX, 1, true);
	ck_assert_uint_eq(strlen(bar), 3 * BAR_WIDTH);
}

START_TEST(sparks_are_as_high_as_their_values)
{
	static const uint64_t values[] = { 0, 1, 4, 8, 1000000 };
	char spark[SPARK_SIZE];

	spark_draw(spark, values, 4, false);
	ck_assert_str_eq(spark, " .=#");
	spark_draw(spark, values, 4, true);
	ck_assert_str_eq(spark, " \xe2\x96\x81\xe2\x96\x84\xe2\x96\x88");
	spark_draw(spark, values + 3, 2, false); /* no value above 0 is blank */
	ck_assert_str_eq(spark, ".#");
	spark_draw(spark, values, 1, true);
	ck_assert_str_eq(spark, " ");
}

static const TTest **const tests[] = {
	&sparks_are_as_high_as_their_values,
	&whole_is_the_full_width,
	&nothing_is_empty,
	&half_is_half,
	&eighths_are_drawn,
	&small_shares_are_visible,
	&huge_counts_stay_inside,
};

Suite *bar_suite(void)
{
	return suite_of("bar", tests, ARRAY_SIZE(tests));
}
