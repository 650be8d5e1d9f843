/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_ASID_H
#define SVMRUN_ASID_H

#include "plain.h"

/**
 * struct asid_pool - the ASIDs of one CPU (APM 15.16)
 * @generation: of the ASIDs given out since the last flush of the whole TLB
 * @count: ASIDs that the processor has; 0 is the host's
 * @next: the next to give out
 */
struct asid_pool {
	u64 generation;
	u32 count;
	u32 next;
};

/**
 * struct asid - an ASID as a vCPU holds it
 * @generation: of its pool when it was given out, 0 for none
 * @cpu: whose pool it is from
 * @number: the ASID
 */
struct asid {
	u64 generation;
	u32 cpu;
	u32 number;
};

/* What became of an ASID */
enum asid_change {
	ASID_KEPT, /* the same as in the last run, on the same CPU */
	ASID_FRESH, /* another: nothing is cached for it */
	ASID_FLUSH, /* another, and the whole TLB must be flushed first */
};

void asid_pool_init(struct asid_pool *pool, u32 count);
void asid_pool_reset(struct asid_pool *pool);
enum asid_change asid_assign(struct asid *asid, struct asid_pool *pool,
			     u32 cpu);
void asid_drop(struct asid *asid);

/**
 * asid_is_kept() - is the ASID still good on this CPU?
 * @asid: the vCPU's
 * @pool: this CPU's
 * @cpu: this CPU
 *
 * Return: true if asid_assign() would leave it as it is.
 */
static inline bool asid_is_kept(const struct asid *asid,
				const struct asid_pool *pool, u32 cpu)
{
	return asid->generation && asid->generation == pool->generation &&
	       asid->cpu == cpu;
}

#endif /* SVMRUN_ASID_H */
