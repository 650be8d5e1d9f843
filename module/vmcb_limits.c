// SPDX-License-Identifier: GPL-2.0
/*
 * The bits that a VMCB may have on this machine: those that the field policy permits and
 * the processor supports. Features of a new processor are not permitted until the policy
 * names them.
 */
#include "vmcb_limits.h"

#define CPUID_SVM 0x8000000a /* APM volume 3, E.4.9 */
#define CPUID_LARGEST 0x80000000
#define XCR0_PKRU (1ull << 9)

/* Return 0 for a CPUID function that the processor does not have. */
static u32 cpuid_output(const struct vmcb_limits_host *host, u32 function,
			u32 subfunction, unsigned int number)
{
	u32 outputs[4];

	host->cpuid(function & CPUID_LARGEST, 0, outputs);
	if (outputs[SVMRUN_CPUID_EAX] < function)
		return 0;
	host->cpuid(function, subfunction, outputs);
	return outputs[number];
}

#define BIT_IF(bit, function, subfunction, number, feature, is)                \
	| ((cpuid_output(host, function, subfunction, number) >>               \
	    (feature)&1) == (is) ?                                             \
		   (bit) :                                                     \
		   0)

static u64 cr4(const struct vmcb_limits_host *host)
{
	u64 like_host = host->cr4;
	u64 bits = 0 SVMRUN_POLICY_CR4(BIT_IF);

	if (!(host->xcr0 & XCR0_PKRU))
		like_host &= ~SVM_CR4_PKE;
	return bits & (like_host | ~SVMRUN_POLICY_CR4_LIKE_HOST);
}

static u64 efer_limit(const struct vmcb_limits_host *host)
{
	return 0 SVMRUN_POLICY_EFER(BIT_IF);
}

/**
 * vmcb_limits_find() - find the bits that a VMCB may have on this machine
 * @limits: filled in
 * @host: the host
 */
void vmcb_limits_find(struct vmcb_limits *limits,
		      const struct vmcb_limits_host *host)
{
	*limits = (struct vmcb_limits){
		.features = cpuid_output(host, CPUID_SVM, 0, SVMRUN_CPUID_EDX),
		.intercepts = {
			[0] = SVMRUN_POLICY_FORCED_0,
			[2] = SVMRUN_POLICY_FORCED_2,
			[3] = SVMRUN_POLICY_FORCED_3,
			[4] = SVMRUN_POLICY_FORCED_4,
			[5] = SVMRUN_POLICY_FORCED_5,
		},
		.cr0 = SVMRUN_POLICY_KNOWN_CR0,
		.cr4 = cr4(host),
		.efer = efer_limit(host),
		.dbgctl = SVMRUN_POLICY_KNOWN_DBGCTL,
		.cr4_hidden = host->cr4 & SVMRUN_POLICY_CR4_HIDDEN,
	};
	if (host->smt_rsb)
		limits->intercepts[3] |= SVMRUN_POLICY_FORCED_SMT_RSB;
}
