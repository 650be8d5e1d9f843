// SPDX-License-Identifier: GPL-2.0
/* For the host: print the bytes that the sha256 guest digests. */
#include <stdio.h>

#include "pattern.h"

int main(void)
{
	static uint64_t words[PATTERN_SIZE / sizeof(uint64_t)];

	pattern_fill(words);
	if (fwrite(words, PATTERN_SIZE, 1, stdout) != 1 || fflush(stdout)) {
		perror("pattern: cannot write to standard output");
		return 1;
	}
	return 0;
}
