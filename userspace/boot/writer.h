/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes tables for a guest, whose numbers are little-endian, to a buffer of any size. */
#ifndef WRITER_H
#define WRITER_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct writer - position in the tables
 * @buffer: they are written to it
 * @size: its size in bytes
 * @at: offset of the next byte; it exceeds @size if the buffer is too small
 * @gpa: guest physical address of the buffer
 */
struct writer {
	uint8_t *buffer;
	size_t size;
	size_t at;
	uint64_t gpa;
};

/* Write a number of @size bytes. */
void writer_put(struct writer *writer, uint64_t value, unsigned int size);

void writer_put_bytes(struct writer *writer, const void *bytes, size_t size);
void writer_put_zeros(struct writer *writer, unsigned int size);

/* Write zeros up to an address that is a multiple of @to, a power of 2. */
void writer_align(struct writer *writer, unsigned int to);

/* Return the guest physical address of the next byte. */
uint64_t writer_address(const struct writer *writer);

/* Overwrite a number at an offset. Nothing is written outside the buffer. */
void writer_patch(struct writer *writer, size_t at, uint64_t value,
		  unsigned int size);

/* Overwrite the byte at @checksum, 0 until then, so that @size bytes add up to 0. */
void writer_put_checksum(struct writer *writer, size_t start, size_t size,
			 size_t checksum);

#endif /* WRITER_H */
