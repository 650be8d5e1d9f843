// SPDX-License-Identifier: LGPL-2.1-or-later
/* Memory of a machine */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "call.h"
#include "lib/x86.h"
#include "machine.h"
#include "memory.h"

static bool is_range(uint64_t address, size_t size)
{
	return size && !((address | size) % PAGE_SIZE) &&
	       address + size - 1 >= address;
}

/* Return whether two ranges have an address in common. */
static bool overlaps(uint64_t a, size_t a_size, uint64_t b, size_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

/* Copy the regions that are writable, or those that are not. */
static size_t copy_regions(struct svmrun_memory *to,
			   const struct memory *memory, bool writable)
{
	size_t i, count = 0;

	for (i = 0; i < memory->region_count; i++)
		if (!(memory->regions[i].prot & PROT_WRITE) == !writable)
			to[count++] = memory->regions[i].memory;
	return count;
}

static struct view *create_view(const struct memory *memory)
{
	size_t count = memory->region_count;
	struct view *view;

	view = malloc(sizeof(*view) + count * sizeof(view->memories[0]));
	if (!view)
		return NULL;
	view->references = 1;
	view->count = count;
	count = copy_regions(view->memories, memory, true);
	view->rom_count = copy_regions(view->memories + count, memory, false);
	return view;
}

/* Called with the lock held, unless nobody else uses the memory. */
static void put_view(struct view *view)
{
	if (view && !--view->references)
		free(view);
}

int memory_init(struct memory *memory)
{
	*memory = (struct memory){ 0 };
	memory->view = create_view(memory);
	if (!memory->view)
		return -ENOMEM;
	pthread_mutex_init(&memory->lock, NULL);
	return 0;
}

void memory_destroy(struct memory *memory)
{
	put_view(memory->view);
	free(memory->regions);
	free(memory->ranges);
	pthread_mutex_destroy(&memory->lock);
}

struct view *memory_view_get(struct memory *memory)
{
	struct view *view;

	pthread_mutex_lock(&memory->lock);
	view = memory->view;
	view->references++;
	pthread_mutex_unlock(&memory->lock);
	return view;
}

void memory_view_put(struct memory *memory, struct view *view)
{
	pthread_mutex_lock(&memory->lock);
	put_view(view);
	pthread_mutex_unlock(&memory->lock);
}

/*
 * Replace the regions, which the caller has allocated, and the view. If that fails,
 * everything is unchanged.
 */
static int set_regions(struct memory *memory, struct region *regions,
		       size_t count)
{
	struct memory new = { .regions = regions, .region_count = count };
	struct view *view = create_view(&new);

	if (!view)
		return -ENOMEM;
	free(memory->regions);
	put_view(memory->view);
	memory->regions = regions;
	memory->region_count = count;
	memory->view = view;
	return 0;
}

static int add_region(struct memory *memory, const struct region *region)
{
	size_t count = memory->region_count;
	struct region *regions = malloc((count + 1) * sizeof(*regions));
	int ret;

	if (!regions)
		return -ENOMEM;
	if (count)
		memcpy(regions, memory->regions, count * sizeof(*regions));
	regions[count] = *region;
	ret = set_regions(memory, regions, count + 1);
	if (ret)
		free(regions);
	return ret;
}

/* Append the part of a region from @from to @to, if there is such a part. */
static size_t add_part(struct region *regions, size_t count,
		       const struct region *region, uint64_t from, uint64_t to)
{
	if (from >= to)
		return count;
	regions[count] = *region;
	regions[count].memory.base = (char *)region->memory.base +
				     (from - region->memory.gpa);
	regions[count].memory.gpa = from;
	regions[count].memory.size = to - from;
	return count + 1;
}

/* A region that is partly in the range keeps up to two parts. */
static int remove_regions(struct memory *memory, uint64_t gpa, size_t size)
{
	struct region *regions;
	size_t i, count = 0;
	int ret;

	regions = malloc((memory->region_count + 1) * sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	for (i = 0; i < memory->region_count; i++) {
		const struct region *region = &memory->regions[i];
		uint64_t begin = region->memory.gpa;
		uint64_t end = begin + region->memory.size;

		count = add_part(regions, count, region, begin,
				 end < gpa ? end : gpa);
		count = add_part(regions, count, region,
				 begin > gpa + size ? begin : gpa + size, end);
	}
	ret = set_regions(memory, regions, count);
	if (ret)
		free(regions);
	return ret;
}

static bool can_map(const struct memory *memory, uintptr_t hva, size_t size)
{
	size_t i, offset;

	for (i = 0; i < memory->range_count; i++) {
		offset = hva - (uintptr_t)memory->ranges[i].base;
		if (offset < memory->ranges[i].size &&
		    size <= memory->ranges[i].size - offset)
			return true;
	}
	return false;
}

static uint32_t map_flags(int prot)
{
	return (prot & PROT_READ ? SVMRUN_MAP_READ : 0) |
	       (prot & PROT_WRITE ? SVMRUN_MAP_WRITE : 0) |
	       (prot & PROT_EXEC ? SVMRUN_MAP_EXEC : 0);
}

/* Called with the lock held. */
static int map_region(struct nvmm_machine_private *machine,
		      const struct region *region)
{
	const struct svmrun_memory *memory = &region->memory;
	int ret;

	if (!can_map(&machine->memory, (uintptr_t)memory->base, memory->size))
		return -EINVAL;
	ret = svmrun_vm_map(&machine->vm, memory->gpa, memory->base,
			    memory->size, map_flags(region->prot));
	if (ret)
		return ret;
	ret = add_region(&machine->memory, region);
	if (ret)
		svmrun_vm_unmap(&machine->vm, memory->gpa, memory->size);
	return ret;
}

int nvmm_gpa_map(struct nvmm_machine *mach, uintptr_t hva, gpaddr_t gpa,
		 size_t size, int prot)
{
	struct nvmm_machine_private *machine = mach->private_data;
	const struct region region = {
		.memory = { (void *)hva, gpa, size },
		.prot = prot,
	};
	int ret;

	if (!is_range(hva, size) || !is_range(gpa, size) ||
	    !(prot & PROT_READ) ||
	    (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return call_return(-EINVAL);
	pthread_mutex_lock(&machine->memory.lock);
	ret = map_region(machine, &region);
	pthread_mutex_unlock(&machine->memory.lock);
	return call_return(ret);
}

int nvmm_gpa_unmap(struct nvmm_machine *mach, uintptr_t hva, gpaddr_t gpa,
		   size_t size)
{
	struct nvmm_machine_private *machine = mach->private_data;
	int ret;

	if (!is_range(gpa, size))
		return call_return(-EINVAL);
	pthread_mutex_lock(&machine->memory.lock);
	ret = svmrun_vm_unmap(&machine->vm, gpa, size);
	if (!ret)
		ret = remove_regions(&machine->memory, gpa, size);
	pthread_mutex_unlock(&machine->memory.lock);
	return call_return(ret);
}

static int add_range(struct memory *memory, uintptr_t hva, size_t size)
{
	struct svmrun_memory *ranges;
	size_t i, count = memory->range_count;

	for (i = 0; i < count; i++)
		if (overlaps(hva, size, (uintptr_t)memory->ranges[i].base,
			     memory->ranges[i].size))
			return -EEXIST;
	ranges = realloc(memory->ranges, (count + 1) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ranges[count] = (struct svmrun_memory){ (void *)hva, 0, size };
	memory->ranges = ranges;
	memory->range_count++;
	return 0;
}

int nvmm_hva_map(struct nvmm_machine *mach, uintptr_t hva, size_t size)
{
	struct memory *memory = &mach->private_data->memory;
	int ret;

	if (!is_range(hva, size))
		return call_return(-EINVAL);
	pthread_mutex_lock(&memory->lock);
	ret = add_range(memory, hva, size);
	pthread_mutex_unlock(&memory->lock);
	return call_return(ret);
}

static int remove_range(struct memory *memory, uintptr_t hva, size_t size)
{
	size_t i;

	for (i = 0; i < memory->range_count; i++) {
		if ((uintptr_t)memory->ranges[i].base != hva ||
		    memory->ranges[i].size != size)
			continue;
		memory->ranges[i] = memory->ranges[--memory->range_count];
		return 0;
	}
	return -ENOENT;
}

int nvmm_hva_unmap(struct nvmm_machine *mach, uintptr_t hva, size_t size)
{
	struct memory *memory = &mach->private_data->memory;
	int ret;

	pthread_mutex_lock(&memory->lock);
	ret = remove_range(memory, hva, size);
	pthread_mutex_unlock(&memory->lock);
	return call_return(ret);
}

static nvmm_prot_t region_prot(const struct region *region)
{
	return NVMM_PROT_USER |
	       (region->prot & PROT_READ ? NVMM_PROT_READ : 0) |
	       (region->prot & PROT_WRITE ? NVMM_PROT_WRITE : 0) |
	       (region->prot & PROT_EXEC ? NVMM_PROT_EXEC : 0);
}

static int find_hva(const struct memory *memory, gpaddr_t gpa, uintptr_t *hva,
		    nvmm_prot_t *prot)
{
	const struct region *region;
	void *at;
	size_t i;

	for (i = 0; i < memory->region_count; i++) {
		region = &memory->regions[i];
		at = svmrun_memory_at(&region->memory, gpa, PAGE_SIZE);
		if (!at)
			continue;
		*hva = (uintptr_t)at;
		*prot = region_prot(region);
		return 0;
	}
	return -ENOENT;
}

int nvmm_gpa_to_hva(struct nvmm_machine *mach, gpaddr_t gpa, uintptr_t *hva,
		    nvmm_prot_t *prot)
{
	struct memory *memory = &mach->private_data->memory;
	int ret;

	if (gpa % PAGE_SIZE)
		return call_return(-EINVAL);
	pthread_mutex_lock(&memory->lock);
	ret = find_hva(memory, gpa, hva, prot);
	pthread_mutex_unlock(&memory->lock);
	return call_return(ret);
}
