/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_DIRTY_H
#define SVMRUN_DIRTY_H

#include <linux/types.h>

struct memory;

int dirty_fetch(struct memory *memory, u64 gpa, u64 length, u64 *bits,
		bool clear);
void dirty_mark(struct memory *memory, u64 gpa, u64 length, const u64 *bits);

#endif /* SVMRUN_DIRTY_H */
