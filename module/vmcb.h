/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VMCB_H
#define SVMRUN_VMCB_H

#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/svmrun_policy.h>
#include <linux/types.h>

#include "vmcb_limits.h"

/**
 * struct vmcb_refusal - why a VMCB was refused
 * @offset: of the field in the VMCB
 * @reason: SVMRUN_INVALID_*
 */
struct vmcb_refusal {
	u32 offset;
	u32 reason;
};

/**
 * struct vmcb_request - requests in a VMCB that the module carries out itself
 * @exceptions: the program's intercept vector 2, without what is forced
 * @cr4_hidden: bits of CR4 that are set for the guest and not by the program
 * @asid: the program's ASID, 0 before the first run
 * @flush: discard the vCPU's translations
 */
struct vmcb_request {
	u32 exceptions;
	u64 cr4_hidden;
	u32 asid;
	bool flush;
};

bool vmcb_load(struct svm_vmcb *hw, const struct svm_vmcb *user, u32 clean,
	       const struct vmcb_limits *limits, struct vmcb_request *request,
	       struct vmcb_refusal *refusal);
bool vmcb_load_clean(struct svm_vmcb *hw, const struct svm_vmcb *user,
		     const struct vmcb_limits *limits,
		     struct vmcb_request *request,
		     struct vmcb_refusal *refusal);
void vmcb_publish(struct svm_vmcb *user, const struct svm_vmcb *hw,
		  const struct vmcb_request *request);
void vmcb_publish_exit(struct svm_vmcb *user, u64 exitcode);

#endif /* SVMRUN_VMCB_H */
