/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes that the sha256 guest digests and that the host's program pattern
 * prints: PATTERN_SIZE bytes of Marsaglia's 64-bit xorshift generator with the
 * shifts 13, 7, 17, starting at PATTERN_SEED; each number is stored in
 * little-endian order after its step.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>

#define PATTERN_SIZE	(16u << 20)
#define PATTERN_SEED	0x9e3779b97f4a7c15ull

static inline uint64_t pattern_next(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static inline void pattern_fill(uint64_t *words)
{
	uint64_t x = PATTERN_SEED;

	for (uint32_t i = 0; i < PATTERN_SIZE / sizeof(*words); i++) {
		x = pattern_next(x);
		words[i] = x;
	}
}

#endif /* PATTERN_H */
