/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_PROCESSOR_H
#define SVMRUN_PROCESSOR_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "asid.h"
#include "compat.h"
#include "vmcb_limits.h"

/* The guest's TSC is as fast as the host's (APM 15.30.5). */
#define PROCESSOR_TSC_RATIO_1 (1ull << 32)

/**
 * struct processor - a CPU
 * @save_area: host state save area of VMRUN (APM 15.30.4)
 * @asids: its ASIDs
 * @tsc_ratio: value of MSR TSC_RATIO, if the CPU has it (APM 15.30.5)
 * @enabled: this module has enabled SVM
 *
 * @enabled, @asids and @tsc_ratio are accessed by the CPU itself, with preemption
 * disabled.
 */
struct processor {
	void *save_area;
	struct asid_pool asids;
	u64 tsc_ratio;
	bool enabled;
};

DECLARE_PER_CPU(struct processor, processors);
extern u32 processor_svm_features;
extern struct vmcb_limits processor_limits; /* the same for all */

struct svmrun_info;

int processor_init(void);
void processor_exit(void);

void processor_change_tsc_ratio(u64 ratio);
void processor_restore_save_area(void);

int processor_get(void);
void processor_put(void);

u32 processor_gpa_bits(void);
u32 processor_npt_levels(void);
u32 processor_npt_page_levels(void);
void processor_info(struct svmrun_info *info);

/**
 * processor_enabled() - has this module enabled SVM on this CPU?
 *
 * Call it with preemption disabled.
 *
 * Return: true if a guest can run here.
 */
static inline bool processor_enabled(void)
{
	return __this_cpu_read(processors.enabled);
}

/**
 * processor_check_save_area() - make sure that VM_HSAVE_PA is set
 *
 * Call it with interrupts off and SVM enabled on this CPU. On SNP hosts the driver of the secure
 * processor clears VM_HSAVE_PA of every CPU by interrupts when it initialises the
 * firmware, even while SVM is in use.
 */
static inline void processor_check_save_area(void)
{
	if (is_snp_host())
		processor_restore_save_area();
}

/**
 * processor_asids() - get the ASIDs of this CPU
 *
 * Call it with preemption disabled.
 *
 * Return: the pool.
 */
static inline struct asid_pool *processor_asids(void)
{
	return this_cpu_ptr(&processors.asids);
}

/**
 * processor_set_tsc_ratio() - set the rate of the guest's TSC on this CPU
 * @ratio: for MSR TSC_RATIO; PROCESSOR_TSC_RATIO_1 if the processor has none
 *
 * Call it with preemption disabled and SVM enabled on this CPU.
 */
static inline void processor_set_tsc_ratio(u64 ratio)
{
	if (__this_cpu_read(processors.tsc_ratio) != ratio)
		processor_change_tsc_ratio(ratio);
}

/**
 * processor_features() - get SVM's features
 *
 * Return: CPUID Fn8000_000A EDX.
 */
static inline u32 processor_features(void)
{
	return processor_svm_features;
}

#endif /* SVMRUN_PROCESSOR_H */
