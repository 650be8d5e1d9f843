// SPDX-License-Identifier: GPL-2.0
/*
 * The nested page table (APM 15.25): long-mode page tables that translate guest physical
 * to system physical addresses. This file does not depend on VMs or regions.
 */
#include "npt.h"

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

/* APM 5.4.1. A nested walk is a user access: U must be set (APM 15.25.5). */
#define ENTRY_P (1ull << 0)
#define ENTRY_W (1ull << 1)
#define ENTRY_U (1ull << 2)
#define ENTRY_A (1ull << 5) /* accessed: set by the processor */
#define ENTRY_D (1ull << 6) /* dirty: set by the processor */
#define ENTRY_PS (1ull << 7) /* above the lowest level: a page, not a table */
#define ENTRY_MARK (1ull << 9) /* software: npt_collect() must read the table */
#define ENTRY_NX (1ull << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull

#define ENTRIES 512
#define LEVEL_BITS 9
#define LEVELS_MOST 5
#define GROUP 8 /* entries of a cache line */

/* Cost of reading a whole table, in the steps that calls count; an entry costs one. */
#define TABLE_STEPS (ENTRIES / 16)

/*
 * Allocate a zeroed table. It is charged to the memory cgroup of the caller, and counted
 * as a page of secondary page tables, there and for the machine.
 */
static u64 *table_alloc(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		mod_lruvec_page_state(virt_to_page(table),
				      NR_SECONDARY_PAGETABLE, 1);
	return table;
}

static void table_free(u64 *table)
{
	mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, -1);
	free_page((unsigned long)table);
}

/* Return the link of a table in npt->list. */
static struct list_head *table_link(u64 *table)
{
	return &virt_to_page(table)->lru;
}

static u64 *table_from_link(struct list_head *link)
{
	return page_address(list_entry(link, struct page, lru));
}

static unsigned int level_shift(unsigned int level)
{
	return NPT_PAGE_SHIFT + (level - 1) * LEVEL_BITS;
}

/**
 * npt_span() - size of the range that one entry covers
 * @level: level of the entry, 1 for the lowest
 *
 * Return: bytes.
 */
u64 npt_span(unsigned int level)
{
	return 1ull << level_shift(level);
}

static unsigned int entry_index(u64 gpa, unsigned int level)
{
	return (gpa >> level_shift(level)) & (ENTRIES - 1);
}

static u64 *entry_table(const struct npt *npt, u64 entry)
{
	return phys_to_virt(entry & ENTRY_ADDRESS & ~npt->encryption);
}

static bool is_table(u64 entry, unsigned int level)
{
	return level > 1 && (entry & ENTRY_P) && !(entry & ENTRY_PS);
}

static bool is_page(u64 entry, unsigned int level)
{
	return (entry & ENTRY_P) && !is_table(entry, level);
}

/* Clear bits atomically: the processor may set A and D at any time (APM 5.4.2). */
static u64 entry_clear(u64 *entry, u64 bits)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg(entry, &old, old & ~bits))
		;
	return old;
}

/* Write an entry, and keep its dirty bit, which may not have been logged yet. */
static void entry_set(u64 *entry, u64 value)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg(entry, &old, value | (old & ENTRY_D)))
		;
}

static void table_take(struct npt *npt, u64 *table)
{
	list_add(table_link(table), &npt->list);
	npt->tables++;
}

static void table_drop(struct npt *npt, u64 *table)
{
	list_del(table_link(table));
	npt->tables--;
}

/**
 * npt_create() - create an empty nested page table
 * @npt: filled in
 * @levels: 4 or 5, as the host pages (APM 15.25.3)
 * @encryption: SME's encryption bit (APM 7.10.4), or 0
 *
 * Return: 0 or -ENOMEM.
 */
int npt_create(struct npt *npt, unsigned int levels, u64 encryption)
{
	*npt = (struct npt){
		.root = table_alloc(),
		.levels = levels,
		.encryption = encryption,
	};
	INIT_LIST_HEAD(&npt->list);
	if (!npt->root)
		return -ENOMEM;
	table_take(npt, npt->root);
	return 0;
}

/**
 * npt_destroy() - free every table
 * @npt: from npt_create(), with success; no processor may use it any more
 * @steps: number of tables to free before it returns
 *
 * The cost is proportional to the number of tables: they are in a list.
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_destroy(struct npt *npt, unsigned int steps)
{
	while (!list_empty(&npt->list) && steps--) {
		u64 *table = table_from_link(npt->list.next);

		table_drop(npt, table);
		table_free(table);
	}
	npt->root = NULL;
	return list_empty(&npt->list);
}

/**
 * npt_cache_fill() - allocate tables for npt_map()
 * @cache: the cache
 * @count: how many, 0 to NPT_CACHE_TABLES
 *
 * Return: 0 or -ENOMEM.
 */
int npt_cache_fill(struct npt_cache *cache, unsigned int count)
{
	while (cache->count < count) {
		u64 *table = table_alloc();

		if (!table)
			return -ENOMEM;
		cache->table[cache->count++] = table;
	}
	return 0;
}

/**
 * npt_cache_drain() - free the tables of a cache
 * @cache: the cache
 */
void npt_cache_drain(struct npt_cache *cache)
{
	while (cache->count)
		table_free(cache->table[--cache->count]);
}

/* Add a table below @entry, which is not present. */
static bool table_add(struct npt *npt, struct npt_cache *cache, u64 *entry)
{
	u64 *table;

	if (!cache->count)
		return false;
	table = cache->table[--cache->count];
	table_take(npt, table);
	/* Only the page's entry restricts permissions. */
	WRITE_ONCE(*entry, virt_to_phys(table) | npt->encryption | ENTRY_P |
				   ENTRY_W | ENTRY_U);
	return true;
}

static u64 page_entry(const struct npt *npt, u64 pa, unsigned int level,
		      unsigned int rights)
{
	u64 entry = pa | npt->encryption | ENTRY_P | ENTRY_U;

	if (level > 1)
		entry |= ENTRY_PS;
	if (rights & NPT_WRITE)
		entry |= ENTRY_W;
	if (!(rights & NPT_EXEC))
		entry |= ENTRY_NX;
	return entry;
}

/**
 * npt_map() - map one page
 * @npt: the table
 * @cache: tables to use for missing levels
 * @gpa: guest physical address in the page
 * @pa: system physical address of the page
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB; @pa is a multiple of it
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * Replaces a page of the same size. If that had more permissions, flush the TLB.
 *
 * Return: 0; -EAGAIN if @cache has too few tables; -EEXIST if smaller pages, or
 * a larger one, must be zapped first.
 */
int npt_map(struct npt *npt, struct npt_cache *cache, u64 gpa, u64 pa,
	    unsigned int level, unsigned int rights)
{
	u64 *table = npt->root, *entry;
	unsigned int at;

	for (at = npt->levels; at > level; at--) {
		entry = &table[entry_index(gpa, at)];
		if (is_page(*entry, at))
			return -EEXIST;
		if (!*entry && !table_add(npt, cache, entry))
			return -EAGAIN;
		table = entry_table(npt, *entry);
	}
	entry = &table[entry_index(gpa, level)];
	if (is_table(*entry, level))
		return -EEXIST;
	if (!*entry)
		npt->pages[level - 1]++;
	entry_set(entry, page_entry(npt, pa, level, rights));
	return 0;
}

/*
 * Walk to the entry for @gpa that maps a page, is not present, or is at level @last. Its
 * level is returned in @level.
 */
static u64 *walk_to(const struct npt *npt, u64 gpa, unsigned int last,
		    unsigned int *level)
{
	u64 *table = npt->root;

	for (*level = npt->levels;; --*level) {
		u64 *entry = &table[entry_index(gpa, *level)];

		if (*level == last || !is_table(*entry, *level))
			return entry;
		table = entry_table(npt, *entry);
	}
}

static u64 *npt_walk(const struct npt *npt, u64 gpa, unsigned int *level)
{
	return walk_to(npt, gpa, 1, level);
}

/**
 * npt_missing() - number of tables needed to map a 4 KiB page
 * @npt: the table
 * @gpa: guest physical address
 *
 * Return: 0 to NPT_CACHE_TABLES.
 */
unsigned int npt_missing(const struct npt *npt, u64 gpa)
{
	unsigned int level;
	u64 entry = *npt_walk(npt, gpa, &level);

	return is_page(entry, level) ? 0 : level - 1;
}

/* Advance the range to the next entry of @level. */
static void range_step(struct npt_range *range, unsigned int level)
{
	u64 next = (range->gpa & -npt_span(level)) + npt_span(level);

	range->gpa = next < range->end ? next : range->end;
}

/* Return whether the range includes all that an entry of @level covers. */
static bool range_covers(const struct npt_range *range, unsigned int level)
{
	return !(range->gpa & (npt_span(level) - 1)) &&
	       range->end - range->gpa >= npt_span(level);
}

/*
 * Detach the table below @entry, and add it to the range's list. The processor may use the
 * table until the TLB is flushed, so the link in its first entry must not look like a
 * present entry; an aligned address does not.
 */
static void table_detach(struct npt *npt, u64 *entry, struct npt_range *range)
{
	u64 *table = entry_table(npt, *entry);

	WRITE_ONCE(*entry, 0);
	WRITE_ONCE(table[0], (unsigned long)range->freed);
	range->freed = table;
	range->flush = true;
	table_drop(npt, table);
}

static void log_page(const struct npt_range *range, u64 gpa)
{
	if (range->log)
		npt_log_set(range->log, gpa);
}

/* Unmap the range's pages in a table of 4 KiB pages. Return how many were present. */
static unsigned int table_clear(u64 *table, const struct npt_range *range)
{
	unsigned int i, count = 0;

	for (i = 0; i < ENTRIES; i++) {
		if (!table[i])
			continue;
		count++;
		if (xchg(&table[i], 0) & ENTRY_D)
			log_page(range, range->gpa + i * NPT_PAGE_SIZE);
	}
	return count;
}

static void zap_table(struct npt *npt, u64 *entry, struct npt_range *range)
{
	npt->pages[0] -= table_clear(entry_table(npt, *entry), range);
	table_detach(npt, entry, range);
}

static void zap_page(struct npt *npt, u64 *entry, unsigned int level,
		     struct npt_range *range)
{
	npt->pages[level - 1]--;
	if ((xchg(entry, 0) & ENTRY_D) && level == 1)
		log_page(range, range->gpa);
	range->flush = true;
}

static bool take_steps(unsigned int *steps, unsigned int count)
{
	bool left = *steps;

	*steps -= count < *steps ? count : *steps;
	return left;
}

/**
 * npt_zap() - unmap pages
 * @npt: the table
 * @range: the range; a page that is partly inside is unmapped too
 * @steps: number of entries to visit before it returns
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_zap(struct npt *npt, struct npt_range *range, unsigned int steps)
{
	while (range->gpa < range->end && take_steps(&steps, 1)) {
		unsigned int last = range_covers(range, 2) ? 2 : 1, level;
		u64 *entry = walk_to(npt, range->gpa, last, &level);

		if (is_table(*entry, level)) {
			zap_table(npt, entry, range);
			take_steps(&steps, TABLE_STEPS);
		} else if (*entry) {
			zap_page(npt, entry, level, range);
		}
		range_step(range, level);
		/* Remove the higher tables too, after each GiB. */
		if (!(range->gpa & (npt_span(3) - 1)))
			npt_prune(npt, range, range->gpa - NPT_PAGE_SIZE);
	}
	return range->gpa >= range->end;
}

static bool is_empty(const u64 *table)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/**
 * npt_prune() - detach empty tables
 * @npt: the table
 * @range: gets the tables, for npt_range_free()
 * @gpa: the tables on the way to this guest physical address
 */
void npt_prune(struct npt *npt, struct npt_range *range, u64 gpa)
{
	u64 *entries[LEVELS_MOST + 1], *table = npt->root;
	unsigned int level;

	for (level = npt->levels;; level--) {
		entries[level] = &table[entry_index(gpa, level)];
		if (!is_table(*entries[level], level))
			break;
		table = entry_table(npt, *entries[level]);
	}
	while (++level <= npt->levels) {
		if (!is_empty(entry_table(npt, *entries[level])))
			break;
		table_detach(npt, entries[level], range);
	}
}

static void protect_entry(struct npt *npt, u64 *entry, unsigned int level,
			  struct npt_range *range, unsigned int rights)
{
	u64 old = *entry, new = old & ~ENTRY_D;

	if (!range_covers(range, level)) {
		zap_page(npt, entry, level, range);
		return;
	}
	if (!(rights & NPT_WRITE))
		new &= ~ENTRY_W;
	new &= ~ENTRY_NX;
	if (!(rights & NPT_EXEC))
		new |= ENTRY_NX;
	if (!((new ^ old) & (ENTRY_W | ENTRY_NX)))
		return;
	entry_set(entry, new);
	range->flush |= (old & ~new &ENTRY_W) || (new & ~old &ENTRY_NX);
}

/**
 * npt_protect() - change the permissions of pages
 * @npt: the table
 * @range: the range; a page that is only partly inside is unmapped
 * @rights: with NPT_WRITE, writable pages stay writable and others do not become so; with
 *	NPT_EXEC, all pages become executable; without, pages lose it
 * @steps: number of entries to visit before it returns
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_protect(struct npt *npt, struct npt_range *range, unsigned int rights,
		 unsigned int steps)
{
	while (range->gpa < range->end && steps--) {
		unsigned int level;
		u64 *entry = npt_walk(npt, range->gpa, &level);

		if (*entry)
			protect_entry(npt, entry, level, range, rights);
		range_step(range, level);
	}
	return range->gpa >= range->end;
}

/* ---- dirty pages ------------------------------------------------------------- */

/*
 * Walk to the entry at level 2, or to a higher one without a table. @entry and @level are the
 * result for the entry before, or NULL: a table's entries are adjacent. Advance the range over
 * entries without @bit, for one of @steps each, except one that is partly inside, and the last
 * one of the table or of the range.
 */
static u64 *walk_next(const struct npt *npt, struct npt_range *range,
		      u64 *entry, unsigned int *level, u64 bit,
		      unsigned int *steps)
{
	const u64 span = npt_span(2);

	if (entry && *level == 2 && entry_index(range->gpa, 2))
		entry++;
	else
		entry = walk_to(npt, range->gpa, 2, level);
	if (*level > 2 || !range_covers(range, 2))
		return entry;
	while (*steps && range->end - range->gpa >= 2 * span &&
	       entry_index(range->gpa + span, 2) && !(*entry & bit)) {
		range->gpa += span;
		entry++;
		--*steps;
	}
	return entry;
}

/*
 * Return whether a table can be skipped: the range covers all of it and the processor has not
 * used it. Otherwise another range may still need its marks.
 */
static bool is_unused(u64 *entry, const struct npt_range *range)
{
	return range_covers(range, 2) &&
	       !(entry_clear(entry, ENTRY_MARK) & ENTRY_MARK);
}

/**
 * npt_mark() - mark the tables that the processor has used, for npt_collect()
 * @npt: the table
 * @range: the range
 * @steps: number of entries to visit before it returns
 *
 * Flush the TLB before npt_collect(): a processor that has cached the address of a table
 * does not set A in its entry again.
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_mark(struct npt *npt, struct npt_range *range, unsigned int steps)
{
	u64 *entry = NULL, old;
	unsigned int level;

	while (range->gpa < range->end && steps--) {
		entry = walk_next(npt, range, entry, &level, ENTRY_A, &steps);
		old = *entry;
		/* No one else writes the entry while A is set. */
		if (is_table(old, level) && range_covers(range, level) &&
		    (old & ENTRY_A))
			WRITE_ONCE(*entry, (old & ~ENTRY_A) | ENTRY_MARK);
		range_step(range, level);
	}
	return range->gpa >= range->end;
}

/* Return whether one of a group of entries is dirty. Mostly none is. */
static bool group_is_dirty(const u64 *e)
{
	/* The processor may set the bit meanwhile; it is logged by the next call then. */
	return data_race(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] |
			 e[7]) &
	       ENTRY_D;
}

/* Return where the first group from @i on begins that is dirty, or at least @end. */
static unsigned int skip_clean_groups(const u64 *table, unsigned int i,
				      unsigned int end)
{
	while (i < end && !group_is_dirty(&table[i]))
		i += GROUP;
	return i;
}

static void collect_table(u64 *table, const struct npt_range *range)
{
	u64 gpa = range->gpa & -npt_span(2);
	unsigned int i, end = ENTRIES;

	if (range->end - gpa < npt_span(2))
		end = (range->end - gpa) / NPT_PAGE_SIZE;
	for (i = entry_index(range->gpa, 1); i < end; i++) {
		if (!(i % GROUP))
			i = skip_clean_groups(table, i, end);
		if (i < end && (READ_ONCE(table[i]) & ENTRY_D)) {
			entry_clear(&table[i], ENTRY_D);
			log_page(range, gpa + i * NPT_PAGE_SIZE);
		}
	}
}

/**
 * npt_collect() - log the dirty pages, and clear their dirty bits
 * @npt: the table
 * @range: the range, as npt_mark() had it
 * @steps: number of entries to visit before it returns
 *
 * A write after the next TLB flush makes the page dirty again.
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_collect(struct npt *npt, struct npt_range *range, unsigned int steps)
{
	u64 *entry = NULL;
	unsigned int level;

	while (range->gpa < range->end && take_steps(&steps, 1)) {
		entry = walk_next(npt, range, entry, &level, ENTRY_MARK,
				  &steps);
		if (is_table(*entry, level) && !is_unused(entry, range)) {
			collect_table(entry_table(npt, *entry), range);
			take_steps(&steps, TABLE_STEPS);
		}
		range_step(range, level);
	}
	return range->gpa >= range->end;
}

/**
 * npt_range_free() - free the tables that were detached
 * @range: the range, after the TLB was flushed
 * @steps: number of tables to free before it returns
 *
 * Return: true when the range is finished; else call it again.
 */
bool npt_range_free(struct npt_range *range, unsigned int steps)
{
	while (range->freed && steps--) {
		u64 *table = range->freed;

		range->freed = (u64 *)(unsigned long)table[0];
		table_free(table);
	}
	return !range->freed;
}
