// SPDX-License-Identifier: GPL-2.0
/* CRC-32: the check value of its catalogues, and sums in parts */
#include <string.h>

#include "saved/crc32.h"
#include "suites.h"

static const char digits[] = "123456789";

START_TEST(known_value)
{
	ck_assert_uint_eq(crc32_add(0, digits, 9), 0xcbf43926);
	ck_assert_uint_eq(crc32_add(0, digits, 0), 0);
}

START_TEST(parts_have_the_crc_of_the_whole)
{
	for (size_t i = 0; i <= 9; i++)
		ck_assert_uint_eq(crc32_add(crc32_add(0, digits, i), digits + i,
					    9 - i),
				  0xcbf43926);
}

static const TTest **const tests[] = {
	&known_value,
	&parts_have_the_crc_of_the_whole,
};

Suite *crc32_suite(void)
{
	return suite_of("crc32", tests, ARRAY_SIZE(tests));
}
