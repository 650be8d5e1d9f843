// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <svmrun/e820.h>

#include "common/message.h"
#include "common/status.h"
#include "memory.h"

static int add_memory(struct guest *guest, uint64_t gpa, uint64_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot allocate %llu bytes of guest memory: %s; use a smaller --mem",
				    (__u64)size, strerror(errno));
	guest->memories[guest->memory_count++] = (struct svmrun_memory){
		.base = base, .gpa = gpa, .size = size
	};
	return 0;
}

int guest_allocate_memory(struct guest *guest, uint64_t size)
{
	int ret;

	if (size <= SVMRUN_E820_HOLE)
		return add_memory(guest, 0, size);
	ret = add_memory(guest, 0, SVMRUN_E820_HOLE);
	return ret ? ret :
		     add_memory(guest, SVMRUN_E820_ABOVE,
				size - SVMRUN_E820_HOLE);
}

int guest_add_rom(struct guest *guest, uint64_t gpa, uint64_t size)
{
	guest->rom_count++;
	return add_memory(guest, gpa, size);
}

void guest_free_memory(struct guest *guest)
{
	while (guest->memory_count)
		svmrun_memory_destroy(&guest->memories[--guest->memory_count]);
}
