/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header of a file with a saved machine */
#ifndef HEADER_H
#define HEADER_H

#include <svmrun/saved.h>

/**
 * struct saved_header - what the file begins with; numbers are little-endian
 * @magic: SAVED_MAGIC
 * @version: SVMRUN_SAVED_VERSION
 * @crc: CRC-32 of the header, with this member set to 0, and the records
 * @records: offset of the records in the file, a multiple of the page size
 * @records_size: bytes of records
 * @memory: offset of memory in the file, a multiple of the page size
 * @end: where memory ends
 * @reserved: 0
 */
struct saved_header {
	char magic[8];
	uint32_t version;
	uint32_t crc;
	uint64_t records;
	uint64_t records_size;
	uint64_t memory;
	uint64_t end;
	uint64_t reserved[2];
};
_Static_assert(sizeof(struct saved_header) == 64, "layout of files");

#define SAVED_MAGIC "svmrun\r\n"

/* Return the header's checksum. */
uint32_t saved_header_crc(const struct saved_header *header,
			  const void *records);

/*
 * Read the header, and check everything except its checksum. Return 0 or a negative errno as
 * svmrun_saved_open().
 */
int saved_header_read(struct saved_header *header, int fd);

/* Write the memory to the file, from an offset on. Return 0 or a negative errno. */
int saved_memory_write(const struct svmrun_saved_source *source,
		       uint64_t offset);

/* Write all bytes, unless that is cancelled. Return 0 or a negative errno. */
int saved_bytes_write(const struct svmrun_saved_source *source,
		      const void *bytes, size_t size, uint64_t offset);

#endif /* HEADER_H */
