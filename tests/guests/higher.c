// SPDX-License-Identifier: GPL-2.0
/*
 * Runs at the virtual addresses that it is linked to, in the upper half of the address
 * space, with pointers to data there.
 */
#include "guest.h"

static const char *const words[] = { "Hello from ", "the upper ", "half.\n" };

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		serial_puts(words[i]);
	return (unsigned long)main < 0xffffffff80000000;
}
