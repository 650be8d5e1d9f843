// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "area.h"
#include "common/number.h"
#include "lib/x86.h"

static size_t whole_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) & -PAGE_SIZE;
}

static int attach_shared(struct area *area, const char *id)
{
	struct shmid_ds state;
	uint64_t number;
	void *base;

	if (!number_address(id, &number) || number > INT_MAX)
		return -EINVAL;
	if (shmctl((int)number, IPC_STAT, &state))
		return -errno;
	base = shmat((int)number, NULL, 0);
	if (base == (void *)-1)
		return -errno;
	area->memory.base = base;
	area->memory.size = whole_pages(state.shm_segsz);
	area->is_shared = true;
	return 0;
}

static int allocate_area(struct area *area, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	area->memory.base = base;
	area->memory.size = size;
	return 0;
}

int area_open(struct area *area, uint64_t gpa, size_t size,
	      const char *variable)
{
	const char *id = variable ? getenv(variable) : NULL;

	*area = (struct area){ .memory.gpa = gpa };
	return id ? attach_shared(area, id) :
		    allocate_area(area, whole_pages(size));
}

void area_close(struct area *area)
{
	if (area->is_shared)
		shmdt(area->memory.base);
	else if (area->memory.base)
		munmap(area->memory.base, area->memory.size);
	*area = (struct area){ 0 };
}

int area_map(const struct area *area, struct svmrun_vm *vm, bool writable)
{
	const struct svmrun_memory *memory = &area->memory;

	return svmrun_vm_map(vm, memory->gpa, memory->base, memory->size,
			     writable ? SVMRUN_MAP_READ | SVMRUN_MAP_WRITE :
					SVMRUN_MAP_READ);
}

/* ---- the input ----------------------------------------------------------- */

struct test_case *area_input(const struct area *area)
{
	return area->memory.base;
}

size_t area_input_room(const struct area *area)
{
	return area->memory.size - sizeof(struct test_case);
}

size_t area_input_length(const struct area *area)
{
	size_t length = area_input(area)->length;

	return length < area_input_room(area) ? length : area_input_room(area);
}

void area_clear_rest(struct area *area)
{
	size_t length = area_input_length(area);

	if (length < area->used)
		memset(area_input(area)->bytes + length, 0,
		       area->used - length);
	area->used = length;
}

static ssize_t read_input(int fd, uint8_t *bytes, size_t room)
{
	size_t length = 0;
	ssize_t got;

	do {
		got = read(fd, bytes + length, room - length);
		if (got > 0)
			length += got;
		else if (got < 0 && errno != EINTR)
			return -errno;
	} while (got && length < room);
	return length;
}

int area_read_input(struct area *area, const char *file)
{
	struct test_case *input = area_input(area);
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read_input(fd, input->bytes, area_input_room(area));
	if (file)
		close(fd);
	if (length < 0)
		return length;
	input->length = length;
	return 0;
}
