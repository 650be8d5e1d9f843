// SPDX-License-Identifier: GPL-2.0
/* COM1, used by polling */
#include "guest.h"

#define COM1			0x3f8
#define COM1_LINE_STATUS	(COM1 + 5)
#define LINE_STATUS_EMPTY	0x20

void serial_putc(char c)
{
	while (!(in8(COM1_LINE_STATUS) & LINE_STATUS_EMPTY))
		;
	out8(COM1, c);
}

void serial_puts(const char *text)
{
	while (*text)
		serial_putc(*text++);
}

void serial_put_hex(uint64_t value, int digits)
{
	while (digits--)
		serial_putc("0123456789abcdef"[value >> digits * 4 & 15]);
}

void serial_put_decimal(uint32_t value)
{
	if (value >= 10)
		serial_put_decimal(value / 10);
	serial_putc('0' + value % 10);
}
