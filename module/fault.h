/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_FAULT_H
#define SVMRUN_FAULT_H

#include <linux/types.h>

#include "npt.h"

struct memory;

#define FAULT_NEXT_NONE (~0ull)

/**
 * struct fault_state - state of a vCPU between nested page faults
 * @cache: allocated tables
 * @next: address of the next fault if the guest accesses its memory in order, or
 *	FAULT_NEXT_NONE after a large page
 * @ahead: number of pages to map beyond the one that the guest accesses
 */
struct fault_state {
	struct npt_cache cache;
	u64 next;
	unsigned int ahead;
};

int fault_handle(struct memory *memory, struct fault_state *state, u64 gpa,
		 u64 error_code);

#endif /* SVMRUN_FAULT_H */
