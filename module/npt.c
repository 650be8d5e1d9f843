// SPDX-License-Identifier: GPL-2.0
/*
 * The nested page table (APM 15.25): long-mode page tables that translate guest
 * physical to system physical addresses. Knows nothing of VMs.
 */
#include "npt.h"

/* APM 5.4.1. A nested walk is a user access: U must be set (APM 15.25.5). */
#define ENTRY_P (1ull << 0)
#define ENTRY_W (1ull << 1)
#define ENTRY_U (1ull << 2)
#define ENTRY_PS (1ull << 7) /* above the lowest level: a page, not a table */
#define ENTRY_NX (1ull << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull

#define ENTRIES 512
#define LEVEL_BITS 9
#define LEVELS_MOST 5

static unsigned int level_shift(unsigned int level)
{
	return NPT_PAGE_SHIFT + (level - 1) * LEVEL_BITS;
}

/**
 * npt_span() - what one entry covers
 * @level: where it stands, 1 for the lowest
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
	return table_from_pa(entry & ENTRY_ADDRESS & ~npt->encryption);
}

static bool is_table(u64 entry, unsigned int level)
{
	return level > 1 && (entry & ENTRY_P) && !(entry & ENTRY_PS);
}

static bool is_page(u64 entry, unsigned int level)
{
	return (entry & ENTRY_P) && !is_table(entry, level);
}

/**
 * npt_create() - an empty nested page table
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
		.tables = 1,
	};
	return npt->root ? 0 : -ENOMEM;
}

static void table_destroy(const struct npt *npt, u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level > 1 && i < ENTRIES; i++)
		if (is_table(table[i], level))
			table_destroy(npt, entry_table(npt, table[i]),
				      level - 1);
	table_free(table);
}

/**
 * npt_destroy() - free every table
 * @npt: from npt_create(); no processor may use it any more
 */
void npt_destroy(struct npt *npt)
{
	if (npt->root)
		table_destroy(npt, npt->root, npt->levels);
	npt->root = NULL;
	npt->tables = 0;
}

/**
 * npt_cache_fill() - have tables in hand
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
 * npt_cache_drain() - free what is left of a cache
 * @cache: the cache
 */
void npt_cache_drain(struct npt_cache *cache)
{
	while (cache->count)
		table_free(cache->table[--cache->count]);
}

/* A new table below @entry, which is not present */
static bool table_add(struct npt *npt, struct npt_cache *cache, u64 *entry)
{
	u64 *table;

	if (!cache->count)
		return false;
	table = cache->table[--cache->count];
	npt->tables++;
	/* Rights are the page's alone. */
	WRITE_ONCE(*entry, table_to_pa(table) | npt->encryption | ENTRY_P |
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
 * @cache: tables for what is missing on the way
 * @gpa: guest physical address in the page
 * @pa: system physical address of the page
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB; @pa is a multiple of it
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * Replaces a page of that size; taking rights away so needs a TLB flush.
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
	WRITE_ONCE(*entry, page_entry(npt, pa, level, rights));
	return 0;
}

/*
 * The entry that ends the walk for @gpa: a page's, or the first that is not
 * present. @level is where it stands.
 */
static u64 *walk(const struct npt *npt, u64 gpa, unsigned int *level)
{
	u64 *table = npt->root;

	for (*level = npt->levels;; --*level) {
		u64 *entry = &table[entry_index(gpa, *level)];

		if (!is_table(*entry, *level))
			return entry;
		table = entry_table(npt, *entry);
	}
}

/**
 * npt_missing() - tables that mapping a page of 4 KiB would take from its cache
 * @npt: the table
 * @gpa: guest physical address
 *
 * Return: 0 to NPT_CACHE_TABLES.
 */
unsigned int npt_missing(const struct npt *npt, u64 gpa)
{
	unsigned int level;
	u64 entry = *walk(npt, gpa, &level);

	return is_page(entry, level) ? 0 : level - 1;
}

/* On to what the next entry of @level covers */
static void range_step(struct npt_range *range, unsigned int level)
{
	range->gpa = (range->gpa & -npt_span(level)) + npt_span(level);
}

/* Is all that an entry of @level covers still to come? */
static bool range_covers(const struct npt_range *range, unsigned int level)
{
	return !(range->gpa & (npt_span(level) - 1)) &&
	       range->end - range->gpa >= npt_span(level);
}

/*
 * Take the table below @entry out. The processor may be using it until the
 * TLB is flushed, so the link to the next must not be a present entry: an address
 * of memory is none.
 */
static void table_detach(struct npt *npt, u64 *entry, struct npt_range *range)
{
	u64 *table = entry_table(npt, *entry);

	WRITE_ONCE(*entry, 0);
	WRITE_ONCE(table[0], (unsigned long)range->freed);
	range->freed = table;
	range->flush = true;
	npt->tables--;
}

static unsigned int table_pages(const u64 *table)
{
	unsigned int i, count = 0;

	for (i = 0; i < ENTRIES; i++)
		count += table[i] & ENTRY_P;
	return count;
}

/* Down to a table of 4 KiB pages all of which are to go, or to less */
static u64 *walk_to_zap(const struct npt *npt, const struct npt_range *range,
			unsigned int *level)
{
	u64 *table = npt->root;

	for (*level = npt->levels;; --*level) {
		u64 *entry = &table[entry_index(range->gpa, *level)];

		if (!is_table(*entry, *level) ||
		    (*level == 2 && range_covers(range, 2)))
			return entry;
		table = entry_table(npt, *entry);
	}
}

static void zap_entry(struct npt *npt, u64 *entry, unsigned int level,
		      struct npt_range *range)
{
	if (is_table(*entry, level)) {
		npt->pages[0] -= table_pages(entry_table(npt, *entry));
		table_detach(npt, entry, range);
	} else if (*entry) {
		npt->pages[level - 1]--;
		WRITE_ONCE(*entry, 0);
		range->flush = true;
	}
}

/**
 * npt_zap() - unmap pages
 * @npt: the table
 * @range: the range; a page that is only partly inside goes too
 * @steps: how many entries to look at before coming back
 *
 * Return: true when all is done.
 */
bool npt_zap(struct npt *npt, struct npt_range *range, unsigned int steps)
{
	while (range->gpa < range->end && steps--) {
		unsigned int level;
		u64 *entry = walk_to_zap(npt, range, &level);

		zap_entry(npt, entry, level, range);
		range_step(range, level);
		/* Tables of tables are left empty behind, a GiB at a time. */
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
 * npt_prune() - take out tables in which nothing is left
 * @npt: the table
 * @range: gets them
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
	u64 old = *entry, new = old;

	if (!range_covers(range, level)) {
		zap_entry(npt, entry, level, range);
		return;
	}
	if (!(rights & NPT_WRITE))
		new &= ~ENTRY_W;
	new &= ~ENTRY_NX;
	if (!(rights & NPT_EXEC))
		new |= ENTRY_NX;
	if (new == old)
		return;
	WRITE_ONCE(*entry, new);
	range->flush |= (old & ~new &ENTRY_W) || (new & ~old &ENTRY_NX);
}

/**
 * npt_protect() - change the rights of pages
 * @npt: the table
 * @range: the range; a page that is only partly inside is unmapped
 * @rights: NPT_WRITE: pages that are mapped with it keep it, none gets it;
 *	NPT_EXEC: all have it, or none
 * @steps: how many entries to look at before coming back
 *
 * Return: true when all is done.
 */
bool npt_protect(struct npt *npt, struct npt_range *range, unsigned int rights,
		 unsigned int steps)
{
	while (range->gpa < range->end && steps--) {
		unsigned int level;
		u64 *entry = walk(npt, range->gpa, &level);

		if (*entry)
			protect_entry(npt, entry, level, range, rights);
		range_step(range, level);
	}
	return range->gpa >= range->end;
}

/**
 * npt_range_free() - free the tables that were taken out
 * @range: the range, after the TLB was flushed
 */
void npt_range_free(struct npt_range *range)
{
	while (range->freed) {
		u64 *table = range->freed;

		range->freed = (u64 *)(unsigned long)table[0];
		table_free(table);
	}
}
