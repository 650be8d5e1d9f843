/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that cost next to nothing: Marsaglia's xorshift64*. */
#ifndef XORSHIFT_H
#define XORSHIFT_H

#include <stdint.h>

/* @state: any seed but 0, at first */
static inline uint64_t xorshift(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* 0 to @limit - 1, which is small */
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
