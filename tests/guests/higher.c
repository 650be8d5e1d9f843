// SPDX-License-Identifier: GPL-2.0
/*
 * Runs at the virtual addresses that it is linked to, in the upper half of the address
 * space, with pointers to data there.
 */
#include "guest.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const words[] = { "Hello from ", "the upper ", "half.\n" };

int main(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		serial_puts(words[i]);
	return (unsigned long)main < 0xffffffff80000000;
}
