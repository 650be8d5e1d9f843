/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Check single calls of the module against the field policy (linux/svmrun_policy.h) and
 * the list of MSRs that guests may access. Used by unit tests and fuzzers.
 */
#ifndef POLICY_H
#define POLICY_H

#include "../../module/permission.h"
#include "../../module/vmcb.h"

/**
 * struct policy_load - arguments and results of a call of vmcb_load()
 * @before: the hardware's VMCB before the call
 * @user: the program's VMCB
 * @hw: the hardware's VMCB after the call
 * @asid: the program's ASID before the call
 * @request: the request that the call filled in
 * @clean: the clean bits passed to it, without undefined ones
 * @limits: the limits passed to it
 * @taken: its return value
 */
struct policy_load {
	const struct svm_vmcb *before;
	const struct svm_vmcb *user;
	const struct svm_vmcb *hw;
	u32 asid;
	const struct vmcb_request *request;
	u32 clean;
	const struct vmcb_limits *limits;
	bool taken;
};

const char *policy_load_broken(const struct policy_load *load);
const char *policy_publish_broken(const struct svm_vmcb *before,
				  const struct svm_vmcb *user,
				  const struct svm_vmcb *hw,
				  const struct vmcb_request *request);
struct vmcb_limits policy_limits(u32 features);
bool policy_holds(const struct svm_vmcb *hw);
bool policy_runs(const struct svm_vmcb *hw, const struct vmcb_limits *limits);
bool policy_msr_passes(u32 msr, bool write, bool lbr);
void policy_msrpm(u64 *map, bool lbr);

#endif /* POLICY_H */
