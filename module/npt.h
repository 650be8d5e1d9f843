/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_NPT_H
#define SVMRUN_NPT_H

#include "plain.h"

#define NPT_PAGE_SHIFT 12
#define NPT_PAGE_SIZE (1ull << NPT_PAGE_SHIFT)

/* Rights of a mapping, besides read */
#define NPT_WRITE (1u << 0)
#define NPT_EXEC (1u << 1)

/* Tables below the root that one mapping may need, with 5 levels */
#define NPT_CACHE_TABLES 4

/**
 * struct npt - a nested page table (APM 15.25)
 * @root: the top table; its physical address is N_CR3
 * @encryption: SME's encryption bit for every address in the table, 0 without
 * @levels: 4, or 5 if the host pages with LA57
 * @tables: tables in use, the root included
 *
 * Callers keep out of each other's way; the processor may walk it at any time.
 */
struct npt {
	u64 *root;
	u64 encryption;
	unsigned int levels;
	unsigned long tables;
};

/**
 * struct npt_cache - tables in hand, so that mapping need not allocate
 * @table: the tables
 * @count: how many
 */
struct npt_cache {
	u64 *table[NPT_CACHE_TABLES];
	unsigned int count;
};

int npt_create(struct npt *npt, unsigned int levels, u64 encryption);
void npt_destroy(struct npt *npt);

unsigned int npt_missing(const struct npt *npt, u64 gpa);
int npt_cache_fill(struct npt_cache *cache, unsigned int count);
void npt_cache_drain(struct npt_cache *cache);

void npt_map(struct npt *npt, struct npt_cache *cache, u64 gpa, u64 pa,
	     unsigned int rights);
u64 npt_zap(struct npt *npt, u64 gpa, u64 end, unsigned int steps);
u64 npt_walk(const struct npt *npt, u64 gpa);

#endif /* SVMRUN_NPT_H */
