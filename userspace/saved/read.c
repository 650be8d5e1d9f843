// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading a file with a saved machine */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "header.h"

static int read_records(const struct saved_header *header, int fd,
			void *records)
{
	ssize_t got = pread(fd, records, header->records_size, header->records);

	if (got < 0)
		return -errno;
	if ((size_t)got != header->records_size ||
	    saved_header_crc(header, records) != header->crc)
		return -EBADMSG;
	return 0;
}

int svmrun_saved_open(struct svmrun_saved *saved, int fd)
{
	struct saved_header header;
	void *records;
	int ret = saved_header_read(&header, fd);

	*saved = (struct svmrun_saved){
		.fd = fd,
		.version = header.version,
		.memory = header.memory,
		.memory_size = header.end - header.memory,
	};
	if (ret)
		return ret;
	records = malloc(header.records_size + 1);
	if (!records)
		return -ENOMEM;
	ret = read_records(&header, fd, records);
	if (ret)
		free(records);
	else
		svmrun_state_init(&saved->state, records, header.records_size);
	return ret;
}

void svmrun_saved_close(struct svmrun_saved *saved)
{
	free(saved->state.bytes);
	saved->state.bytes = NULL;
}

static uint64_t sum_sizes(const struct svmrun_memory *memories, size_t count)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < count; i++)
		size += memories[i].size;
	return size;
}

static void unmap_memories(struct svmrun_memory *memories, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		munmap(memories[i].base, memories[i].size);
		memories[i].base = NULL;
	}
}

int svmrun_saved_map(const struct svmrun_saved *saved,
		     struct svmrun_memory *memories, size_t count)
{
	uint64_t offset = saved->memory;
	size_t i;
	int ret;

	if (sum_sizes(memories, count) != saved->memory_size)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		memories[i].base = mmap(NULL, memories[i].size,
					PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_NORESERVE, saved->fd,
					offset);
		if (memories[i].base == MAP_FAILED) {
			ret = -errno;
			memories[i].base = NULL;
			unmap_memories(memories, i);
			return ret;
		}
		offset += memories[i].size;
	}
	return 0;
}
