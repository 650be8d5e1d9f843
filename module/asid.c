// SPDX-License-Identifier: GPL-2.0
/*
 * Address space identifiers (ASIDs) tag the TLB's entries (APM 15.16). Each CPU hands
 * out its own in order. When none is left, the whole TLB has to be flushed and a new
 * generation begins, which makes the ASIDs of the old ones invalid. To discard a
 * vCPU's translations, its ASID is dropped, and the vCPU gets a fresh one.
 *
 * The flush is carried out by VMRUN, and only after its consistency checks (APM volume
 * 3, VMRUN): a VMRUN that ends with VMEXIT_INVALID flushes nothing. So a
 * flush stays due until a VMRUN that requested it has succeeded.
 */
#include "asid.h"

/**
 * asid_pool_init() - initialise the ASIDs of a CPU
 * @pool: filled in; a flush is due
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
 * All ASIDs that have been handed out become invalid. Call it for a CPU on which another
 * hypervisor may have used ASIDs.
 */
void asid_pool_reset(struct asid_pool *pool)
{
	pool->generation++;
	pool->next = 1;
	pool->flush_owed = true;
}

/**
 * asid_drop() - discard a vCPU's translations
 * @asid: ASID of the vCPU
 *
 * The next asid_prepare() takes a fresh ASID.
 */
void asid_drop(struct asid *asid)
{
	asid->generation = 0;
}

/**
 * asid_assign() - take a fresh ASID
 * @asid: ASID of the vCPU
 * @pool: ASIDs of this CPU
 * @cpu: this CPU
 * @control: of the hardware's VMCB; gets the ASID. Its clean bits are cleared: this CPU
 *	may have cached an older state of it (APM 15.15.1)
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
