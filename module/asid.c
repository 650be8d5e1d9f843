// SPDX-License-Identifier: GPL-2.0
/*
 * Address space identifiers tag the TLB's entries (APM 15.16). Each CPU gives
 * its own out in order; when it runs out it flushes everything and begins a new
 * generation, in which the ASIDs of the old ones count for nothing. A vCPU that
 * wants its translations gone just drops its ASID and takes a fresh one.
 */
#include "asid.h"

/**
 * asid_pool_init() - the ASIDs of a CPU
 * @pool: filled in; the first ASID it gives out asks for a flush
 * @count: CPUID Fn8000_000A EBX, at least 2
 */
void asid_pool_init(struct asid_pool *pool, u32 count)
{
	pool->generation = 0;
	pool->count = count;
	pool->next = count;
}

/**
 * asid_pool_reset() - somebody else may have used the ASIDs: trust none
 * @pool: the pool
 */
void asid_pool_reset(struct asid_pool *pool)
{
	pool->generation++;
	pool->next = pool->count;
}

/**
 * asid_drop() - make the next asid_assign() take a fresh ASID
 * @asid: the vCPU's
 */
void asid_drop(struct asid *asid)
{
	asid->generation = 0;
}

/**
 * asid_assign() - have an ASID that is good on this CPU
 * @asid: the vCPU's; kept if it is still good
 * @pool: this CPU's
 * @cpu: this CPU
 *
 * Return: what became of it.
 */
enum asid_change asid_assign(struct asid *asid, struct asid_pool *pool, u32 cpu)
{
	enum asid_change change = ASID_FRESH;

	if (asid_is_kept(asid, pool, cpu))
		return ASID_KEPT;
	if (pool->next >= pool->count) {
		pool->generation++;
		pool->next = 1;
		change = ASID_FLUSH;
	}
	asid->generation = pool->generation;
	asid->cpu = cpu;
	asid->number = pool->next++;
	return change;
}
