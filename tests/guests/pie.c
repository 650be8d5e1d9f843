// SPDX-License-Identifier: GPL-2.0
/*
 * A position-independent executable: the pointers in its data are right only if the loader
 * has relocated them.
 */
#include "guest.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const words[] = { "Hello from ", "anywhere.\n" };

int main(void)
{
	const char *const *volatile word = words;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		serial_puts(word[i]);
	return 0;
}
