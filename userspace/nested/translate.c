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

static void cache_page(struct cached *cached, uint64_t number,
		       const struct svmrun_translation *found)
{
	cached->number = number + 1;
	cached->physical = found->physical & ~(PAGE_SIZE - 1);
	cached->denied = 0;
	if (!(found->rights & SVMRUN_RIGHT_WRITE))
		cached->denied |= SVMRUN_ACCESS_WRITE;
	if (!(found->rights & SVMRUN_RIGHT_EXECUTE))
		cached->denied |= SVMRUN_ACCESS_FETCH;
}

/* Keep this out of line, so that the caller's common path does not reserve its stack. */
__attribute__((noinline)) static int walk_to_page(struct svmrun_nested *nested,
						  uint64_t gpa, uint32_t access,
						  struct cached *page)
{
	struct svmrun_translation found;
	struct svmrun_page_fault fault;
	int ret = nested_walk(nested, gpa, access, &found, &fault);

	if (ret && !(access & SVMRUN_ACCESS_PROBE)) {
		nested->faulted = true;
		nested->fault_info = nested_fault_info(&fault, ret, access);
		nested->fault_address = gpa;
	}
	if (ret)
		return -ENXIO;
	cache_page(page, gpa / PAGE_SIZE, &found);
	return 0;
}

int svmrun_nested_translate(struct svmrun_nested *nested, uint64_t gpa,
			    uint32_t access, uint64_t *physical)
{
	uint64_t number = gpa / PAGE_SIZE;
	struct cached *page;

	*physical = gpa;
	if (!is_active(nested) || !uses_nested_paging(&nested->control))
		return 0;
	page = &nested->space->cached[number % NESTED_CACHED];
	if ((page->number != number + 1 || (access & page->denied)) &&
	    walk_to_page(nested, gpa, access, page))
		return -ENXIO;
	*physical = page->physical + gpa % PAGE_SIZE;
	return 0;
}

static int translate(void *owner, uint64_t gpa, uint32_t access,
		     uint64_t *physical)
{
	return svmrun_nested_translate(owner, gpa, access, physical);
}

void nested_init_code(struct svmrun_nested *nested)
{
	struct svmrun_bus *l1 = &nested->code[0], *l2 = &nested->code[1];

	l1->memories = nested->config.memories;
	l1->memory_count = nested->config.memory_count;
	*l2 = *l1;
	l2->translate = translate;
	l2->owner = nested;
}
