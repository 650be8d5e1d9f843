// SPDX-License-Identifier: LGPL-2.1-or-later
/* Nested page faults of L2 (APM 15.25.6) */
#include "nested.h"

static uint32_t fault_access(uint64_t info)
{
	uint32_t access = 0;

	if (info & SVM_NPF_WRITE)
		access |= SVMRUN_ACCESS_WRITE;
	if (info & SVM_NPF_FETCH)
		access |= SVMRUN_ACCESS_FETCH;
	return access;
}

bool svmrun_nested_fault(struct svmrun_nested *nested)
{
	if (!nested->faulted || !is_active(nested))
		return false;
	nested_save_bytes(nested, nested->fault_info);
	nested->current->vmcb->control.nrip = 0;
	nested_vmexit(nested, VMEXIT_NPF, nested->fault_info,
		      nested->fault_address);
	return true;
}

int nested_page_fault(struct svmrun_nested *nested)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;
	uint64_t gpa = control->exitinfo2, info = control->exitinfo1;
	struct svmrun_translation found;
	struct svmrun_page_fault fault;
	uint32_t access = fault_access(info);
	int ret = nested_walk(nested, gpa, access, &found, &fault);

	if (ret) {
		if (info & SVM_NPF_TABLE)
			access |= SVMRUN_ACCESS_TABLE;
		nested_complete_assists(nested, VMEXIT_NPF);
		nested_vmexit(nested, VMEXIT_NPF,
			      nested_fault_info(&fault, ret, access), gpa);
		return SVMRUN_NESTED_HANDLED;
	}
	if (!nested_memory(nested, found.physical & ~(PAGE_SIZE - 1),
			   PAGE_SIZE) ||
	    ((info & SVM_NPF_WRITE) &&
	     !nested_writable_memory(nested, found.physical & ~(PAGE_SIZE - 1),
				     PAGE_SIZE))) {
		control->exitinfo2 = found.physical;
		nested->space->is_l2s = false;
		control->clean = 0;
		return SVMRUN_NESTED_NOT_HANDLED;
	}
	if (nested->space->is_l2s)
		control->clean = SVM_CLEAN_ALL;
	ret = nested_map_page(nested, gpa, &found);
	if (ret)
		return ret;
	nested_drop_soft_event(nested);
	return SVMRUN_NESTED_HANDLED;
}
