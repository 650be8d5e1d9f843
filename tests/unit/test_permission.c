// SPDX-License-Identifier: GPL-2.0
/* The MSR permission map: what the program wishes AND what the module allows. */
#include "suites.h"

#include "../../module/permission.h"
#include "xorshift.h"

#define WORDS (PERMISSION_MSRPM_SIZE / 8)

/* Where the APM has an MSR's bits (15.11): 2 a MSR, from 000h, 800h, 1000h. */
static bool intercepted(const u64 *map, u32 msr, bool write)
{
	const u8 *bytes = (const u8 *)map;
	u32 bit = (msr & 0x1fff) * 2 + write;

	if (msr >= 0xc0010000)
		bytes += 0x1000;
	else if (msr >= 0xc0000000)
		bytes += 0x800;
	return bytes[bit / 8] >> (bit % 8) & 1;
}

static bool allowed(u32 msr, bool write, bool lbr)
{
	switch (msr) {
	case 0x1d9:
		return lbr;
	case 0x1db ... 0x1de:
		return lbr && !write;
	case 0x10:
		return !write;
	case 0x174 ... 0x176:
	case 0x277:
	case 0xc0000081 ... 0xc0000084:
	case 0xc0000100 ... 0xc0000102:
		return true;
	default:
		return false;
	}
}

static void check_ranges(const u64 *hw, bool wished, bool lbr)
{
	static const u32 ranges[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int range;
	int write;
	u32 i;

	for (range = 0; range < ARRAY_SIZE(ranges); range++)
		for (i = 0; i < 0x2000; i++)
			for (write = 0; write < 2; write++) {
				u32 msr = ranges[range] + i;

				ck_assert_msg(intercepted(hw, msr, write) ==
						      !(wished &&
							allowed(msr, write,
								lbr)),
					      "MSR %x, write %d", msr, write);
			}
}

START_TEST(nothing_wished)
{
	u64 user[WORDS], hw[WORDS];

	memset(user, 0xff, sizeof(user));
	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	check_ranges(hw, false, false);
}
END_TEST

START_TEST(everything_wished)
{
	u64 user[WORDS] = {}, hw[WORDS];

	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	check_ranges(hw, true, false);
}
END_TEST

/* Last branch records are the guest's own only while they are virtualized. */
START_TEST(lbr_virtualization_comes_and_goes)
{
	u64 user[WORDS] = {}, hw[WORDS];

	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, true);
	check_ranges(hw, true, true);
	permission_load(hw, user, false);
	check_ranges(hw, true, false);
}
END_TEST

START_TEST(wish_withdrawn)
{
	u64 user[WORDS] = {}, hw[WORDS];

	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	memset(user, 0xff, sizeof(user));
	permission_load(hw, user, false);
	check_ranges(hw, false, false);
}
END_TEST

/* All ones but where an access may go unintercepted */
static void set_forced(u64 *map, bool lbr)
{
	static const u32 ranges[] = { 0, 0xc0000000, 0xc0010000 };
	u8 *bytes = (u8 *)map;
	unsigned int i, bit;

	memset(map, 0xff, PERMISSION_MSRPM_SIZE);
	for (i = 0; i < ARRAY_SIZE(ranges); i++, bytes += 0x800)
		for (bit = 0; bit < 2 * 0x2000; bit++)
			if (allowed(ranges[i] + bit / 2, bit % 2, lbr))
				bytes[bit / 8] &= ~(1 << bit % 8);
}

/* Whatever the program wishes: that much of it, and not more. */
START_TEST(random_maps_keep_what_is_forced)
{
	static u64 user[WORDS], hw[WORDS], forced[2][WORDS];
	u64 random = 5;
	unsigned int i, word;
	bool lbr;

	set_forced(forced[false], false);
	set_forced(forced[true], true);
	memset(hw, 0xff, sizeof(hw));
	for (i = 0; i < 100000; i++) {
		if (i % 16 == 0)
			xorshift_fill(&random, user, sizeof(user));
		user[xorshift_below(&random, 0x40)] = xorshift(&random);
		user[0x100 + xorshift_below(&random, 16)] = xorshift(&random);
		lbr = xorshift(&random) & 1;
		permission_load(hw, user, lbr);
		for (word = 0; word < WORDS; word++)
			if (hw[word] != (forced[lbr][word] | user[word]))
				ck_abort_msg("map %u, word %u", i, word);
	}
}
END_TEST

Suite *permission_suite(void)
{
	static const TTest **const tests[] = {
		&nothing_wished,
		&everything_wished,
		&wish_withdrawn,
		&lbr_virtualization_comes_and_goes,
		&random_maps_keep_what_is_forced,
	};

	return suite_of("permission", tests, ARRAY_SIZE(tests));
}
