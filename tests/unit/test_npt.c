// SPDX-License-Identifier: GPL-2.0
/*
 * The module's nested page table: mapping, unmapping and protecting pages of all sizes,
 * the dirty log, and freeing tables. The tests walk the table as the processor does.
 */
#include "suites.h"

#include "../../module/npt.h"

#include <errno.h>
#include <stdlib.h>
#include <linux/io.h>

#define P 1ull
#define W 2ull
#define U 4ull
#define A (1ull << 5)
#define D (1ull << 6)
#define PS (1ull << 7)
#define NX (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull
#define MIB_2 (2ull << 20)
#define GIB (1ull << 30)

static struct npt npt;
static struct npt_cache cache;

static void map(u64 gpa, u64 pa, unsigned int rights)
{
	ck_assert_int_eq(npt_cache_fill(&cache, npt_missing(&npt, gpa)), 0);
	ck_assert_int_eq(npt_map(&npt, &cache, gpa, pa, 1, rights), 0);
}

static int map_large(u64 gpa, u64 pa, unsigned int level)
{
	ck_assert_int_eq(npt_cache_fill(&cache, NPT_CACHE_TABLES), 0);
	return npt_map(&npt, &cache, gpa, pa, level, NPT_WRITE);
}

/* Unmap for at most @steps steps. Return the address at which to continue. */
static u64 zap_steps(u64 gpa, u64 end, unsigned int steps)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	npt_zap(&npt, &range, steps);
	ck_assert(npt_range_free(&range, ~0u));
	return range.gpa;
}

static void zap(u64 gpa, u64 end)
{
	ck_assert_uint_ge(zap_steps(gpa, end, ~0u), end);
}

/* Change permissions. Return true if any were removed: the TLB must be flushed. */
static bool protect(u64 gpa, u64 end, unsigned int rights)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	ck_assert(npt_protect(&npt, &range, rights, ~0u));
	ck_assert_ptr_null(range.freed);
	return range.flush;
}

static void prune(u64 gpa)
{
	struct npt_range range = {};

	npt_prune(&npt, &range, gpa);
	ck_assert(npt_range_free(&range, ~0u));
}

/*
 * Walk the table from N_CR3 down (APM 15.25.5). Every level must be present and
 * accessible for user mode; an access needs the permission of all levels.
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
		if (level == 1 || entry & PS)
			break;
		table = phys_to_virt(entry & ADDRESS & ~npt.encryption);
	}
	return (entry & ADDRESS & ~npt.encryption) +
	       (gpa & ((1ull << (12 + 9 * (level - 1))) - 1) & ~0xfffull);
}

static void setup(unsigned int levels, u64 encryption)
{
	ck_assert_int_eq(npt_create(&npt, levels, encryption), 0);
	cache.count = 0;
}

static void teardown(void)
{
	npt_cache_drain(&cache);
	ck_assert(npt_destroy(&npt, ~0u));
	ck_assert_ptr_null(npt.root);
}

START_TEST(empty_has_nothing)
{
	u64 rights;

	setup(4, 0);
	ck_assert_uint_eq(processor_walk(0, &rights), 0);
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
	ck_assert_int_eq(map_large(MIB_2, 16 * MIB_2, 2), 0);
	ck_assert_uint_eq(processor_walk(MIB_2, &rights), 16 * MIB_2);
	zap(0, 0x2000);
	ck_assert_uint_eq(processor_walk(0x1000, &rights), 0);
	teardown();
}
END_TEST

START_TEST(zap_changes_only_the_range)
{
	u64 gpa, rights;

	setup(4, 0);
	for (gpa = 0x1fe000; gpa < 0x203000; gpa += 0x1000)
		map(gpa, 0x100000000ull + gpa, NPT_WRITE);
	zap(0x1ff000, 0x202000);
	ck_assert_uint_ne(processor_walk(0x1fe000, &rights), 0);
	for (gpa = 0x1ff000; gpa < 0x202000; gpa += 0x1000)
		ck_assert_uint_eq(processor_walk(gpa, &rights), 0);
	ck_assert_uint_ne(processor_walk(0x202000, &rights), 0);
	teardown();
}
END_TEST

START_TEST(zap_returns_after_its_steps)
{
	u64 gpa = 0, rights;
	unsigned int calls = 0;

	setup(4, 0);
	for (gpa = 0; gpa < 0x10000; gpa += 0x1000)
		map(gpa, 0x100000 + gpa, 0);
	for (gpa = 0; gpa < 0x10000; calls++) {
		u64 next = zap_steps(gpa, 0x10000, 4);

		ck_assert_uint_eq(next, gpa + 0x4000);
		gpa = next;
	}
	ck_assert_uint_eq(calls, 4);
	for (gpa = 0; gpa < 0x10000; gpa += 0x1000)
		ck_assert_uint_eq(processor_walk(gpa, &rights), 0);
	teardown();
}
END_TEST

/* A hole of any size is one step, or else 2^47 bytes would take 2^35 steps. */
START_TEST(zap_skips_holes)
{
	u64 rights;

	setup(4, 0);
	map((1ull << 47) - 0x1000, 0x5000, 0);
	ck_assert_uint_ge(zap_steps(0, 1ull << 47, 2048), 1ull << 47);
	ck_assert_uint_eq(processor_walk((1ull << 47) - 0x1000, &rights), 0);
	teardown();
}
END_TEST

START_TEST(cache_is_filled_to_what_is_missing)
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

/* ---- large pages ---------------------------------------------------------- */

START_TEST(large_pages)
{
	u64 rights;

	setup(4, 0);
	ck_assert_int_eq(map_large(GIB, 8 * GIB, 3), 0);
	ck_assert_int_eq(map_large(MIB_2 + 0x5000, 4 * MIB_2, 2), 0);
	ck_assert_uint_eq(processor_walk(GIB + 0x12345000, &rights),
			  8 * GIB + 0x12345000);
	ck_assert_uint_eq(processor_walk(MIB_2 + 0x3000, &rights),
			  4 * MIB_2 + 0x3000);
	ck_assert_uint_eq(rights & (W | NX), W | NX);
	ck_assert_uint_eq(npt.pages[1], 1);
	ck_assert_uint_eq(npt.pages[2], 1);
	teardown();
}
END_TEST

START_TEST(sizes_do_not_mix)
{
	setup(4, 0);
	map(0x1000, 0x5000, 0);
	ck_assert_int_eq(map_large(0, MIB_2, 2), -EEXIST);
	ck_assert_int_eq(map_large(0, GIB, 3), -EEXIST);
	zap(0, MIB_2);
	ck_assert_int_eq(map_large(0, MIB_2, 2), 0);
	ck_assert_int_eq(map_large(0x1000, 0x5000, 1), -EEXIST);
	ck_assert_uint_eq(npt_missing(&npt, 0x1000), 0);
	teardown();
}
END_TEST

START_TEST(map_needs_its_tables)
{
	setup(4, 0);
	ck_assert_int_eq(npt_cache_fill(&cache, 2), 0);
	ck_assert_int_eq(npt_map(&npt, &cache, 0, 0x5000, 1, 0), -EAGAIN);
	ck_assert_int_eq(npt_cache_fill(&cache, 1), 0);
	ck_assert_int_eq(npt_map(&npt, &cache, 0, 0x5000, 1, 0), 0);
	ck_assert_uint_eq(npt.tables, 4);
	teardown();
}
END_TEST

/* A large page that is only partly in the range is unmapped as a whole. */
START_TEST(zap_removes_large_pages_whole)
{
	u64 rights;

	setup(4, 0);
	ck_assert_int_eq(map_large(0, 8 * GIB, 2), 0);
	ck_assert_int_eq(map_large(MIB_2, 9 * GIB, 2), 0);
	zap(0x5000, 0x6000);
	ck_assert_uint_eq(processor_walk(0, &rights), 0);
	ck_assert_uint_eq(processor_walk(MIB_2, &rights), 9 * GIB);
	ck_assert_uint_eq(npt.pages[1], 1);
	teardown();
}
END_TEST

/* ---- tables that are no longer needed ------------------------------------- */

START_TEST(zap_frees_tables_of_pages)
{
	u64 gpa;

	setup(4, 0);
	for (gpa = 0; gpa < 2 * MIB_2; gpa += 0x1000)
		map(gpa, GIB + gpa, 0);
	ck_assert_uint_eq(npt.tables, 1 + 2 + 2);
	ck_assert_uint_eq(npt.pages[0], 1024);
	zap(0, MIB_2);
	ck_assert_uint_eq(npt.tables, 1 + 2 + 1);
	ck_assert_uint_eq(npt.pages[0], 512);
	/* A table that still maps a page stays. */
	zap(MIB_2, 2 * MIB_2 - 0x1000);
	ck_assert_uint_eq(npt.tables, 1 + 2 + 1);
	ck_assert_uint_eq(npt.pages[0], 1);
	teardown();
}
END_TEST

START_TEST(zap_frees_tables_of_tables)
{
	setup(5, 0);
	map(0x1000, 0x5000, 0);
	map(GIB - 0x1000, 0x5000, 0);
	map(1ull << 40, 0x6000, 0);
	ck_assert_uint_eq(npt.tables, 1 + 1 + 2 + 2 + 3);
	zap(0, 1ull << 48);
	ck_assert_uint_eq(npt.tables, 1);
	ck_assert_uint_eq(npt.pages[0], 0);
	teardown();
}
END_TEST

START_TEST(prune_frees_only_empty_tables)
{
	u64 rights;

	setup(4, 0);
	map(0x1000, 0x5000, 0);
	map(0x2000, 0x6000, 0);
	map(GIB, 0x7000, 0);
	zap(0x1000, 0x2000);
	prune(0x1000);
	ck_assert_uint_eq(npt.tables, 6);
	zap(0x2000, 0x3000);
	ck_assert_uint_eq(npt.tables, 6);
	prune(0x1000);
	ck_assert_uint_eq(npt.tables, 4);
	prune(0x1000);
	prune(1ull << 47);
	ck_assert_uint_eq(npt.tables, 4);
	ck_assert_uint_eq(processor_walk(GIB, &rights), 0x7000);
	zap(GIB, GIB + 0x1000);
	prune(GIB);
	ck_assert_uint_eq(npt.tables, 1);
	teardown();
}
END_TEST

/* Freeing tables is limited to a number of steps, too; another call continues it. */
START_TEST(freeing_returns_after_its_steps)
{
	struct npt_range range = { .end = 4 * MIB_2 };
	u64 gpa;

	setup(4, 0);
	for (gpa = 0; gpa < 8 * MIB_2; gpa += MIB_2)
		map(gpa, 0x5000, 0);
	ck_assert(npt_zap(&npt, &range, ~0u));
	ck_assert(!npt_range_free(&range, 3));
	ck_assert_ptr_nonnull(range.freed);
	ck_assert(npt_range_free(&range, 1));
	npt_cache_drain(&cache);
	ck_assert_uint_eq(npt.tables, 1 + 2 + 4);
	ck_assert(!npt_destroy(&npt, 5));
	ck_assert_uint_eq(npt.tables, 2);
	ck_assert(npt_destroy(&npt, 2));
	ck_assert_uint_eq(npt.tables, 0);
}
END_TEST

/*
 * Freed tables are linked through their first entries. These must not have P, because the
 * processor may still be walking the tables.
 */
START_TEST(freed_tables_are_linked_by_nothing_present)
{
	struct npt_range range = { .end = 2 * MIB_2 };

	setup(4, 0);
	map(0, 0x5000, 0);
	map(MIB_2, 0x6000, 0);
	ck_assert(npt_zap(&npt, &range, ~0u));
	ck_assert(range.flush);
	ck_assert_ptr_nonnull(range.freed);
	ck_assert_uint_eq(range.freed[0] & P, 0);
	ck_assert(npt_range_free(&range, ~0u));
	teardown();
}
END_TEST

/* ---- permissions ------------------------------------------------------------ */

START_TEST(protect_removes_write_and_adds_none)
{
	u64 rights;

	setup(4, 0);
	map(0x1000, 0x5000, NPT_WRITE);
	map(0x2000, 0x6000, 0);
	ck_assert(!protect(0, 0x3000, NPT_WRITE));
	ck_assert(protect(0, 0x3000, 0));
	ck_assert_uint_eq(processor_walk(0x1000, &rights), 0x5000);
	ck_assert_uint_eq(rights & W, 0);
	/* NPT_WRITE makes no page writable: the program may not have write access. */
	ck_assert(!protect(0, 0x3000, NPT_WRITE));
	processor_walk(0x1000, &rights);
	ck_assert_uint_eq(rights & W, 0);
	teardown();
}
END_TEST

START_TEST(protect_adds_and_removes_execute)
{
	u64 rights;

	setup(4, 0);
	map(0x1000, 0x5000, NPT_WRITE);
	ck_assert(!protect(0x1000, 0x2000, NPT_WRITE | NPT_EXEC));
	processor_walk(0x1000, &rights);
	ck_assert_uint_eq(rights, P | W | U);
	ck_assert(protect(0x1000, 0x2000, NPT_WRITE));
	processor_walk(0x1000, &rights);
	ck_assert_uint_eq(rights, P | W | U | NX);
	teardown();
}
END_TEST

START_TEST(protect_unmaps_what_is_partly_inside)
{
	u64 rights;

	setup(4, 0);
	ck_assert_int_eq(map_large(0, 8 * GIB, 2), 0);
	ck_assert_int_eq(map_large(MIB_2, 9 * GIB, 2), 0);
	ck_assert(protect(0x1000, 2 * MIB_2, 0));
	ck_assert_uint_eq(processor_walk(0, &rights), 0);
	ck_assert_uint_eq(processor_walk(MIB_2, &rights), 9 * GIB);
	ck_assert_uint_eq(rights & W, 0);
	teardown();
}
END_TEST

START_TEST(protect_returns_after_its_steps)
{
	struct npt_range range = { .end = 0x10000 };
	u64 gpa;

	setup(4, 0);
	for (gpa = 0; gpa < 0x10000; gpa += 0x1000)
		map(gpa, 0x100000 + gpa, NPT_WRITE);
	ck_assert(!npt_protect(&npt, &range, 0, 4));
	ck_assert_uint_eq(range.gpa, 0x4000);
	ck_assert(npt_protect(&npt, &range, 0, 12));
	teardown();
}
END_TEST

/* ---- the dirty log ------------------------------------------------------- */

#define LOG_PAGES 2048ul /* from address 0 on */

static unsigned long written[LOG_PAGES / 64];
static struct npt_log writes = { .bits = written };

static void forget_writes(void)
{
	memset(written, 0, sizeof(written));
	writes = (struct npt_log){ .bits = written };
}

static struct npt_range logged_range(u64 page, u64 end)
{
	return (struct npt_range){
		.gpa = page << 12,
		.end = end << 12,
		.log = &writes,
	};
}

/* Write as a processor: set A in all entries of the walk, and D in that of the page. */
static void processor_write(u64 gpa)
{
	u64 *table = npt.root, *entry;
	int level;

	for (level = npt.levels;; level--) {
		entry = &table[(gpa >> (12 + 9 * (level - 1))) & 511];
		ck_assert(*entry & P);
		*entry |= A;
		if (level == 1 || *entry & PS)
			break;
		table = phys_to_virt(*entry & ADDRESS & ~npt.encryption);
	}
	ck_assert(*entry & W);
	*entry |= D;
}

static void mark(u64 page, u64 end)
{
	struct npt_range range = logged_range(page, end);

	ck_assert(npt_mark(&npt, &range, ~0u));
	ck_assert_uint_eq(range.gpa, end << 12);
}

/* Mark and collect. Return the number of pages in the log. */
static unsigned int collect(u64 page, u64 end)
{
	struct npt_range range = logged_range(page, end);
	unsigned int i, count = 0;

	forget_writes();
	if (end > LOG_PAGES)
		writes.gpa = page << 12;
	mark(page, end);
	ck_assert(npt_collect(&npt, &range, ~0u));
	ck_assert_uint_eq(range.gpa, end << 12);
	for (i = 0; i < LOG_PAGES; i++)
		count += written[i / 64] >> i % 64 & 1;
	ck_assert_uint_eq(writes.count, count);
	return count;
}

static bool is_written(unsigned int page)
{
	return written[page / 64] >> page % 64 & 1;
}

static void map_all(void)
{
	u64 i;

	setup(4, 0);
	for (i = 0; i < LOG_PAGES; i++)
		map(i << 12, (i + 1) << 12, NPT_WRITE);
}

START_TEST(collect_finds_what_was_written)
{
	map_all();
	ck_assert_uint_eq(collect(0, LOG_PAGES), 0);
	processor_write(3ull << 12);
	processor_write(511ull << 12);
	processor_write(512ull << 12);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 3);
	ck_assert(is_written(3) && is_written(511) && is_written(512));
	ck_assert_uint_eq(collect(0, LOG_PAGES), 0);
	processor_write(511ull << 12);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 1);
	teardown();
}
END_TEST

START_TEST(collect_covers_only_the_range)
{
	map_all();
	processor_write(9ull << 12);
	processor_write(10ull << 12);
	processor_write(600ull << 12);
	processor_write(601ull << 12);
	ck_assert_uint_eq(collect(10, 601), 2);
	ck_assert(is_written(10) && is_written(600));
	ck_assert_uint_eq(collect(0, 512), 1);
	ck_assert(is_written(9));
	ck_assert_uint_eq(collect(601, LOG_PAGES), 1);
	ck_assert(is_written(601));
	teardown();
}
END_TEST

/* Unused entries are skipped, but only to the end of their table. */
START_TEST(collect_reaches_the_next_gib)
{
	const u64 page = GIB >> 12, first = page - 1024;

	setup(4, 0);
	map(first << 12, 0x1000, NPT_WRITE);
	map((page + 700) << 12, 0x2000, NPT_WRITE);
	processor_write((page + 700) << 12);
	ck_assert_uint_eq(collect(first, first + LOG_PAGES), 1);
	ck_assert(is_written(1024 + 700));
	teardown();
}
END_TEST

/* Writes between marking and collecting, and after that, are logged. */
START_TEST(collect_loses_nothing_meanwhile)
{
	struct npt_range range;

	map_all();
	processor_write(1ull << 12);
	mark(0, LOG_PAGES);
	processor_write(2ull << 12);
	range = logged_range(0, LOG_PAGES);
	forget_writes();
	ck_assert(npt_collect(&npt, &range, ~0u));
	ck_assert(is_written(1) && is_written(2));
	processor_write(2ull << 12);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 1);
	ck_assert(is_written(2));
	teardown();
}
END_TEST

/*
 * A table that no walk has used since it was marked contains no dirty pages. It is
 * skipped if the range covers all of it.
 */
START_TEST(collect_skips_unused_tables)
{
	u64 *table;

	map_all();
	processor_write(5ull << 12);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 1);
	table = phys_to_virt(npt.root[0] & ADDRESS);
	table = phys_to_virt(table[0] & ADDRESS);
	table = phys_to_virt(table[0] & ADDRESS);
	table[5] |= D;
	ck_assert_uint_eq(collect(0, LOG_PAGES), 0);
	ck_assert_uint_eq(collect(0, 511), 1);
	teardown();
}
END_TEST

START_TEST(collect_returns_after_its_steps)
{
	struct npt_range range = logged_range(0, LOG_PAGES);

	map_all();
	ck_assert(!npt_mark(&npt, &range, 1));
	ck_assert_uint_eq(range.gpa, MIB_2);
	range = logged_range(0, LOG_PAGES);
	ck_assert(!npt_collect(&npt, &range, 1));
	ck_assert_uint_eq(range.gpa, MIB_2);
	ck_assert(!npt_collect(&npt, &range, 0));
	ck_assert_uint_eq(range.gpa, MIB_2);
	teardown();
}
END_TEST

START_TEST(zap_logs_what_was_written)
{
	struct npt_range range = logged_range(4, 5);

	map_all();
	forget_writes();
	processor_write(4ull << 12);
	processor_write(700ull << 12);
	npt_zap(&npt, &range, ~0u);
	ck_assert(is_written(4) && !is_written(700));
	range = logged_range(512, 1024);
	npt_zap(&npt, &range, ~0u);
	ck_assert(npt_range_free(&range, ~0u));
	ck_assert(is_written(700));
	ck_assert_uint_eq(collect(0, LOG_PAGES), 0);
	teardown();
}
END_TEST

START_TEST(page_is_counted_once)
{
	struct npt_range range = logged_range(0, LOG_PAGES);

	map_all();
	processor_write(4ull << 12);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 1);
	processor_write(4ull << 12);
	processor_write(5ull << 12);
	ck_assert(npt_zap(&npt, &range, ~0u));
	ck_assert(npt_range_free(&range, ~0u));
	ck_assert_uint_eq(writes.count, 2);
	teardown();
}
END_TEST

START_TEST(log_begins_where_it_is_said)
{
	struct npt_range range = logged_range(100, 200);

	map_all();
	forget_writes();
	processor_write(130ull << 12);
	writes.gpa = 100ull << 12;
	ck_assert(npt_collect(&npt, &range, ~0u));
	ck_assert(is_written(30));
	teardown();
}
END_TEST

/* A page stays dirty when it is mapped again or loses permissions. */
START_TEST(changes_leave_what_was_written)
{
	map_all();
	processor_write(6ull << 12);
	map(6ull << 12, 7ull << 12, 0);
	processor_write(7ull << 12);
	protect(7ull << 12, 8ull << 12, 0);
	ck_assert_uint_eq(collect(0, LOG_PAGES), 2);
	ck_assert(is_written(6) && is_written(7));
	teardown();
}
END_TEST

/*
 * Map and unmap pages of two sizes in random order. The model is an array of the pages'
 * addresses. Before a larger page is mapped, smaller ones in its place are unmapped.
 */
START_TEST(agrees_with_a_model)
{
	enum { PAGES = 4096, ROUNDS = 20000 };
	static u64 model[PAGES];
	unsigned int seed = 1, i, j;
	u64 rights, pages;

	setup(4, 0);
	memset(model, 0, sizeof(model));
	for (i = 0; i < ROUNDS; i++) {
		unsigned int page = rand_r(&seed) % PAGES;
		unsigned int length = rand_r(&seed) % 64;

		switch (rand_r(&seed) % 64) {
		case 0: /* a large page */
			page &= -512;
			zap((u64)page << 12, (u64)(page + 512) << 12);
			ck_assert_int_eq(map_large((u64)page << 12,
						   i * MIB_2 + GIB, 2),
					 0);
			for (j = 0; j < 512; j++)
				model[page + j] = i * MIB_2 + GIB +
						  ((u64)j << 12);
			continue;
		case 1 ... 47: /* a small one */
			if (map_large((u64)page << 12, (u64)(i + 1) << 12, 1)) {
				zap((u64)page << 12, (u64)(page + 1) << 12);
				page &= -512;
				memset(&model[page], 0, 512 * sizeof(u64));
				continue;
			}
			model[page] = (u64)(i + 1) << 12;
			continue;
		}
		if (page + length > PAGES)
			length = PAGES - page;
		/* Large pages that are partly in the range are unmapped as a whole. */
		for (j = page; j < page + length; j++) {
			if (model[j] >= GIB)
				memset(&model[j & -512], 0, 512 * sizeof(u64));
			model[j] = 0;
		}
		zap((u64)page << 12, (u64)(page + length) << 12);
	}
	pages = 512 * npt.pages[1] + npt.pages[0];
	for (i = 0; i < PAGES; i++) {
		ck_assert_uint_eq(processor_walk((u64)i << 12, &rights),
				  model[i]);
		pages -= !!model[i];
	}
	ck_assert_uint_eq(pages, 0);
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
		&zap_changes_only_the_range,
		&zap_returns_after_its_steps,
		&zap_skips_holes,
		&cache_is_filled_to_what_is_missing,
		&large_pages,
		&sizes_do_not_mix,
		&map_needs_its_tables,
		&zap_removes_large_pages_whole,
		&zap_frees_tables_of_pages,
		&zap_frees_tables_of_tables,
		&prune_frees_only_empty_tables,
		&freeing_returns_after_its_steps,
		&freed_tables_are_linked_by_nothing_present,
		&protect_removes_write_and_adds_none,
		&protect_adds_and_removes_execute,
		&protect_unmaps_what_is_partly_inside,
		&protect_returns_after_its_steps,
		&collect_finds_what_was_written,
		&collect_covers_only_the_range,
		&collect_reaches_the_next_gib,
		&collect_loses_nothing_meanwhile,
		&collect_skips_unused_tables,
		&collect_returns_after_its_steps,
		&zap_logs_what_was_written,
		&page_is_counted_once,
		&log_begins_where_it_is_said,
		&changes_leave_what_was_written,
		&agrees_with_a_model,
	};

	return suite_of("npt", tests, ARRAY_SIZE(tests));
}
