/* SPDX-License-Identifier: GPL-2.0 */
/* A fuzzer's input, read as a sequence of numbers, with zeros after its end */
#ifndef INPUT_H
#define INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *bytes;
	size_t left;
};

/* @size: 1 to 8 bytes */
static inline uint64_t input_take(struct input *input, size_t size)
{
	uint64_t value = 0;

	if (size > input->left)
		size = input->left;
	memcpy(&value, input->bytes, size);
	input->bytes += size;
	input->left -= size;
	return value;
}

static inline uint64_t input_below(struct input *input, uint8_t limit)
{
	return input_take(input, 1) % limit;
}

/* Abort if a property does not hold; the fuzzer then keeps the input. */
static inline void holds(int property, const char *what)
{
	if (property)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif /* INPUT_H */
