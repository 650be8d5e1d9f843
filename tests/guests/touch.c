// SPDX-License-Identifier: GPL-2.0
/*
 * Touch 256 MiB, one page at a time, outside the image: write each page's own
 * address into it, then read all of them. The memory is not part of the image, so
 * that the guest is the first to touch each page.
 */
#include "guest.h"

#define FIRST	0x1000000ul
#define SIZE	(256ul << 20)
#define PAGE	4096ul

static volatile uint64_t *word(uint64_t offset)
{
	return (volatile uint64_t *)(FIRST + offset);
}

int main(void)
{
	for (uint64_t at = 0; at < SIZE; at += PAGE) {
		if (*word(at))
			return 1;
		*word(at) = FIRST + at;
		*word(at + PAGE - 8) = ~(FIRST + at);
	}
	for (uint64_t at = 0; at < SIZE; at += PAGE)
		if (*word(at) != FIRST + at ||
		    *word(at + PAGE - 8) != ~(FIRST + at))
			return 2;

	serial_put_decimal(SIZE / PAGE);
	serial_puts(" pages hold what was written.\n");
	return 0;
}
