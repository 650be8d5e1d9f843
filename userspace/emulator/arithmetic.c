// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Results of arithmetic instructions, and RFLAGS (APM volume 1, 3.1.4). Bits above @size
 * are undefined in operands and results.
 */
#include "arithmetic.h"
#include "execution.h"

#define RESULT_FLAGS (RFLAGS_SF | RFLAGS_ZF | RFLAGS_PF)
#define ALL_FLAGS (RESULT_FLAGS | RFLAGS_CF | RFLAGS_AF | RFLAGS_OF)

static bool top_bit(uint64_t value, unsigned int size)
{
	return value >> (8 * size - 1) & 1;
}

static uint64_t result_flags(uint64_t value, unsigned int size)
{
	uint64_t flags = 0;

	if (top_bit(value, size))
		flags |= RFLAGS_SF;
	if (!(value & size_mask(size)))
		flags |= RFLAGS_ZF;
	if (!__builtin_parity(value & 0xff))
		flags |= RFLAGS_PF;
	return flags;
}

/*
 * @carries: for each bit, the carry out of it, or the borrow. An overflow is a difference
 * between the carries into and out of the top bit.
 */
static uint64_t carry_flags(uint64_t carries, unsigned int size)
{
	bool out = top_bit(carries, size), in = top_bit(carries << 1, size);
	uint64_t flags = 0;

	if (out)
		flags |= RFLAGS_CF;
	if (out != in)
		flags |= RFLAGS_OF;
	if (carries >> 3 & 1)
		flags |= RFLAGS_AF;
	return flags;
}

static uint64_t set_flags(uint64_t value, uint64_t carries, unsigned int size,
			  uint64_t *rflags)
{
	*rflags = (*rflags & ~ALL_FLAGS) | result_flags(value, size) |
		  carry_flags(carries, size);
	return value;
}

static uint64_t add_with_carry(uint64_t a, uint64_t b, bool carry,
			       unsigned int size, uint64_t *rflags)
{
	uint64_t sum = a + b + carry;

	return set_flags(sum, (a & b) | ((a | b) & ~sum), size, rflags);
}

static uint64_t subtract_with_borrow(uint64_t a, uint64_t b, bool borrow,
				     unsigned int size, uint64_t *rflags)
{
	uint64_t rest = a - b - borrow;

	return set_flags(rest, (~a & b) | ((~a | b) & rest), size, rflags);
}

uint64_t arithmetic_add(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return add_with_carry(a, b, false, size, rflags);
}

uint64_t arithmetic_adc(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return add_with_carry(a, b, *rflags & RFLAGS_CF, size, rflags);
}

uint64_t arithmetic_sub(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return subtract_with_borrow(a, b, false, size, rflags);
}

uint64_t arithmetic_sbb(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return subtract_with_borrow(a, b, *rflags & RFLAGS_CF, size, rflags);
}

uint64_t arithmetic_and(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return set_flags(a & b, 0, size, rflags);
}

uint64_t arithmetic_or(uint64_t a, uint64_t b, unsigned int size,
		       uint64_t *rflags)
{
	return set_flags(a | b, 0, size, rflags);
}

uint64_t arithmetic_xor(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return set_flags(a ^ b, 0, size, rflags);
}

/* INC and DEC do not change CF. */
static void keep_carry(uint64_t *rflags, uint64_t before)
{
	*rflags = (*rflags & ~RFLAGS_CF) | (before & RFLAGS_CF);
}

uint64_t arithmetic_inc(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	uint64_t before = *rflags,
		 value = add_with_carry(a, 1, false, size, rflags);

	(void)b;
	keep_carry(rflags, before);
	return value;
}

uint64_t arithmetic_dec(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	uint64_t before = *rflags,
		 value = subtract_with_borrow(a, 1, false, size, rflags);

	(void)b;
	keep_carry(rflags, before);
	return value;
}

uint64_t arithmetic_not(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	(void)b;
	(void)size;
	(void)rflags;
	return ~a;
}

uint64_t arithmetic_neg(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	(void)b;
	return subtract_with_borrow(0, a, false, size, rflags);
}

/* The flags other than CF are undefined; they are not changed. */
uint64_t arithmetic_bt(uint64_t a, uint64_t b, unsigned int size,
		       uint64_t *rflags)
{
	uint64_t bit = a >> b % (8 * size) & 1;

	*rflags = (*rflags & ~RFLAGS_CF) | (bit ? RFLAGS_CF : 0);
	return a;
}

uint64_t arithmetic_bts(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return arithmetic_bt(a, b, size, rflags) | 1ull << b % (8 * size);
}

uint64_t arithmetic_btr(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return arithmetic_bt(a, b, size, rflags) & ~(1ull << b % (8 * size));
}

uint64_t arithmetic_btc(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	return arithmetic_bt(a, b, size, rflags) ^ 1ull << b % (8 * size);
}
