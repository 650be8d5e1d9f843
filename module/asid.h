/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_ASID_H
#define SVMRUN_ASID_H

#include <linux/svmrun.h>
#include <linux/types.h>

/**
 * struct asid_pool - the ASIDs of one CPU (APM 15.16)
 * @generation: of the ASIDs handed out since the last flush of the whole TLB; never 0
 * @count: number of ASIDs that the processor has; 0 is the host's
 * @next: the next to hand out
 * @flush_owed: a flush is due: no VMRUN has flushed the TLB since @generation began
 */
struct asid_pool {
	u64 generation;
	u32 count;
	u32 next;
	bool flush_owed;
};

/**
 * struct asid - the ASID of a vCPU; its number is in the hardware's VMCB
 * @generation: generation of its pool when it was handed out, 0 for none
 * @cpu: CPU of its pool
 * @tlb_generation: generation of the translations that it may tag
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
 * asid_prepare() - make sure before VMRUN that the ASID tags no outdated translation
 * @asid: ASID of the vCPU
 * @pool: ASIDs of this CPU
 * @cpu: this CPU
 * @tlb_generation: generation of the VM's nested page table: changes when translations
 *	have been removed
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
 * asid_entered() - note a VMRUN that did not end with VMEXIT_INVALID
 * @pool: ASIDs of this CPU
 * @control: of the hardware's VMCB, from asid_prepare() on this CPU
 */
static inline void asid_entered(struct asid_pool *pool,
				const struct svm_vmcb_control *control)
{
	if (control->tlb_control)
		pool->flush_owed = false;
}

#endif /* SVMRUN_ASID_H */
