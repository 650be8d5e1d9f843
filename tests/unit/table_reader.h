/* SPDX-License-Identifier: GPL-2.0 */
/* Reads numbers and checksums of firmware's tables. */
#ifndef TABLE_READER_H
#define TABLE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t get(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	return value;
}

static inline uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

#endif /* TABLE_READER_H */
