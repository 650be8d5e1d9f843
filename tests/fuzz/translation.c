// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: nested page tables and ASIDs, with the module's files npt and
 * asid, compared with simple models
 */
#include "../../module/asid.h"
#include "../../module/npt.h"
#include "input.h"

#include <errno.h>
#include <linux/io.h>
#include <linux/kernel.h>

/* ---- the nested page table: pages on both sides of the boundaries of tables - */

#define ENTRY_P (1ull << 0)
#define ENTRY_W (1ull << 1)
#define ENTRY_U (1ull << 2)
#define ENTRY_A (1ull << 5)
#define ENTRY_D (1ull << 6)
#define ENTRY_PS (1ull << 7)
#define ENTRY_NX (1ull << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRIES 512
#define ENCRYPTION (1ull << 47)

#define PAGES_4_LEVELS 36
#define PAGES_5_LEVELS 40

/* Logged pages: the first sixteen, in two tables */
#define LOGGED 16
#define LOG_PAGES 1024

/*
 * The expected state of a page: 4 KiB of a page at @level, 0 if it is not mapped.
 * @written: written to, and not yet in a log; at the lowest level only
 */
struct page {
	unsigned int level;
	u64 pa;
	unsigned int rights;
	bool written;
};

static struct {
	struct npt npt;
	struct npt_cache cache;
	struct page page[PAGES_5_LEVELS];
	unsigned int pages;
	unsigned long bits[LOG_PAGES / 64];
	struct npt_log log;
} table;

/* The first eight pages, then eight each around 2^21, 2^30, 2^39 and 2^48. */
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
	holds(npt_destroy(&table.npt, ~0u), "it does not complete");
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(entry & ENTRY_ADDRESS & ~ENCRYPTION);
}

/* Walk the tables like the processor (APM 15.25.5). */
static struct page walk(u64 gpa)
{
	struct page page = { .level = table.npt.levels };
	u64 *entries = table.npt.root, entry, offset;

	for (;; page.level--) {
		entry = entries[gpa / npt_span(page.level) % ENTRIES];
		if (!(entry & ENTRY_P))
			return (struct page){ 0 };
		holds(entry & ENTRY_U, "U/S is clear");
		if (page.level == 1 || (entry & ENTRY_PS))
			break;
		entries = table_of(entry);
	}
	offset = gpa & (npt_span(page.level) - 1);
	page.pa = (entry & ENTRY_ADDRESS & ~table.npt.encryption) + offset;
	page.written = page.level == 1 && (entry & ENTRY_D);
	page.rights = (entry & ENTRY_W ? NPT_WRITE : 0) |
		      (entry & ENTRY_NX ? 0 : NPT_EXEC);
	return page;
}

static unsigned int count_tables(const u64 *entries, unsigned int level)
{
	unsigned int i, count = 1;

	for (i = 0; level > 1 && i < ENTRIES; i++)
		if ((entries[i] & ENTRY_P) && !(entries[i] & ENTRY_PS))
			count += count_tables(table_of(entries[i]), level - 1);
	return count;
}

static bool is(struct page page, struct page want)
{
	return page.level == want.level && page.pa == want.pa &&
	       page.rights == want.rights && page.written == want.written;
}

static void table_check(void)
{
	unsigned int i, count;

	for (i = 0; i < table.pages; i++)
		holds(is(walk(gpa_of(i)), table.page[i]),
		      "a page is not what was mapped");
	count = count_tables(table.npt.root, table.npt.levels);
	holds(table.npt.tables == count, "the count of tables is wrong");
}

/*
 * Return whether the page that @i is part of lies between @from and @end, at least
 * in part.
 */
static bool overlaps(unsigned int i, u64 from, u64 end)
{
	u64 span = npt_span(table.page[i].level ? table.page[i].level : 1);
	u64 gpa = gpa_of(i) & -span;

	return gpa < end && gpa + span > from;
}

static bool inside(unsigned int i, u64 from, u64 end)
{
	u64 span = npt_span(table.page[i].level ? table.page[i].level : 1);
	u64 gpa = gpa_of(i) & -span;

	return gpa >= from && gpa + span <= end;
}

static void forget(u64 from, u64 end)
{
	unsigned int i;

	for (i = 0; i < table.pages; i++)
		if (overlaps(i, from, end))
			table.page[i] = (struct page){ 0 };
}

/*
 * Expect that exactly the pages that were written between @from and @end were
 * logged.
 */
static void log_check(u64 from, u64 end)
{
	unsigned int i, found = 0;

	for (i = 0; i < LOGGED; i++) {
		u64 number = gpa_of(i) / NPT_PAGE_SIZE;
		bool logged = table.bits[number / 64] >> number % 64 & 1;
		bool due = table.page[i].written && gpa_of(i) >= from &&
			   gpa_of(i) < end;

		holds(logged == due, "the log differs from what was written");
		found += logged;
	}
	for (i = 0; i < LOG_PAGES; i++)
		found -= table.bits[i / 64] >> i % 64 & 1;
	holds(!found, "other pages are in the log");
}

static void clear(u64 from, u64 end)
{
	struct npt_range range = { .gpa = from, .end = end };

	holds(npt_zap(&table.npt, &range, ~0u), "it does not complete");
	holds(npt_range_free(&range, ~0u), "it does not complete");
	forget(from, end);
}

static void map(struct input *input)
{
	u64 gpa = gpa_of(input_below(input, table.pages));
	unsigned int level = 1 + input_below(input, NPT_PAGE_LEVELS), i;
	u64 span = npt_span(level), start = gpa & -span;
	u64 pa = (input_take(input, 4) << NPT_PAGE_SHIFT) & -span;
	unsigned int rights = input_take(input, 1) & (NPT_WRITE | NPT_EXEC);
	int err;

	holds(!npt_cache_fill(&table.cache, NPT_CACHE_TABLES), "no memory");
	err = npt_map(&table.npt, &table.cache, gpa, pa, level, rights);
	if (err) {
		holds(err == -EEXIST, "not mapped");
		clear(start, start + span);
		holds(!npt_cache_fill(&table.cache, NPT_CACHE_TABLES),
		      "no memory");
		holds(!npt_map(&table.npt, &table.cache, gpa, pa, level,
			       rights),
		      "not mapped into an empty range");
	}
	for (i = 0; i < table.pages; i++)
		if ((gpa_of(i) & -span) == start)
			table.page[i] = (struct page){
				.level = level,
				.pa = pa + (gpa_of(i) - start),
				.rights = rights,
				.written = table.page[i].written,
			};
	table_check();
}

/*
 * Take a range from one page to another, and the number of steps to process at
 * once.
 */
static struct npt_range take_range(struct input *input, unsigned int *steps)
{
	struct npt_range range = {
		.gpa = gpa_of(input_below(input, table.pages)),
		.end = gpa_of(input_below(input, table.pages)) + NPT_PAGE_SIZE,
	};

	*steps = input_take(input, 1);
	memset(table.bits, 0, sizeof(table.bits));
	table.log = (struct npt_log){ .bits = table.bits };
	if (range.end <= LOG_PAGES * NPT_PAGE_SIZE)
		range.log = &table.log;
	return range;
}

static void zap(struct input *input)
{
	unsigned int steps;
	struct npt_range range = take_range(input, &steps);
	u64 from = range.gpa;
	bool done = npt_zap(&table.npt, &range, steps);

	holds(range.gpa > from || from >= range.end || !steps, "no progress");
	holds(done == (range.gpa >= range.end), "wrong return value");
	holds(npt_range_free(&range, ~0u), "it does not complete");
	if (range.log)
		log_check(from, range.gpa);
	if (range.gpa > from)
		forget(from, range.gpa < range.end ? range.gpa : range.end);
	table_check();
}

static void protect(struct input *input)
{
	unsigned int rights, steps, i;
	struct npt_range range = take_range(input, &steps);
	u64 from = range.gpa;

	rights = input_take(input, 1) & (NPT_WRITE | NPT_EXEC);
	holds(npt_protect(&table.npt, &range, rights, ~0u) || !steps,
	      "it does not complete");
	for (i = 0; i < table.pages && from < range.end; i++) {
		struct page *page = &table.page[i];

		if (!page->level || !overlaps(i, from, range.end))
			continue;
		if (inside(i, from, range.end))
			page->rights = (page->rights & rights & NPT_WRITE) |
				       (rights & NPT_EXEC);
		else
			*page = (struct page){ 0 };
	}
	holds(npt_range_free(&range, ~0u), "it does not complete");
	table_check();
}

/* A write by the processor to a writable page of 4 KiB */
static void write(struct input *input)
{
	unsigned int i = input_below(input, LOGGED), level = table.npt.levels;
	struct page *page = &table.page[i];
	u64 *entries = table.npt.root, *entry;

	if (page->level != 1 || !(page->rights & NPT_WRITE))
		return;
	for (;; level--) {
		entry = &entries[gpa_of(i) / npt_span(level) % ENTRIES];
		*entry |= ENTRY_A;
		if (level == 1)
			break;
		entries = table_of(*entry);
	}
	*entry |= ENTRY_D;
	page->written = true;
}

static void collect(struct input *input)
{
	unsigned int steps, i;
	struct npt_range range = take_range(input, &steps), marked = range;
	u64 from = range.gpa;

	if (!range.log)
		return;
	holds(npt_mark(&table.npt, &marked, ~0u), "it does not complete");
	holds(npt_collect(&table.npt, &range, ~0u), "it does not complete");
	log_check(from, range.end);
	for (i = 0; i < LOGGED; i++)
		if (gpa_of(i) >= from && gpa_of(i) < range.end)
			table.page[i].written = false;
	table_check();
}

static void prune(struct input *input)
{
	struct npt_range range = { 0 };

	npt_prune(&table.npt, &range, gpa_of(input_below(input, table.pages)));
	holds(npt_range_free(&range, ~0u), "it does not complete");
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
	struct svm_vmcb_control control[HOLDERS];
	/* Whose translations may be cached with the ASID since the last flush */
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

static void enter(struct input *input)
{
	int holder = input_below(input, HOLDERS), *owner;
	unsigned int cpu = input_below(input, CPUS);
	struct svm_vmcb_control *control = &asids.control[holder];
	struct asid_pool *pool = &asids.pool[cpu];

	control->clean = SVM_CLEAN_ALL;
	asid_prepare(&asids.asid[holder], pool, cpu, 1, control);
	holds(control->asid && control->asid < pool->count,
	      "ASID out of range");
	/* A VMRUN that fails flushes nothing. */
	if (input_below(input, 4) == 0)
		return;
	if (control->tlb_control == SVM_TLB_CONTROL_FLUSH_ALL)
		set_owner(cpu, NOBODY);
	asid_entered(pool, control);
	owner = &asids.owner[cpu][control->asid];
	holds(*owner == NOBODY || *owner == holder,
	      "the ASID has another owner's translations");
	holds(*owner == NOBODY || !asids.dropped[holder],
	      "translations kept after asid_drop()");
	holds(*owner == NOBODY || control->clean,
	      "ASID kept, but VMCB not clean");
	*owner = holder;
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
		map, zap, protect, prune, write, collect, enter, drop, reset,
	};
	struct input input = { bytes, size };

	table_create(&input);
	asids_create(&input);
	while (input.left)
		steps[input_below(&input, ARRAY_SIZE(steps))](&input);
	table_destroy();
	return 0;
}
