// SPDX-License-Identifier: LGPL-2.1-or-later
/* Translation of L2's addresses for the program and for the emulator (APM 15.25.6) */
#include <errno.h>

#include "nested.h"

uint64_t nested_fault_info(const struct svmrun_page_fault *fault, int error,
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
	if (ret && !(access & SVMRUN_ACCESS_PROBE)) {
		nested->faulted = true;
		nested->fault_info = nested_fault_info(&fault, ret, access);
		nested->fault_address = gpa;
	}
	if (ret)
		return -ENXIO;
	cache_page(cached, gpa, &found);
	*physical = found.physical;
	return 0;
}

static int translate(void *owner, uint64_t gpa, uint32_t access,
		     uint64_t *physical)
{
	return svmrun_nested_translate(owner, gpa, access, physical);
}

struct svmrun_bus nested_bus(const struct svmrun_nested *nested)
{
	return (struct svmrun_bus){
		.memories = nested->config.memories,
		.memory_count = nested->config.memory_count,
		.translate = is_active(nested) ? translate : NULL,
		.owner = (void *)nested,
	};
}
