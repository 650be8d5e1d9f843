// SPDX-License-Identifier: GPL-2.0
/* Parsing of sizes, addresses and seconds on the command line. */
#include <stdint.h>

#include "common/number.h"
#include "suites.h"

static void is_size(const char *text, uint64_t expected)
{
	uint64_t value = 0;

	ck_assert_msg(number_size(text, &value), "%s is a size", text);
	ck_assert_uint_eq(value, expected);
}

static void is_no_size(const char *text)
{
	uint64_t value;

	ck_assert_msg(!number_size(text, &value), "%s is not a size", text);
}

START_TEST(size_is_decimal_or_hexadecimal)
{
	is_size("0", 0);
	is_size("4096", 4096);
	is_size("0x1000", 4096);
	is_size("010", 10);
	is_size("18446744073709551615", UINT64_MAX);
}

START_TEST(size_has_suffixes)
{
	is_size("1K", 1ull << 10);
	is_size("64M", 64ull << 20);
	is_size("2g", 2ull << 30);
	is_size("0x10k", 16ull << 10);
}

START_TEST(size_is_nothing_else)
{
	is_no_size("");
	is_no_size("M");
	is_no_size("-1");
	is_no_size("+1");
	is_no_size(" 1");
	is_no_size("1 ");
	is_no_size("1MB");
	is_no_size("1T");
	is_no_size("0x");
	is_no_size("0xg");
	is_no_size("1.5M");
}

START_TEST(size_does_not_overflow)
{
	is_no_size("18446744073709551616");
	is_no_size("17179869184G");
	is_size("17179869183G", 17179869183ull << 30);
}

START_TEST(address_has_no_suffix)
{
	uint64_t value;

	ck_assert(number_address("0x7c00", &value));
	ck_assert_uint_eq(value, 0x7c00);
	ck_assert(!number_address("1K", &value));
	ck_assert(!number_address("", &value));
	ck_assert(!number_address("seven", &value));
}

START_TEST(seconds_may_have_a_fraction)
{
	double value = 0;

	ck_assert(number_seconds("0.25", &value));
	ck_assert(value == 0.25);
	ck_assert(number_seconds(".5", &value));
	ck_assert(number_seconds("3", &value));
	ck_assert(value == 3);
}

START_TEST(seconds_are_more_than_0_and_finite)
{
	double value;

	ck_assert(!number_seconds("0", &value));
	ck_assert(!number_seconds("-1", &value));
	ck_assert(!number_seconds("inf", &value));
	ck_assert(!number_seconds("nan", &value));
	ck_assert(!number_seconds("1e300", &value));
	ck_assert(!number_seconds("1s", &value));
	ck_assert(!number_seconds("", &value));
	ck_assert(!number_seconds(".", &value));
}

static const TTest **const tests[] = {
	&size_is_decimal_or_hexadecimal,
	&size_has_suffixes,
	&size_is_nothing_else,
	&size_does_not_overflow,
	&address_has_no_suffix,
	&seconds_may_have_a_fraction,
	&seconds_are_more_than_0_and_finite,
};

Suite *number_suite(void)
{
	return suite_of("number", tests, ARRAY_SIZE(tests));
}
