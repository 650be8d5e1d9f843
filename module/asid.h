/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_ASID_H
#define SVMRUN_ASID_H

#include "plain.h"

/**
 * struct asid_pool - the ASIDs of one CPU (APM 15.16)
 * @generation: of the ASIDs handed out since the last flush of the whole TLB; never 0
 * @count: number of ASIDs that the processor has; 0 is the host's
 * @next: the next to hand out
 * @flush_owed: no VMRUN has flushed the TLB yet since @generation began
 */
struct asid_pool {
	u64 generation;
	u32 count;
	u32 next;
	bool flush_owed;
};

/**
 * struct asid - the ASID of a vCPU, whose number is in the hardware's VMCB
 * @generation: of its pool when it was handed out, 0 for none
 * @cpu: whose pool it is from
 * @tlb_generation: of the nested page table whose translations it may tag
 */
struct asid {
	u64 generation;
	u32 cpu;
	u64 tlb_generation;
};

void asid_pool_init(struct asid_pool *pool, u32 count);
void asid_pool_reset(struct asid_pool *pool);
void asid_assign(struct asid *asid, struct asid_pool *pool, u32 cpu,
		 struct svm_vmcb_control *control);
void asid_drop(struct asid *asid);

/**
 * asid_prepare() - before VMRUN: have an ASID that tags no outdated translation
 * @asid: the vCPU's
 * @pool: this CPU's
 * @cpu: this CPU
 * @tlb_generation: of the VM's nested page table: changes when translations have been
 *	taken out of it
 * @control: of the hardware's VMCB: ASID, TLB_CONTROL and clean bits are filled in
 */
static inline void asid_prepare(struct asid *asid, struct asid_pool *pool,
				u32 cpu, u64 tlb_generation,
				struct svm_vmcb_control *control)
{
	if (asid->tlb_generation != tlb_generation) {
		asid->tlb_generation = tlb_generation;
		asid_drop(asid);
	}
	if (asid->generation != pool->generation || asid->cpu != cpu)
		asid_assign(asid, pool, cpu, control);
	control->tlb_control = pool->flush_owed ? SVM_TLB_CONTROL_FLUSH_ALL :
						  SVM_TLB_CONTROL_NOTHING;
}

/**
 * asid_entered() - after a VMRUN that did not end with VMEXIT_INVALID
 * @pool: this CPU's
 * @control: of the hardware's VMCB, from asid_prepare() on this CPU
 */
static inline void asid_entered(struct asid_pool *pool,
				const struct svm_vmcb_control *control)
{
	if (control->tlb_control)
		pool->flush_owed = false;
}

#endif /* SVMRUN_ASID_H */
