/* SPDX-License-Identifier: GPL-2.0 */
/* Fast random numbers: Marsaglia's xorshift64* */
#ifndef XORSHIFT_H
#define XORSHIFT_H

#include <stdint.h>

/* Return a state that is unrelated to that of the next number. */
static inline uint64_t xorshift_seed(uint64_t number)
{
	number += 0x9e3779b97f4a7c15ull;
	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ull;
	number = (number ^ number >> 27) * 0x94d049bb133111ebull;
	return (number ^ number >> 31) | 1;
}

/* @state: from xorshift_seed(), or anything but 0 */
static inline uint64_t xorshift(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Return a number from 0 to @limit - 1; @limit must be small. */
static inline uint32_t xorshift_below(uint64_t *state, uint32_t limit)
{
	return (xorshift(state) >> 32) * limit >> 32;
}

/* @size: a multiple of 8 */
static inline void xorshift_fill(uint64_t *state, void *bytes, uint32_t size)
{
	uint64_t *word = bytes;

	for (; size; size -= sizeof(*word))
		*word++ = xorshift(state);
}

#endif /* XORSHIFT_H */
