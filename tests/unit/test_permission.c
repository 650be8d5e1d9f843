// SPDX-License-Identifier: GPL-2.0
/*
 * permission_load(): the hardware's MSR permission map lets an access pass only if the
 * program's map lets it pass and the module allows it (APM 15.11).
 */
#include "suites.h"

#include "policy.h"
#include "xorshift.h"

#define WORDS (PERMISSION_MSRPM_SIZE / 8)

/* APM 15.11: two bits per MSR, in three ranges at 000h, 800h and 1000h */
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

static void check_ranges(const u64 *hw, bool requested, bool lbr)
{
	static const u32 ranges[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int range;
	int write;
	u32 i;

	for (range = 0; range < ARRAY_SIZE(ranges); range++)
		for (i = 0; i < 0x2000; i++)
			for (write = 0; write < 2; write++) {
				u32 msr = ranges[range] + i;
				bool own = requested &&
					   policy_msr_passes(msr, write, lbr);

				ck_assert_msg(intercepted(hw, msr, write) ==
						      !own,
					      "MSR %x, write %d", msr, write);
			}
}

START_TEST(nothing_requested)
{
	u64 user[WORDS], hw[WORDS];

	memset(user, 0xff, sizeof(user));
	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	check_ranges(hw, false, false);
}
END_TEST

START_TEST(everything_requested)
{
	u64 user[WORDS] = {}, hw[WORDS];

	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	check_ranges(hw, true, false);
}
END_TEST

/* The guest may access last branch records only while LBR virtualization is enabled. */
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

START_TEST(request_withdrawn)
{
	u64 user[WORDS] = {}, hw[WORDS];

	memset(hw, 0xff, sizeof(hw));
	permission_load(hw, user, false);
	memset(user, 0xff, sizeof(user));
	permission_load(hw, user, false);
	check_ranges(hw, false, false);
}
END_TEST

/* No map of the program lets an access pass that the module does not allow. */
START_TEST(random_maps_keep_what_is_forced)
{
	static u64 user[WORDS], hw[WORDS], forced[2][WORDS];
	u64 random = 5;
	unsigned int i, word;
	bool lbr;

	policy_msrpm(forced[false], false);
	policy_msrpm(forced[true], true);
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
		&nothing_requested,
		&everything_requested,
		&request_withdrawn,
		&lbr_virtualization_comes_and_goes,
		&random_maps_keep_what_is_forced,
	};

	return suite_of("permission", tests, ARRAY_SIZE(tests));
}
