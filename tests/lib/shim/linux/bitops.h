/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_BITOPS_H
#define SHIM_BITOPS_H

static inline void __set_bit(unsigned long bit, unsigned long *bits)
{
	bits[bit / 64] |= 1ul << bit % 64;
}

#endif /* SHIM_BITOPS_H */
