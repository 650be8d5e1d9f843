// SPDX-License-Identifier: GPL-2.0
/*
 * The guest in which userspace/examples/fuzz.c looks for bugs of the parser. The
 * parser is compiled with -fsanitize-coverage=trace-pc, so that each basic block
 * calls the function that updates the map.
 */
#include "parser.h"
#include "serve.h"

#define ROOM 256
#define MAP_BITS 10

/* Number of transitions between two basic blocks, indexed by both */
static uint8_t map[1 << MAP_BITS];
static uint8_t input[ROOM];

void __sanitizer_cov_trace_pc(void)
{
	static uint32_t before;
	uint32_t here = (uintptr_t)__builtin_return_address(0) * 0x9e3779b1u;
	uint8_t *count = &map[(here ^ before) >> (32 - MAP_BITS)];

	if (*count < UINT8_MAX)
		++*count;
	before = here >> 1;
}

int main(void)
{
	size_t length = serve_wait(input, sizeof(input), map, sizeof(map));

	serve_done(parse(input, length), NULL, 0);
}
