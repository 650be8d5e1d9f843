// SPDX-License-Identifier: LGPL-2.1-or-later
/* SVM for one vCPU of a guest: life cycle, CPUID and MSRs */
#include <errno.h>
#include <stdlib.h>

#include "nested.h"

#define SVM_REVISION 1

/* Features that L1 has because this library carries them out */
#define FEATURES_OWN                                                           \
	(SVM_FEATURE_NP | SVM_FEATURE_LOCK | SVM_FEATURE_NRIP_SAVE |           \
	 SVM_FEATURE_VMCB_CLEAN | SVM_FEATURE_FLUSH_BY_ASID |                  \
	 SVM_FEATURE_DECODE_ASSISTS)

/* Features that L1 has if the processor has them */
#define FEATURES_HOST                                                          \
	(SVM_FEATURE_LBR_VIRT | SVM_FEATURE_TSC_RATIO |                        \
	 SVM_FEATURE_PAUSE_FILTER | SVM_FEATURE_PAUSE_FILTER_THRESHOLD)

int svmrun_nested_create(struct svmrun_nested **nested,
			 const struct svmrun_nested_config *config)
{
	struct svmrun_nested *new;
	int ret;

	*nested = NULL;
	if (!(config->info->out_svm_features & SVM_FEATURE_NP))
		return -EOPNOTSUPP;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->config = *config;
	new->features = FEATURES_OWN |
			(config->info->out_svm_features & FEATURES_HOST);
	svmrun_processor_identify(&new->processor, config->info);
	new->processor.svm_features = new->features;
	if (config->suspected) {
		new->suspicion = calloc(1, sizeof(*new->suspicion));
		if (!new->suspicion) {
			free(new);
			return -ENOMEM;
		}
	}
	nested_init_code(new);
	svmrun_nested_reset(new);
	ret = nested_create_spaces(new, config->device);
	if (ret)
		svmrun_nested_destroy(new);
	else
		*nested = new;
	return ret;
}

void svmrun_nested_destroy(struct svmrun_nested *nested)
{
	if (!nested)
		return;
	nested_destroy_spaces(nested);
	free(nested->suspicion);
	free(nested);
}

void svmrun_nested_reset(struct svmrun_nested *nested)
{
	nested->current = nested->config.vcpu;
	nested->svme = false;
	nested->gif = true;
	nested->vm_cr = 0;
	nested->hsave_pa = 0;
	nested->tsc_ratio = TSC_RATIO_ONE;
	nested->knows_permitted = false;
	nested_flush_all(nested);
}

struct svmrun_vcpu *svmrun_nested_vcpu(struct svmrun_nested *nested)
{
	return nested->current;
}

const struct svm_vmcb *svmrun_nested_vmcb(const struct svmrun_nested *nested,
					  uint64_t *gpa)
{
	if (gpa)
		*gpa = nested->vmcb12_gpa;
	return nested->vmcb12;
}

bool svmrun_nested_is_active(const struct svmrun_nested *nested)
{
	return is_active(nested);
}

bool svmrun_nested_virtual_tpr(const struct svmrun_nested *nested)
{
	return is_active(nested) &&
	       (nested->control.vintr & SVM_VINTR_V_INTR_MASKING);
}

void svmrun_nested_cpuid(const struct svmrun_nested *nested, uint32_t function,
			 uint32_t registers[4])
{
	if (function == CPUID_EXTENDED_FEATURES) {
		registers[2] |= CPUID_ECX_SVM;
	} else if (function == CPUID_SVM) {
		registers[0] = SVM_REVISION;
		registers[1] = NESTED_ASIDS;
		registers[2] = 0;
		registers[3] = nested->features;
	}
}

/*
 * Return the MSR of a branch record, in L2's VMCB. Without LBR virtualization, it is the
 * program's (APM 15.23).
 */
static __u64 *branch_record(const struct svmrun_nested *nested, uint32_t msr)
{
	struct svm_vmcb *vmcb = nested->current->vmcb;

	if (!is_active(nested) ||
	    !(vmcb->control.virt_ext & SVM_VIRT_LBR_ENABLE))
		return NULL;
	switch (msr) {
	case MSR_DBGCTL:
		return &vmcb->save.dbgctl;
	case MSR_BR_FROM:
		return &vmcb->save.br_from;
	case MSR_BR_TO:
		return &vmcb->save.br_to;
	case MSR_LAST_EXCP_FROM:
		return &vmcb->save.last_excp_from;
	case MSR_LAST_EXCP_TO:
		return &vmcb->save.last_excp_to;
	default:
		return NULL;
	}
}

bool svmrun_nested_read_msr(const struct svmrun_nested *nested, uint32_t msr,
			    uint64_t *value)
{
	const __u64 *record;

	switch (msr) {
	case MSR_VM_CR:
		*value = nested->vm_cr;
		return true;
	case MSR_VM_HSAVE_PA:
		*value = nested->hsave_pa;
		return true;
	case MSR_TSC_RATIO:
		*value = nested->tsc_ratio;
		return nested->features & SVM_FEATURE_TSC_RATIO;
	default:
		record = branch_record(nested, msr);
		*value = record ? *record : 0;
		return record;
	}
}

/* LOCK and SVMDIS keep their values once LOCK is set; SVMDIS requires SVME to be 0. */
static int write_vm_cr(struct svmrun_nested *nested, uint64_t value)
{
	uint64_t locked = VM_CR_LOCK | VM_CR_SVMDIS;

	if (value & ~(VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M | locked))
		return -EINVAL;
	if (nested->vm_cr & VM_CR_LOCK)
		value = (value & ~locked) | (nested->vm_cr & locked);
	if ((value & VM_CR_SVMDIS) && nested->svme)
		return -EINVAL;
	nested->vm_cr = value;
	return 0;
}

static int write_hsave_pa(struct svmrun_nested *nested, uint64_t value)
{
	if (value % PAGE_SIZE || value >> nested->config.info->out_gpa_bits)
		return -EINVAL;
	nested->hsave_pa = value;
	return 0;
}

/* All of them but DBGCTL are read-only (APM 13.1.1). The module does not have all bits. */
static int write_branch_record(struct svmrun_nested *nested, uint32_t msr,
			       uint64_t value)
{
	__u64 *record = branch_record(nested, msr);

	if (!record)
		return -ENOENT;
	if (msr != MSR_DBGCTL || (value & ~DBGCTL_BITS))
		return -EINVAL;
	*record = value & nested->processor.dbgctl;
	nested->current->vmcb->control.clean &= ~SVM_CLEAN_LBR;
	return 0;
}

int svmrun_nested_write_msr(struct svmrun_nested *nested, uint32_t msr,
			    uint64_t value)
{
	switch (msr) {
	case MSR_VM_CR:
		return write_vm_cr(nested, value);
	case MSR_VM_HSAVE_PA:
		return write_hsave_pa(nested, value);
	case MSR_TSC_RATIO:
		if (!(nested->features & SVM_FEATURE_TSC_RATIO))
			return -ENOENT;
		if (value >> 40)
			return -EINVAL;
		nested->tsc_ratio = value;
		return 0;
	default:
		return write_branch_record(nested, msr, value);
	}
}

bool svmrun_nested_get_svme(const struct svmrun_nested *nested)
{
	return has_svme(nested);
}

int svmrun_nested_set_svme(struct svmrun_nested *nested, bool svme)
{
	if (svme && (nested->vm_cr & VM_CR_SVMDIS))
		return -EINVAL;
	if (!is_active(nested))
		nested->svme = svme;
	else if (!svme)
		nested_vmexit(nested, VMEXIT_SHUTDOWN, 0, 0);
	return 0;
}
