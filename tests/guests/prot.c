// SPDX-License-Identifier: GPL-2.0
/* A guest in 32-bit protected mode, with the descriptor table of start32.S */
#include "guest.h"

#define WINDOW ((volatile uint32_t *)0x180000)
#define WINDOW_SELECTOR 0x18

enum { FAILED_WINDOW = 1, FAILED_LIMIT, FAILED_CRC, FAILED_MODE };

static uint32_t read_fs(uint32_t offset)
{
	uint32_t value;

	asm volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset));
	return value;
}

static uint32_t segment_limit(uint32_t selector)
{
	uint32_t limit;

	asm("lsl %1, %0" : "=r"(limit) : "r"(selector));
	return limit;
}

static uint32_t read_cr0(void)
{
	uint32_t value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/* CRC-32 of IEEE 802.3, bit by bit */
static uint32_t crc32(const char *text)
{
	uint32_t crc = ~0u;

	while (*text) {
		crc ^= (uint8_t)*text++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

int main(void)
{
	serial_puts("Hello from a guest in protected mode.\n");

	WINDOW[5] = 0x5e9a27ed;
	if (read_fs(5 * sizeof(*WINDOW)) != 0x5e9a27ed)
		return FAILED_WINDOW;
	if (segment_limit(WINDOW_SELECTOR) != 0xfff)
		return FAILED_LIMIT;
	if (crc32("123456789") != 0xcbf43926)
		return FAILED_CRC;
	if ((read_cr0() & 0x80000001) != 1)
		return FAILED_MODE;

	serial_puts("CRC-32 of 123456789: ");
	serial_put_hex(crc32("123456789"), 8);
	serial_puts("\n");
	return 0;
}
