// SPDX-License-Identifier: LGPL-2.1-or-later
#include "crc32.h"

#define POLYNOMIAL 0xedb88320u /* with the lowest power in the highest bit */

static uint32_t crc_of_nibble(uint32_t crc)
{
	int i;

	for (i = 0; i < 4; i++)
		crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	return crc;
}

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes, *end = byte + size;
	uint32_t table[16];
	uint32_t i;

	for (i = 0; i < 16; i++)
		table[i] = crc_of_nibble(i);
	crc = ~crc;
	for (; byte < end; byte++) {
		crc ^= *byte;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}
