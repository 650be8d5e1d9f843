// SPDX-License-Identifier: GPL-2.0
/*
 * What stands around the parser that userspace/examples/fuzz.c looks for bugs in:
 * it is compiled with -fsanitize-coverage=trace-pc, and so calls what keeps the map
 * at the beginning of each piece of code.
 */
#include "parser.h"
#include "serve.h"

#define ROOM 256
#define MAP_BITS 10

/* How often control went from one piece of code to another, by both */
static uint8_t map[1 << MAP_BITS];
static uint8_t input[ROOM];

void __sanitizer_cov_trace_pc(void)
{
	static uint32_t before;
	uint32_t here = (uintptr_t)__builtin_return_address(0) * 0x9e3779b1u;
	uint8_t *times = &map[(here ^ before) >> (32 - MAP_BITS)];

	if (*times < UINT8_MAX)
		++*times;
	before = here >> 1;
}

int main(void)
{
	size_t length = serve_wait(input, sizeof(input), map, sizeof(map));

	serve_done(parse(input, length), NULL, 0);
}
