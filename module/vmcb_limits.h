/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VMCB_LIMITS_H
#define SVMRUN_VMCB_LIMITS_H

#include <linux/svmrun_policy.h>
#include <linux/types.h>

/**
 * struct vmcb_limits - bits that a VMCB may have on this machine
 * @features: CPUID Fn8000_000A EDX
 * @intercepts: forced bits of each intercept vector
 * @cr0: permitted bits of CR0
 * @cr4: permitted bits of CR4
 * @efer: permitted bits of EFER
 * @dbgctl: permitted bits of DBGCTL
 * @cr4_hidden: bits of CR4 that are set for every guest and hidden from its program
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
 * struct vmcb_limits_host - the host, for vmcb_limits_find()
 * @cpuid: gets EAX to EDX of a function and subfunction of CPUID
 * @cr4: CR4 of the host
 * @xcr0: XCR0 of the host
 * @smt_rsb: the host must be protected against SMT_RSB
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
