/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_FAULT_H
#define SVMRUN_FAULT_H

#include <linux/types.h>

struct memory;
struct npt_cache;

int fault_handle(struct memory *memory, struct npt_cache *cache, u64 gpa,
		 u64 error_code);

#endif /* SVMRUN_FAULT_H */
