/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VMCB_LIMITS_H
#define SVMRUN_VMCB_LIMITS_H

#include <linux/svmrun_policy.h>

#include "plain.h"

/**
 * struct vmcb_limits - what guests may use on this machine's processors
 * @features: CPUID Fn8000_000A EDX
 * @intercepts: forced bits of each intercept vector
 * @cr0: bits that CR0 may have
 * @cr4: bits that CR4 may have
 * @efer: bits that EFER may have
 * @dbgctl: bits that DBGCTL may have
 * @cr4_hidden: bits of CR4 that every guest runs with, and its program does not see
 */
struct vmcb_limits {
	u32 features;
	u32 intercepts[6];
	u64 cr0;
	u64 cr4;
	u64 efer;
	u64 dbgctl;
	u64 cr4_hidden;
};

/**
 * struct vmcb_limits_host - what they are found by
 * @cpuid: fills in EAX to EDX of a function and subfunction of CPUID
 * @cr4: the host's
 * @xcr0: the host's
 * @smt_rsb: the host has to be protected against SMT_RSB
 */
struct vmcb_limits_host {
	void (*cpuid)(u32 function, u32 subfunction, u32 outputs[4]);
	u64 cr4;
	u64 xcr0;
	bool smt_rsb;
};

void vmcb_limits_find(struct vmcb_limits *limits,
		      const struct vmcb_limits_host *host);

#endif /* SVMRUN_VMCB_LIMITS_H */
