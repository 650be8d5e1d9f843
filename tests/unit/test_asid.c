// SPDX-License-Identifier: GPL-2.0
/* ASIDs: never 0, never one that another holder's translations may be under. */
#include "suites.h"

#include "../../module/asid.h"

#define COUNT 8

START_TEST(first_one_flushes)
{
	struct asid_pool pool;
	struct asid asid = {};

	asid_pool_init(&pool, COUNT);
	ck_assert_int_eq(asid_assign(&asid, &pool, 0), ASID_FLUSH);
	ck_assert_uint_eq(asid.number, 1);
}
END_TEST

START_TEST(kept_while_good)
{
	struct asid_pool pool;
	struct asid asid = {}, other = {};
	u32 number;

	asid_pool_init(&pool, COUNT);
	asid_assign(&asid, &pool, 0);
	number = asid.number;
	ck_assert_int_eq(asid_assign(&other, &pool, 0), ASID_FRESH);
	ck_assert_int_eq(asid_assign(&asid, &pool, 0), ASID_KEPT);
	ck_assert_uint_eq(asid.number, number);
	ck_assert_uint_ne(asid.number, other.number);
}
END_TEST

START_TEST(dropped_means_fresh)
{
	struct asid_pool pool;
	struct asid asid = {};
	u32 number;

	asid_pool_init(&pool, COUNT);
	asid_assign(&asid, &pool, 0);
	number = asid.number;
	asid_drop(&asid);
	ck_assert_int_eq(asid_assign(&asid, &pool, 0), ASID_FRESH);
	ck_assert_uint_ne(asid.number, number);
}
END_TEST

START_TEST(another_cpu_means_fresh)
{
	struct asid_pool pools[2];
	struct asid asid = {}, first = {};

	asid_pool_init(&pools[0], COUNT);
	asid_pool_init(&pools[1], COUNT);
	asid_assign(&asid, &pools[0], 0);
	asid_assign(&first, &pools[1], 1);
	/* Generations are equal; the CPU is what tells them apart. */
	ck_assert_uint_eq(pools[0].generation, pools[1].generation);
	ck_assert_int_eq(asid_assign(&asid, &pools[1], 1), ASID_FRESH);
	ck_assert_uint_ne(asid.number, first.number);
}
END_TEST

START_TEST(running_out_flushes_and_begins_again)
{
	struct asid_pool pool;
	struct asid asid[COUNT] = {};
	unsigned int i, flushes = 0;

	asid_pool_init(&pool, COUNT);
	for (i = 0; i < COUNT; i++) {
		flushes += asid_assign(&asid[i], &pool, 0) == ASID_FLUSH;
		ck_assert_uint_ge(asid[i].number, 1);
		ck_assert_uint_lt(asid[i].number, COUNT);
	}
	/* One for the first generation, one since there are COUNT - 1. */
	ck_assert_uint_eq(flushes, 2);
	/* Those of the old generation count for nothing. */
	ck_assert_int_eq(asid_assign(&asid[0], &pool, 0), ASID_FRESH);
	ck_assert_uint_ne(asid[0].number, asid[COUNT - 1].number);
}
END_TEST

START_TEST(reset_trusts_none)
{
	struct asid_pool pool;
	struct asid asid = {};

	asid_pool_init(&pool, COUNT);
	asid_assign(&asid, &pool, 0);
	asid_pool_reset(&pool);
	ck_assert_int_eq(asid_assign(&asid, &pool, 0), ASID_FLUSH);
}
END_TEST

/*
 * The rule itself: if a holder gets an ASID that another had since the last
 * flush of the CPU, stale translations could be used.
 */
START_TEST(no_number_twice_between_flushes)
{
	enum { HOLDERS = 20, ROUNDS = 100000 };
	struct asid asid[HOLDERS] = {};
	int holder_of[COUNT];
	struct asid_pool pool;
	unsigned int seed = 7, i;

	asid_pool_init(&pool, COUNT);
	for (i = 0; i < ROUNDS; i++) {
		int holder = rand_r(&seed) % HOLDERS;
		struct asid before = asid[holder];
		enum asid_change change;

		if (rand_r(&seed) % 8 == 0)
			asid_drop(&asid[holder]);
		change = asid_assign(&asid[holder], &pool, 0);
		if (change == ASID_FLUSH)
			memset(holder_of, 0xff, sizeof(holder_of));
		if (change == ASID_KEPT) {
			ck_assert_uint_eq(before.number, asid[holder].number);
			ck_assert_int_eq(holder_of[before.number], holder);
			continue;
		}
		ck_assert_int_eq(holder_of[asid[holder].number], -1);
		holder_of[asid[holder].number] = holder;
	}
}
END_TEST

Suite *asid_suite(void)
{
	static const TTest **const tests[] = {
		&first_one_flushes,
		&kept_while_good,
		&dropped_means_fresh,
		&another_cpu_means_fresh,
		&running_out_flushes_and_begins_again,
		&reset_trusts_none,
		&no_number_twice_between_flushes,
	};

	return suite_of("asid", tests, ARRAY_SIZE(tests));
}
