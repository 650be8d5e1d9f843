/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic of two operands of @size bytes, which also sets RFLAGS */
#ifndef EMULATOR_ARITHMETIC_H
#define EMULATOR_ARITHMETIC_H

#include <stdint.h>

typedef uint64_t arithmetic(uint64_t a, uint64_t b, unsigned int size,
			    uint64_t *rflags);
arithmetic arithmetic_add, arithmetic_adc, arithmetic_sub, arithmetic_sbb,
	arithmetic_and, arithmetic_or, arithmetic_xor, arithmetic_inc,
	arithmetic_dec, arithmetic_not, arithmetic_neg, arithmetic_bt,
	arithmetic_bts, arithmetic_btr, arithmetic_btc;

#endif /* EMULATOR_ARITHMETIC_H */
