// SPDX-License-Identifier: GPL-2.0
/* For the host: print what the sse2 guest must print. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "solve.h"

static void report(const char *name, const double *value)
{
	uint64_t bits;

	memcpy(&bits, value, sizeof(bits));
	printf("%s %016" PRIx64 "\n", name, bits);
}

int main(void)
{
	solve(report);
	return fflush(stdout) ? 1 : 0;
}
