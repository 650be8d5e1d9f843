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
#define ENTRY_NX (1ull << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull

#define ENTRIES 512
#define LEVEL_BITS 9

static unsigned int level_shift(unsigned int level)
{
	return NPT_PAGE_SHIFT + (level - 1) * LEVEL_BITS;
}

static unsigned int entry_index(u64 gpa, unsigned int level)
{
	return (gpa >> level_shift(level)) & (ENTRIES - 1);
}

static u64 *entry_table(const struct npt *npt, u64 entry)
{
	return table_from_pa(entry & ENTRY_ADDRESS & ~npt->encryption);
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
		if (table[i] & ENTRY_P)
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

/* The table below @entry, put there if there is none. */
static u64 *table_below(struct npt *npt, struct npt_cache *cache, u64 *entry)
{
	u64 *table;

	if (*entry & ENTRY_P)
		return entry_table(npt, *entry);
	table = cache->table[--cache->count];
	npt->tables++;
	/* Rights are the leaf's alone. */
	WRITE_ONCE(*entry, table_to_pa(table) | npt->encryption | ENTRY_P |
				   ENTRY_W | ENTRY_U);
	return table;
}

/**
 * npt_map() - map one page
 * @npt: the table
 * @cache: holds npt_missing() tables
 * @gpa: guest physical address, a multiple of the page size
 * @pa: system physical address of the page
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * Replaces what was mapped there; taking rights away needs a TLB flush.
 */
void npt_map(struct npt *npt, struct npt_cache *cache, u64 gpa, u64 pa,
	     unsigned int rights)
{
	u64 entry = pa | npt->encryption | ENTRY_P | ENTRY_U;
	u64 *table = npt->root;
	unsigned int level;

	for (level = npt->levels; level > 1; level--)
		table = table_below(npt, cache,
				    &table[entry_index(gpa, level)]);
	if (rights & NPT_WRITE)
		entry |= ENTRY_W;
	if (!(rights & NPT_EXEC))
		entry |= ENTRY_NX;
	WRITE_ONCE(table[entry_index(gpa, 1)], entry);
}

/*
 * The entry that ends the walk for @gpa: a page's, or the first that is not
 * present. @level is where it stands.
 */
static u64 *walk(const struct npt *npt, u64 gpa, unsigned int *level)
{
	u64 *table = npt->root;

	for (*level = npt->levels; *level > 1; --*level) {
		u64 *entry = &table[entry_index(gpa, *level)];

		if (!(*entry & ENTRY_P))
			return entry;
		table = entry_table(npt, *entry);
	}
	return &table[entry_index(gpa, 1)];
}

/**
 * npt_zap() - unmap pages
 * @npt: the table
 * @gpa: where to begin, a multiple of the page size
 * @end: where to end, a multiple of the page size
 * @steps: how many entries to look at before coming back
 *
 * Tables stay, for the next mapping. The TLB must be flushed afterwards.
 *
 * Return: where to go on, @end or more when done.
 */
u64 npt_zap(struct npt *npt, u64 gpa, u64 end, unsigned int steps)
{
	while (gpa < end && steps--) {
		unsigned int level;
		u64 *entry = walk(npt, gpa, &level);

		if (*entry)
			WRITE_ONCE(*entry, 0);
		/* On to what the next entry of this level covers. */
		gpa = ((gpa >> level_shift(level)) + 1) << level_shift(level);
	}
	return gpa;
}

/**
 * npt_missing() - tables that npt_map() would take from its cache
 * @npt: the table; others may be mapping, which can only make them fewer
 * @gpa: guest physical address
 *
 * Return: 0 to NPT_CACHE_TABLES.
 */
unsigned int npt_missing(const struct npt *npt, u64 gpa)
{
	unsigned int level;

	walk(npt, gpa, &level);
	return level - 1;
}

/**
 * npt_walk() - look a page up
 * @npt: the table
 * @gpa: guest physical address
 *
 * Return: the page's entry, 0 if it is not mapped.
 */
u64 npt_walk(const struct npt *npt, u64 gpa)
{
	unsigned int level;
	u64 entry = *walk(npt, gpa, &level);

	return level == 1 && (entry & ENTRY_P) ? entry : 0;
}
