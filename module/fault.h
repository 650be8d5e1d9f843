/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_FAULT_H
#define SVMRUN_FAULT_H

#include <linux/types.h>

#include "npt.h"

struct memory;

#define FAULT_NEXT_NONE (~0ull)

/**
 * struct fault_state - what a vCPU keeps from one fault to the next
 * @cache: tables in hand
 * @next: where the guest will fault next if it goes on as it does; or
 *	FAULT_NEXT_NONE, after a large page
 * @ahead: pages to map beyond the one that it touches
 */
struct fault_state {
	struct npt_cache cache;
	u64 next;
	unsigned int ahead;
};

int fault_handle(struct memory *memory, struct fault_state *state, u64 gpa,
		 u64 error_code);

#endif /* SVMRUN_FAULT_H */
