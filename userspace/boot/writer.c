// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer.h"

void writer_put(struct writer *writer, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++) {
		if (writer->at < writer->size)
			writer->buffer[writer->at] = value >> 8 * i;
		writer->at++;
	}
}

void writer_put_bytes(struct writer *writer, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	while (size--)
		writer_put(writer, *byte++, 1);
}

void writer_put_zeros(struct writer *writer, unsigned int size)
{
	while (size--)
		writer_put(writer, 0, 1);
}

void writer_align(struct writer *writer, unsigned int to)
{
	writer_put_zeros(writer, -writer_address(writer) & (to - 1));
}

uint64_t writer_address(const struct writer *writer)
{
	return writer->gpa + writer->at;
}

void writer_patch(struct writer *writer, size_t at, uint64_t value,
		  unsigned int size)
{
	struct writer back = *writer;

	back.at = at;
	writer_put(&back, value, size);
}

void writer_put_checksum(struct writer *writer, size_t start, size_t size,
			 size_t checksum)
{
	uint8_t total = 0;

	if (start + size > writer->size)
		return;
	for (size_t i = 0; i < size; i++)
		total += writer->buffer[start + i];
	writer_patch(writer, checksum, -total, 1);
}
