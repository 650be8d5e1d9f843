/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_BITOPS_H
#define SHIM_BITOPS_H

#include <stdbool.h>

static inline bool __test_and_set_bit(unsigned long bit, unsigned long *bits)
{
	bool was_set = bits[bit / 64] >> bit % 64 & 1;

	bits[bit / 64] |= 1ul << bit % 64;
	return was_set;
}

#endif /* SHIM_BITOPS_H */
