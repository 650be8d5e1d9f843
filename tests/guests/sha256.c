// SPDX-License-Identifier: GPL-2.0
/*
 * Print the SHA-256 (FIPS 180-4) of PATTERN_SIZE bytes that the guest generates, in
 * the format of sha256sum for its standard input.
 */
#include "guest.h"
#include "pattern.h"

#define BLOCK	64
#define ROUNDS	64

static uint64_t pattern[PATTERN_SIZE / sizeof(uint64_t)];

/* FIPS 180-4, 4.2.2: of the cube roots of the first 64 primes */
static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int bits)
{
	return x >> bits | x << (32 - bits);
}

/* FIPS 180-4, 6.2.2, step 1: the message schedule */
static void expand(uint32_t w[ROUNDS], const uint8_t *block)
{
	for (int t = 0; t < 16; t++, block += 4)
		w[t] = (uint32_t)block[0] << 24 | block[1] << 16 |
		       block[2] << 8 | block[3];
	for (int t = 16; t < ROUNDS; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];

		w[t] = w[t - 16] + w[t - 7] +
		       (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

/* FIPS 180-4, 6.2.2, step 3; v[0] to v[7] are the standard's a to h */
static void round(uint32_t v[8], uint32_t constant_and_word)
{
	uint32_t a = v[0], e = v[4];
	uint32_t choice = (e & v[5]) ^ (~e & v[6]);
	uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
	uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
		      choice + constant_and_word;
	uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;

	for (int i = 7; i > 0; i--)
		v[i] = v[i - 1];
	v[4] += t1;
	v[0] = t1 + t2;
}

static void compress(uint32_t hash[8], const uint8_t *block)
{
	uint32_t w[ROUNDS], v[8];

	expand(w, block);
	memcpy(v, hash, sizeof(v));
	for (int t = 0; t < ROUNDS; t++)
		round(v, constants[t] + w[t]);
	for (int i = 0; i < 8; i++)
		hash[i] += v[i];
}

/* FIPS 180-4, 5.1.1, of a message that is a whole number of blocks */
static void compress_padding(uint32_t hash[8], uint64_t bits)
{
	uint8_t block[BLOCK] = { 0x80 };

	for (int i = 0; i < 8; i++)
		block[BLOCK - 1 - i] = bits >> 8 * i;
	compress(hash, block);
}

int main(void)
{
	/* FIPS 180-4, 5.3.3: of the square roots of the first 8 primes */
	uint32_t hash[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	const uint8_t *bytes = (const uint8_t *)pattern;

	pattern_fill(pattern);
	for (uint32_t at = 0; at < PATTERN_SIZE; at += BLOCK)
		compress(hash, bytes + at);
	compress_padding(hash, PATTERN_SIZE * 8ull);

	for (int i = 0; i < 8; i++)
		serial_put_hex(hash[i], 8);
	serial_puts("  -\n");
	return 0;
}
