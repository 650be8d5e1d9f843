/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_NPT_H
#define SVMRUN_NPT_H

#include <linux/bitops.h>
#include <linux/types.h>

#define NPT_PAGE_SHIFT 12
#define NPT_PAGE_SIZE (1ull << NPT_PAGE_SHIFT)

/* Permissions of a mapping, besides read */
#define NPT_WRITE (1u << 0)
#define NPT_EXEC (1u << 1)

/* Maximum number of tables that a mapping needs, with 5 levels */
#define NPT_CACHE_TABLES 4

/* Levels that can map pages: 4 KiB, 2 MiB, 1 GiB (APM 5.3) */
#define NPT_PAGE_LEVELS 3

/**
 * struct npt - a nested page table (APM 15.25)
 * @root: the top table; its physical address is N_CR3
 * @encryption: SME's encryption bit for every address in the table, 0 without
 * @levels: 4, or 5 if the host pages with LA57
 * @tables: tables in use, the root included
 * @list: all of them
 * @pages: pages that are mapped, by level: [0] of 4 KiB, [1] 2 MiB, [2] 1 GiB
 *
 * Callers serialise their calls. The processor may walk the table at any time.
 */
struct npt {
	u64 *root;
	u64 encryption;
	unsigned int levels;
	unsigned long tables;
	struct list_head list;
	unsigned long pages[NPT_PAGE_LEVELS];
};

/**
 * struct npt_cache - allocated tables, so that npt_map() need not allocate
 * @table: the tables
 * @count: how many
 */
struct npt_cache {
	u64 *table[NPT_CACHE_TABLES];
	unsigned int count;
};

/**
 * struct npt_log - pages of 4 KiB that guests have written to
 * @bits: one bit per page
 * @gpa: guest physical address of the first page
 * @count: number of bits that are set
 */
struct npt_log {
	unsigned long *bits;
	u64 gpa;
	unsigned long count;
};

/**
 * struct npt_range - a range that is processed in steps
 * @gpa: address of the next step, a multiple of the page size
 * @end: end of the range, a multiple of the page size
 * @log: gets the dirty pages that npt_zap() or npt_collect() finds; may be NULL
 * @flush: permissions were removed, so the TLB must be flushed
 * @freed: tables that were detached, for npt_range_free()
 */
struct npt_range {
	u64 gpa;
	u64 end;
	struct npt_log *log;
	bool flush;
	u64 *freed;
};

/**
 * npt_log_set() - add a page to a log
 * @log: the log
 * @gpa: guest physical address in a page that it covers
 */
static inline void npt_log_set(struct npt_log *log, u64 gpa)
{
	unsigned long page = (gpa - log->gpa) >> NPT_PAGE_SHIFT;

	log->count += !__test_and_set_bit(page, log->bits);
}

int npt_create(struct npt *npt, unsigned int levels, u64 encryption);
bool npt_destroy(struct npt *npt, unsigned int steps);

u64 npt_span(unsigned int level);
unsigned int npt_missing(const struct npt *npt, u64 gpa);
int npt_cache_fill(struct npt_cache *cache, unsigned int count);
void npt_cache_drain(struct npt_cache *cache);

int npt_map(struct npt *npt, struct npt_cache *cache, u64 gpa, u64 pa,
	    unsigned int level, unsigned int rights);
bool npt_zap(struct npt *npt, struct npt_range *range, unsigned int steps);
bool npt_protect(struct npt *npt, struct npt_range *range, unsigned int rights,
		 unsigned int steps);
bool npt_mark(struct npt *npt, struct npt_range *range, unsigned int steps);
bool npt_collect(struct npt *npt, struct npt_range *range, unsigned int steps);
void npt_prune(struct npt *npt, struct npt_range *range, u64 gpa);
bool npt_range_free(struct npt_range *range, unsigned int steps);

#endif /* SVMRUN_NPT_H */
