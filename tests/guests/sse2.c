// SPDX-License-Identifier: GPL-2.0
/* Print the bits of the results of solve(). */
#include "guest.h"
#include "solve.h"

static void report(const char *name, const double *value)
{
	uint64_t bits;

	memcpy(&bits, value, sizeof(bits));
	serial_puts(name);
	serial_putc(' ');
	serial_put_hex(bits, 16);
	serial_putc('\n');
}

int main(void)
{
	solve(report);
	return 0;
}
