// SPDX-License-Identifier: LGPL-2.1-or-later
/* Nested page faults of L2, and the same walk for the program (APM 15.25.6) */
#include <errno.h>

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

/* EXITINFO1 of a walk that has failed: an address that is too large is not present. */
static uint64_t fault_info(const struct svmrun_page_fault *fault, int error,
			   uint32_t access)
{
	uint64_t info = error == -EFAULT ?
				fault->error_code :
				(access & (SVM_NPF_WRITE | SVM_NPF_FETCH)) |
					SVM_NPF_USER;

	return info |
	       (access & SVMRUN_ACCESS_TABLE ? SVM_NPF_TABLE : SVM_NPF_FINAL);
}

static struct cached *cached_page(const struct svmrun_nested *nested,
				  uint64_t gpa)
{
	return &nested->space->cached[gpa / PAGE_SIZE % NESTED_CACHED];
}

static bool is_cached(const struct cached *cached, uint64_t gpa,
		      uint32_t access)
{
	if (cached->gpa != ((gpa & ~(PAGE_SIZE - 1)) | 1))
		return false;
	if ((access & SVMRUN_ACCESS_WRITE) &&
	    !(cached->rights & SVMRUN_RIGHT_WRITE))
		return false;
	return !(access & SVMRUN_ACCESS_FETCH) ||
	       (cached->rights & SVMRUN_RIGHT_EXECUTE);
}

static void cache_page(struct cached *cached, uint64_t gpa,
		       const struct svmrun_translation *found)
{
	cached->gpa = (gpa & ~(PAGE_SIZE - 1)) | 1;
	cached->physical = found->physical & ~(PAGE_SIZE - 1);
	cached->rights = found->rights;
}

int svmrun_nested_translate(struct svmrun_nested *nested, uint64_t gpa,
			    uint32_t access, uint64_t *physical)
{
	struct svmrun_translation found;
	struct svmrun_page_fault fault;
	struct cached *cached;
	int ret;

	*physical = gpa;
	if (!is_active(nested) || !uses_nested_paging(&nested->control))
		return 0;
	cached = cached_page(nested, gpa);
	if (is_cached(cached, gpa, access)) {
		*physical = cached->physical + gpa % PAGE_SIZE;
		return 0;
	}
	ret = nested_walk(nested, gpa, access, &found, &fault);
	if (ret) {
		nested->faulted |= !(access & SVMRUN_ACCESS_PROBE);
		nested->fault_info = fault_info(&fault, ret, access);
		nested->fault_address = gpa;
		return -ENXIO;
	}
	cache_page(cached, gpa, &found);
	*physical = found.physical;
	return 0;
}

bool svmrun_nested_fault(struct svmrun_nested *nested)
{
	if (!nested->faulted || !is_active(nested))
		return false;
	nested->current->vmcb->control.insn_len = 0;
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
		nested_vmexit(nested, VMEXIT_NPF,
			      fault_info(&fault, ret, access), gpa);
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
