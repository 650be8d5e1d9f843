// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots: memory in a sealed memfd, and copies of the vCPUs' pages */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <svmrun.h>

#include "call.h"
#include "snapshot.h"
#include "vcpu.h"

/* Larger than any possible size; the sum of two does not overflow. */
#define SIZE_LIMIT (1ul << 62)

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static bool memories_overlap(const struct svmrun_memory *a,
			     const struct svmrun_memory *b)
{
	return a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static int check_memory(const struct svmrun_memory *memory)
{
	if (!memory->size || memory->size % PAGE_SIZE ||
	    memory->gpa % PAGE_SIZE)
		return -EINVAL;
	return memory->size > SIZE_LIMIT || memory->gpa > SIZE_LIMIT ?
		       -EOVERFLOW :
		       0;
}

/* Check the memories, and compute the size of the memfd. */
static int check_memories(struct svmrun_snapshot *snapshot,
			  const struct svmrun_memory *memories)
{
	size_t i, j;
	int ret;

	if (!snapshot->memory_count || !snapshot->vcpu_count)
		return -EINVAL;
	for (i = 0; i < snapshot->memory_count; i++) {
		ret = check_memory(&memories[i]);
		if (ret)
			return ret;
		for (j = 0; j < i; j++)
			if (memories_overlap(&memories[i], &memories[j]))
				return -EEXIST;
		snapshot->size += snapshot_extent(&memories[i]);
		if (snapshot->size > SIZE_LIMIT)
			return -EOVERFLOW;
	}
	return 0;
}

static int allocate_snapshot(struct svmrun_snapshot *snapshot)
{
	snapshot->memories = calloc(snapshot->memory_count,
				    sizeof(*snapshot->memories));
	snapshot->vcpus = calloc(snapshot->vcpu_count,
				 sizeof(*snapshot->vcpus));
	return snapshot->memories && snapshot->vcpus ? 0 : -ENOMEM;
}

/* ---- vCPUs --------------------------------------------------------------- */

/* Clear the clean bits, because clones have not run with these values. */
static int save_vcpu(struct svmrun_vcpu *kept, const struct svmrun_vcpu *vcpu)
{
	uint8_t *pages = aligned_alloc(PAGE_SIZE, vcpu->size);

	if (!pages)
		return -ENOMEM;
	memcpy(pages, vcpu->vmcb, vcpu->size);
	*kept = (struct svmrun_vcpu){
		.fd = -1,
		.size = vcpu->size,
		.xsave_size = vcpu->xsave_size,
	};
	vcpu_set_pages(kept, pages);
	kept->vmcb->control.clean = 0;
	return 0;
}

static int save_vcpus(struct svmrun_snapshot *snapshot,
		      const struct svmrun_vcpu *vcpus)
{
	size_t i;
	int ret;

	for (i = 0; i < snapshot->vcpu_count; i++) {
		ret = save_vcpu(&snapshot->vcpus[i], &vcpus[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- memory -------------------------------------------------------------- */

/* The first byte is 0, and each byte equals the next one. */
static bool is_zero_page(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

static int write_page(int fd, const uint8_t *page, size_t number)
{
	ssize_t written = pwrite(fd, page, PAGE_SIZE, number * PAGE_SIZE);

	if (written < 0)
		return -errno;
	return written == PAGE_SIZE ? 0 : -EIO;
}

/* @number: number of its first page in the memfd */
static int save_memory(int fd, const struct svmrun_memory *memory,
		       size_t number)
{
	const uint8_t *page = memory->base, *end = page + memory->size;
	int ret;

	for (; page < end; page += PAGE_SIZE, number++) {
		if (is_zero_page(page))
			continue;
		ret = write_page(fd, page, number);
		if (ret)
			return ret;
	}
	return 0;
}

static int save_memories(struct svmrun_snapshot *snapshot,
			 const struct svmrun_memory *memories)
{
	size_t i, number = 0;
	int ret;

	for (i = 0; i < snapshot->memory_count; i++) {
		ret = save_memory(snapshot->fd, &memories[i], number);
		if (ret)
			return ret;
		number += snapshot_extent(&memories[i]) / PAGE_SIZE;
	}
	return 0;
}

static int create_file(struct svmrun_snapshot *snapshot)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	snapshot->fd = call_result(memfd_create("svmrun-snapshot", flags));
	if (snapshot->fd < 0)
		return snapshot->fd;
	return call_result(ftruncate(snapshot->fd, snapshot->size));
}

/* Map it privately: older kernels refuse shared mappings of a sealed file. */
static int map_snapshot_view(struct svmrun_snapshot *snapshot,
			     const struct svmrun_memory *memories)
{
	void *view = mmap(NULL, snapshot->size, PROT_READ, MAP_PRIVATE,
			  snapshot->fd, 0);

	if (view == MAP_FAILED)
		return -errno;
	memcpy(snapshot->memories, memories,
	       snapshot->memory_count * sizeof(*memories));
	snapshot_set_views(snapshot, snapshot->memories, view);
	return 0;
}

static int save_file(struct svmrun_snapshot *snapshot,
		     const struct svmrun_memory *memories)
{
	int ret = create_file(snapshot);

	if (!ret)
		ret = save_memories(snapshot, memories);
	if (!ret)
		ret = call_result(fcntl(snapshot->fd, F_ADD_SEALS, SEALS));
	return ret ? ret : map_snapshot_view(snapshot, memories);
}

int svmrun_snapshot_take(struct svmrun_snapshot *snapshot,
			 const struct svmrun_memory *memories,
			 size_t memory_count, const struct svmrun_vcpu *vcpus,
			 size_t vcpu_count)
{
	int ret;

	*snapshot = (struct svmrun_snapshot){
		.fd = -1,
		.memory_count = memory_count,
		.vcpu_count = vcpu_count,
	};
	ret = check_memories(snapshot, memories);
	if (!ret)
		ret = allocate_snapshot(snapshot);
	if (!ret)
		ret = save_vcpus(snapshot, vcpus);
	if (!ret)
		ret = save_file(snapshot, memories);
	if (ret)
		svmrun_snapshot_destroy(snapshot);
	return ret;
}

/* Also called for incomplete snapshots, in which members are NULL or -1. */
void svmrun_snapshot_destroy(struct svmrun_snapshot *snapshot)
{
	size_t i;

	if (snapshot->memories && snapshot->memories[0].base)
		munmap(snapshot->memories[0].base, snapshot->size);
	if (snapshot->memory_count && snapshot->fd >= 0)
		close(snapshot->fd);
	for (i = 0; snapshot->vcpus && i < snapshot->vcpu_count; i++)
		free(snapshot->vcpus[i].vmcb);
	free(snapshot->memories);
	free(snapshot->vcpus);
	*snapshot = (struct svmrun_snapshot){ .fd = -1 };
}
