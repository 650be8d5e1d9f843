// SPDX-License-Identifier: GPL-2.0
/*
 * Address space identifiers (ASIDs) tag the TLB's entries (APM 15.16). Each CPU hands
 * out its own in order. When none is left, the whole TLB has to be flushed and a new
 * generation begins, which makes the ASIDs of the old ones invalid. To discard a
 * vCPU's translations, its ASID is dropped, and the vCPU gets a fresh one.
 *
 * The flush is carried out by VMRUN, and only after its consistency checks (APM volume
 * 3, VMRUN): a VMRUN that ends with VMEXIT_INVALID flushes nothing. So a pool owes the
 * flush until a VMRUN that asked for it has succeeded.
 */
#include "asid.h"

/**
 * asid_pool_init() - set up the ASIDs of a CPU
 * @pool: filled in; owes a flush
 * @count: CPUID Fn8000_000A EBX, at least 2
 */
void asid_pool_init(struct asid_pool *pool, u32 count)
{
	pool->generation = 0;
	pool->count = count;
	asid_pool_reset(pool);
}

/**
 * asid_pool_reset() - begin a new generation, with a flush
 * @pool: the pool
 *
 * All ASIDs that have been handed out become invalid. For a CPU on which somebody else
 * may have used ASIDs too.
 */
void asid_pool_reset(struct asid_pool *pool)
{
	pool->generation++;
	pool->next = 1;
	pool->flush_owed = true;
}

/**
 * asid_drop() - discard a vCPU's translations
 * @asid: the vCPU's
 *
 * The next asid_prepare() takes a fresh ASID.
 */
void asid_drop(struct asid *asid)
{
	asid->generation = 0;
}

/**
 * asid_assign() - take a fresh ASID
 * @asid: the vCPU's
 * @pool: this CPU's
 * @cpu: this CPU
 * @control: of the hardware's VMCB; gets the ASID. Its clean bits are cleared: this CPU
 *	may hold an older state of it (APM 15.15.1)
 */
void asid_assign(struct asid *asid, struct asid_pool *pool, u32 cpu,
		 struct svm_vmcb_control *control)
{
	if (pool->next == pool->count)
		asid_pool_reset(pool);
	asid->generation = pool->generation;
	asid->cpu = cpu;
	control->asid = pool->next++;
	control->clean = 0;
}
