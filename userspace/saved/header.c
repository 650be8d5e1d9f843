// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crc32.h"
#include "header.h"
#include "lib/x86.h"

/* Bytes; a machine with 64 processors has less than 1 MiB */
#define RECORDS_MAX (64ull << 20)

uint32_t saved_header_crc(const struct saved_header *header,
			  const void *records)
{
	struct saved_header copy = *header;

	copy.crc = 0;
	return crc32_add(crc32_add(0, &copy, sizeof(copy)), records,
			 header->records_size);
}

static bool ranges_are_valid(const struct saved_header *header)
{
	return header->records >= sizeof(*header) &&
	       header->records_size <= RECORDS_MAX &&
	       header->memory % PAGE_SIZE == 0 &&
	       header->memory <= header->end &&
	       header->records <= header->memory &&
	       header->records_size <= header->memory - header->records;
}

/* The file is larger than it has to be if its program was killed while it wrote to it. */
static int check_header(const struct saved_header *header, uint64_t size)
{
	if (header->version != SVMRUN_SAVED_VERSION)
		return -EOPNOTSUPP;
	if (header->end > size)
		return -ENXIO;
	return ranges_are_valid(header) ? 0 : -EINVAL;
}

int saved_header_read(struct saved_header *header, int fd)
{
	struct saved_header none = { 0 };
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t got;

	*header = none;
	if (size < 0)
		return -errno;
	got = pread(fd, header, sizeof(*header), 0);
	if (got < 0)
		return -errno;
	if (!got || !memcmp(header, &none, sizeof(none)))
		return -ENODATA;
	if (got < (ssize_t)sizeof(header->magic) ||
	    memcmp(header->magic, SAVED_MAGIC, sizeof(header->magic)))
		return -ENOEXEC;
	if (got < (ssize_t)sizeof(*header))
		return -EINVAL;
	return check_header(header, size);
}
