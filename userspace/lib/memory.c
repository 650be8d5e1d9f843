// SPDX-License-Identifier: LGPL-2.1-or-later
/* Guest memory that the library allocates, and addresses in guest memory */
#include <errno.h>
#include <sys/mman.h>

#include <svmrun.h>

#include "memories.h"

#define ALL_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

int svmrun_memory_create(struct svmrun_memory *memory, struct svmrun_vm *vm,
			 uint64_t gpa, size_t size)
{
	void *base;
	int ret;

	*memory = (struct svmrun_memory){ 0 };
	base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	ret = svmrun_vm_map(vm, gpa, base, size, ALL_RIGHTS);
	if (ret < 0) {
		munmap(base, size);
		return ret;
	}
	*memory = (struct svmrun_memory){
		.base = base,
		.gpa = gpa,
		.size = size,
	};
	return 0;
}

void svmrun_memory_destroy(struct svmrun_memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->size);
	*memory = (struct svmrun_memory){ 0 };
}

void *svmrun_memory_at(const struct svmrun_memory *memory, uint64_t gpa,
		       size_t length)
{
	return memories_at(memory, 1, gpa, length);
}
