// SPDX-License-Identifier: GPL-2.0
/* The nested page table, walked by the tests as the processor would walk it. */
#include "suites.h"

#include "../../module/npt.h"

#define P 1ull
#define W 2ull
#define U 4ull
#define NX (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull

static struct npt npt;
static struct npt_cache cache;

static void map(u64 gpa, u64 pa, unsigned int rights)
{
	ck_assert_int_eq(npt_cache_fill(&cache, npt_missing(&npt, gpa)), 0);
	npt_map(&npt, &cache, gpa, pa, rights);
}

/*
 * APM 15.25.5: the nested walk, from N_CR3 down; every level must be present
 * and a user's, and grants what all levels grant.
 */
static u64 processor_walk(u64 gpa, u64 *rights)
{
	u64 *table = npt.root, entry = 0;
	int level;

	*rights = P | W | U;
	for (level = npt.levels; level >= 1; level--) {
		entry = table[(gpa >> (12 + 9 * (level - 1))) & 511];
		if ((entry & (P | U)) != (P | U))
			return 0;
		ck_assert_uint_eq(entry & npt.encryption, npt.encryption);
		*rights &= entry | NX;
		*rights |= entry & NX;
		table = table_from_pa(entry & ADDRESS & ~npt.encryption);
	}
	return entry & ADDRESS & ~npt.encryption;
}

static void setup(unsigned int levels, u64 encryption)
{
	ck_assert_int_eq(npt_create(&npt, levels, encryption), 0);
	cache.count = 0;
}

static void teardown(void)
{
	npt_cache_drain(&cache);
	npt_destroy(&npt);
	ck_assert_ptr_null(npt.root);
}

START_TEST(empty_has_nothing)
{
	u64 rights;

	setup(4, 0);
	ck_assert_uint_eq(processor_walk(0, &rights), 0);
	ck_assert_uint_eq(npt_walk(&npt, 0), 0);
	ck_assert_uint_eq(npt_missing(&npt, 0), 3);
	ck_assert_uint_eq(npt.tables, 1);
	teardown();
}
END_TEST

START_TEST(map_is_found)
{
	u64 gpa = 0x7f8123456000ull, rights;

	setup(4, 0);
	map(gpa, 0xabc000, NPT_WRITE | NPT_EXEC);
	ck_assert_uint_eq(processor_walk(gpa, &rights), 0xabc000);
	ck_assert_uint_eq(rights, P | W | U);
	ck_assert_uint_eq(npt_walk(&npt, gpa) & ADDRESS, 0xabc000);
	ck_assert_uint_eq(processor_walk(gpa + 0x1000, &rights), 0);
	ck_assert_uint_eq(processor_walk(gpa - 0x1000, &rights), 0);
	ck_assert_uint_eq(npt.tables, 4);
	ck_assert_uint_eq(npt_missing(&npt, gpa), 0);
	teardown();
}
END_TEST

START_TEST(rights_are_the_leafs)
{
	static const struct {
		unsigned int rights;
		u64 seen;
	} cases[] = {
		{ 0, P | U | NX },
		{ NPT_WRITE, P | W | U | NX },
		{ NPT_EXEC, P | U },
		{ NPT_WRITE | NPT_EXEC, P | W | U },
	};
	unsigned int i;
	u64 rights;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(4, 0);
		map(0x1000, 0x5000, cases[i].rights);
		ck_assert_uint_eq(processor_walk(0x1000, &rights), 0x5000);
		ck_assert_uint_eq(rights, cases[i].seen);
		teardown();
	}
}
END_TEST

START_TEST(map_replaces)
{
	u64 rights;

	setup(4, 0);
	map(0x1000, 0x5000, NPT_WRITE);
	map(0x1000, 0x6000, 0);
	ck_assert_uint_eq(processor_walk(0x1000, &rights), 0x6000);
	ck_assert_uint_eq(rights, P | U | NX);
	teardown();
}
END_TEST

START_TEST(five_levels)
{
	u64 high = 1ull << 51, rights;

	setup(5, 0);
	map(high, 0x5000, NPT_WRITE);
	map(0, 0x6000, NPT_WRITE);
	ck_assert_uint_eq(processor_walk(high, &rights), 0x5000);
	ck_assert_uint_eq(processor_walk(0, &rights), 0x6000);
	ck_assert_uint_eq(npt.tables, 1 + 4 + 4);
	teardown();
}
END_TEST

START_TEST(encryption_bit_everywhere)
{
	u64 bit = 1ull << 47, rights;

	setup(4, bit);
	map(0x1000, 0x5000, NPT_WRITE);
	ck_assert_uint_eq(processor_walk(0x1000, &rights), 0x5000);
	ck_assert_uint_eq(npt_walk(&npt, 0x1000) & bit, bit);
	ck_assert_uint_eq(npt_zap(&npt, 0, 0x2000, 10), 0x2000);
	ck_assert_uint_eq(npt_walk(&npt, 0x1000), 0);
	teardown();
}
END_TEST

START_TEST(zap_takes_the_range_only)
{
	u64 gpa, rights;

	setup(4, 0);
	for (gpa = 0x1fe000; gpa < 0x203000; gpa += 0x1000)
		map(gpa, 0x100000000ull + gpa, NPT_WRITE);
	ck_assert_uint_ge(npt_zap(&npt, 0x1ff000, 0x202000, 100), 0x202000);
	ck_assert_uint_ne(processor_walk(0x1fe000, &rights), 0);
	for (gpa = 0x1ff000; gpa < 0x202000; gpa += 0x1000)
		ck_assert_uint_eq(processor_walk(gpa, &rights), 0);
	ck_assert_uint_ne(processor_walk(0x202000, &rights), 0);
	teardown();
}
END_TEST

START_TEST(zap_comes_back_after_its_steps)
{
	u64 gpa = 0, rights;
	unsigned int calls = 0;

	setup(4, 0);
	for (gpa = 0; gpa < 0x10000; gpa += 0x1000)
		map(gpa, 0x100000 + gpa, 0);
	for (gpa = 0; gpa < 0x10000; calls++) {
		u64 next = npt_zap(&npt, gpa, 0x10000, 4);

		ck_assert_uint_eq(next, gpa + 0x4000);
		gpa = next;
	}
	ck_assert_uint_eq(calls, 4);
	for (gpa = 0; gpa < 0x10000; gpa += 0x1000)
		ck_assert_uint_eq(processor_walk(gpa, &rights), 0);
	teardown();
}
END_TEST

/* A hole of any size is one step: 2^47 bytes of nothing do not take 2^35. */
START_TEST(zap_skips_holes)
{
	u64 rights;

	setup(4, 0);
	map((1ull << 47) - 0x1000, 0x5000, 0);
	ck_assert_uint_ge(npt_zap(&npt, 0, 1ull << 47, 2048), 1ull << 47);
	ck_assert_uint_eq(processor_walk((1ull << 47) - 0x1000, &rights), 0);
	teardown();
}
END_TEST

START_TEST(cache_gives_just_what_is_missing)
{
	setup(4, 0);
	map(0x1000, 0x5000, 0);
	ck_assert_uint_eq(cache.count, 0);
	ck_assert_uint_eq(npt_missing(&npt, 0x2000), 0);
	ck_assert_uint_eq(npt_missing(&npt, 0x200000), 1);
	ck_assert_uint_eq(npt_missing(&npt, 1ull << 30), 2);
	ck_assert_uint_eq(npt_missing(&npt, 1ull << 39), 3);
	ck_assert_int_eq(npt_cache_fill(&cache, NPT_CACHE_TABLES), 0);
	ck_assert_uint_eq(cache.count, NPT_CACHE_TABLES);
	teardown();
}
END_TEST

/* Against a plain array: the same mappings, whatever the order. */
START_TEST(agrees_with_a_model)
{
	enum { PAGES = 2048, ROUNDS = 20000 };
	static u64 model[PAGES];
	unsigned int seed = 1, i;
	u64 rights;

	setup(4, 0);
	memset(model, 0, sizeof(model));
	for (i = 0; i < ROUNDS; i++) {
		unsigned int page = rand_r(&seed) % PAGES;
		unsigned int length = rand_r(&seed) % 64, j;

		if (rand_r(&seed) % 4) {
			model[page] = ((u64)i + 1) << 12;
			map((u64)page << 12, model[page], NPT_WRITE);
			continue;
		}
		if (page + length > PAGES)
			length = PAGES - page;
		for (j = page; j < page + length; j++)
			model[j] = 0;
		npt_zap(&npt, (u64)page << 12, (u64)(page + length) << 12,
			PAGES);
	}
	for (i = 0; i < PAGES; i++)
		ck_assert_uint_eq(processor_walk((u64)i << 12, &rights),
				  model[i]);
	teardown();
}
END_TEST

Suite *npt_suite(void)
{
	static const TTest **const tests[] = {
		&empty_has_nothing,
		&map_is_found,
		&rights_are_the_leafs,
		&map_replaces,
		&five_levels,
		&encryption_bit_everywhere,
		&zap_takes_the_range_only,
		&zap_comes_back_after_its_steps,
		&zap_skips_holes,
		&cache_gives_just_what_is_missing,
		&agrees_with_a_model,
	};

	return suite_of("npt", tests, ARRAY_SIZE(tests));
}
