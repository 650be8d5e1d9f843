// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: nested page table and ASIDs, by the very files npt and asid,
 * against the plainest models of what they must do.
 */
#include "../../module/asid.h"
#include "../../module/npt.h"
#include "input.h"

/* ---- the nested page table: pages on both sides of each table's border ---- */

#define ENTRY_P (1ull << 0)
#define ENTRY_W (1ull << 1)
#define ENTRY_U (1ull << 2)
#define ENTRY_NX (1ull << 63)
#define ENCRYPTION (1ull << 47)

#define PAGES_4_LEVELS 36
#define PAGES_5_LEVELS 40

static struct {
	struct npt npt;
	struct npt_cache cache;
	u64 entry[PAGES_5_LEVELS];
	unsigned int pages;
} table;

/* The first eight pages, then eight around 2^21, 2^30, 2^39 and 2^48. */
static u64 gpa_of(unsigned int page)
{
	u64 border = 1ull << (12 + page / 8 * 9);

	if (page < 8)
		return page * NPT_PAGE_SIZE;
	return border - 4 * NPT_PAGE_SIZE + page % 8 * NPT_PAGE_SIZE;
}

static void table_create(struct input *input)
{
	u64 how = input_take(input, 1);
	unsigned int levels = how & 1 ? 5 : 4;

	memset(&table, 0, sizeof(table));
	table.pages = levels == 5 ? PAGES_5_LEVELS : PAGES_4_LEVELS;
	holds(!npt_create(&table.npt, levels, how & 2 ? ENCRYPTION : 0),
	      "no memory");
}

static void table_destroy(void)
{
	npt_cache_drain(&table.cache);
	npt_destroy(&table.npt);
}

static void table_check(void)
{
	unsigned int page;

	for (page = 0; page < table.pages; page++)
		holds(npt_walk(&table.npt, gpa_of(page)) == table.entry[page],
		      "a page is not what was mapped");
}

static void map(struct input *input)
{
	unsigned int page = input_below(input, table.pages);
	u64 pa = input_take(input, 4) << NPT_PAGE_SHIFT;
	unsigned int rights = input_take(input, 1) & (NPT_WRITE | NPT_EXEC);
	u64 gpa = gpa_of(page);
	unsigned int missing = npt_missing(&table.npt, gpa);
	unsigned long tables = table.npt.tables;

	holds(!npt_cache_fill(&table.cache, missing), "no memory");
	npt_map(&table.npt, &table.cache, gpa, pa, rights);
	holds(table.cache.count == 0, "tables are left");
	holds(table.npt.tables == tables + missing, "tables do not add up");
	table.entry[page] = pa | table.npt.encryption | ENTRY_P | ENTRY_U |
			    (rights & NPT_WRITE ? ENTRY_W : 0) |
			    (rights & NPT_EXEC ? 0 : ENTRY_NX);
	table_check();
}

static void zap(struct input *input)
{
	unsigned int page = input_below(input, table.pages);
	u64 from = gpa_of(page), next;
	u64 end = gpa_of(input_below(input, table.pages)) + NPT_PAGE_SIZE;
	unsigned int steps = input_take(input, 1);

	next = npt_zap(&table.npt, from, end, steps);
	holds(next > from || from >= end || !steps, "it does not get on");
	for (; page < table.pages && gpa_of(page) < end; page++)
		if (gpa_of(page) < next)
			table.entry[page] = 0;
	table_check();
}

/* ---- ASIDs --------------------------------------------------------------- */

#define CPUS 2
#define HOLDERS 8
#define NUMBERS 8
#define NOBODY (-1)
#define SOMEBODY (-2)

static struct {
	struct asid_pool pool[CPUS];
	struct asid asid[HOLDERS];
	/* Whose translations may be cached under it, since the last flush */
	int owner[CPUS][NUMBERS];
	bool dropped[HOLDERS];
} asids;

static void set_owner(unsigned int cpu, int owner)
{
	unsigned int number;

	for (number = 0; number < NUMBERS; number++)
		asids.owner[cpu][number] = owner;
}

static void asids_create(struct input *input)
{
	unsigned int cpu;

	memset(&asids, 0, sizeof(asids));
	for (cpu = 0; cpu < CPUS; cpu++) {
		asid_pool_init(&asids.pool[cpu],
			       2 + input_below(input, NUMBERS - 1));
		set_owner(cpu, SOMEBODY);
	}
}

static void assign(struct input *input)
{
	int holder = input_below(input, HOLDERS), owner;
	unsigned int cpu = input_below(input, CPUS);
	struct asid *asid = &asids.asid[holder], before = *asid;
	enum asid_change change;

	change = asid_assign(asid, &asids.pool[cpu], cpu);
	holds(asid->number && asid->number < asids.pool[cpu].count,
	      "no guest's ASID");
	if (change == ASID_FLUSH)
		set_owner(cpu, NOBODY);
	owner = asids.owner[cpu][asid->number];
	if (change == ASID_KEPT) {
		holds(!asids.dropped[holder], "kept, though dropped");
		holds(asid->number == before.number, "kept, but another");
		holds(owner == holder, "kept, though somebody else's");
	} else {
		holds(owner == NOBODY, "given out twice");
	}
	asids.owner[cpu][asid->number] = holder;
	asids.dropped[holder] = false;
}

static void drop(struct input *input)
{
	int holder = input_below(input, HOLDERS);

	asid_drop(&asids.asid[holder]);
	asids.dropped[holder] = true;
}

static void reset(struct input *input)
{
	unsigned int cpu = input_below(input, CPUS);

	asid_pool_reset(&asids.pool[cpu]);
	set_owner(cpu, SOMEBODY);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const steps[])(struct input *) = {
		map, zap, assign, drop, reset,
	};
	struct input input = { bytes, size };

	table_create(&input);
	asids_create(&input);
	while (input.left)
		steps[input_below(&input, ARRAY_SIZE(steps))](&input);
	table_destroy();
	return 0;
}
