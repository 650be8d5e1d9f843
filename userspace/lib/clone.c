// SPDX-License-Identifier: LGPL-2.1-or-later
/* Clones of a snapshot: a copy-on-write view of its memory, and reset by the dirty log */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <svmrun.h>

#include "memories.h"
#include "snapshot.h"
#include "vcpu.h"

#define ALL_PERMISSIONS                                                        \
	(SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC |                \
	 SVMRUN_MAP_LOG_DIRTY)

#define LINE 8ul /* words of a bitmap that are tested at once: a cache line */

/* Number of words in a bitmap with one bit per page of the snapshot: whole lines */
static size_t bitmap_words(const struct svmrun_snapshot *snapshot)
{
	size_t words = snapshot->size / PAGE_SIZE / PAGES_PER_WORD;

	return (words + LINE - 1) & -LINE;
}

/* ---- creation and destruction -------------------------------------------- */

/* Allocate the arrays in one piece, which begins with @touched. */
static int allocate_clone(struct svmrun_clone *clone)
{
	const struct svmrun_snapshot *snapshot = clone->snapshot;
	size_t words = bitmap_words(snapshot);
	size_t bitmaps = 2 * words * sizeof(*clone->touched);
	size_t memories = snapshot->memory_count * sizeof(*clone->memories);
	size_t vcpus = snapshot->vcpu_count * sizeof(*clone->vcpus);

	clone->touched = calloc(1, bitmaps + memories + vcpus);
	if (!clone->touched)
		return -ENOMEM;
	clone->logged = clone->touched + words;
	clone->memories = (void *)(clone->logged + words);
	clone->vcpus = (void *)(clone->memories + snapshot->memory_count);
	return 0;
}

/* Pages are shared with the memfd until they are written. */
static int map_clone_view(struct svmrun_clone *clone)
{
	const struct svmrun_snapshot *snapshot = clone->snapshot;
	void *view = mmap(NULL, snapshot->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_NORESERVE, snapshot->fd, 0);

	if (view == MAP_FAILED)
		return -errno;
	snapshot_set_views(snapshot, clone->memories, view);
	clone->memory_count = snapshot->memory_count;
	return 0;
}

static int map_memories(struct svmrun_clone *clone)
{
	size_t i;
	int ret = map_clone_view(clone);

	for (i = 0; !ret && i < clone->memory_count; i++)
		ret = svmrun_vm_map(&clone->vm, clone->memories[i].gpa,
				    clone->memories[i].base,
				    clone->memories[i].size, ALL_PERMISSIONS);
	return ret;
}

static void restore_vcpu(const struct svmrun_vcpu *vcpu,
			 const struct svmrun_vcpu *kept)
{
	memcpy(vcpu->vmcb, kept->vmcb, kept->size);
}

/*
 * Load the snapshot's pages into a new vCPU. Its MSR permission map is all ones, and allocated
 * when it is first accessed, so skip a map that is all ones.
 */
static void load_vcpu(const struct svmrun_vcpu *vcpu,
		      const struct svmrun_vcpu *kept)
{
	const uint8_t *map = kept->msrpm;
	const size_t before = map - (const uint8_t *)kept->vmcb;

	if (map[0] != 0xff || memcmp(map, map + 1, MSRPM_SIZE - 1)) {
		restore_vcpu(vcpu, kept);
		return;
	}
	memcpy(vcpu->vmcb, kept->vmcb, before);
	memcpy(vcpu->xsave, kept->xsave, kept->size - SVMRUN_VCPU_XSAVE);
}

/*
 * The kernel looks for free addresses from the top: the memory is mapped where the next vCPU
 * would have been, and the addresses below it are free.
 */
static int create_vcpus(struct svmrun_clone *clone)
{
	const struct svmrun_snapshot *snapshot = clone->snapshot;
	int ret;

	vcpu_place_below(&clone->vm, clone->memories[0].base);
	while (clone->vcpu_count < snapshot->vcpu_count) {
		size_t i = clone->vcpu_count;

		ret = svmrun_vcpu_create(&clone->vcpus[i], &clone->vm);
		if (ret)
			return ret;
		clone->vcpu_count++;
		load_vcpu(&clone->vcpus[i], &snapshot->vcpus[i]);
	}
	return 0;
}

int svmrun_clone(struct svmrun_clone *clone,
		 const struct svmrun_snapshot *snapshot, int device)
{
	int ret;

	*clone = (struct svmrun_clone){ .vm.fd = -1, .snapshot = snapshot };
	ret = allocate_clone(clone);
	if (!ret)
		ret = svmrun_vm_create(&clone->vm, device);
	if (!ret)
		ret = map_memories(clone);
	if (!ret)
		ret = create_vcpus(clone);
	if (ret)
		svmrun_clone_destroy(clone);
	return ret;
}

/* Also called by svmrun_clone() after an error, with a clone that is incomplete. */
void svmrun_clone_destroy(struct svmrun_clone *clone)
{
	while (clone->vcpu_count)
		svmrun_vcpu_destroy(&clone->vcpus[--clone->vcpu_count]);
	svmrun_vm_destroy(&clone->vm);
	if (clone->memory_count)
		munmap(clone->memories[0].base, clone->snapshot->size);
	free(clone->touched);
	*clone = (struct svmrun_clone){ .vm.fd = -1 };
}

/* ---- changes and reset --------------------------------------------------- */

/* Number of a page in the clone's view of the memfd */
static size_t clone_page_number(const struct svmrun_clone *clone,
				const void *at)
{
	return ((uintptr_t)at - (uintptr_t)clone->memories[0].base) / PAGE_SIZE;
}

static void mark_touched(struct svmrun_clone *clone, const void *at,
			 size_t length)
{
	size_t number = clone_page_number(clone, at);
	size_t last = clone_page_number(clone, (const char *)at + length - 1);

	for (; number <= last; number++)
		clone->touched[number / PAGES_PER_WORD] |=
			1ull << number % PAGES_PER_WORD;
}

void *svmrun_clone_touch(struct svmrun_clone *clone, uint64_t gpa,
			 size_t length)
{
	void *at = memories_at(clone->memories, clone->memory_count, gpa,
			       length);

	if (at && length)
		mark_touched(clone, at, length);
	return at;
}

/* Fetch and clear the dirty log, which also flushes the translations of the vCPUs. */
static int fetch_dirty_log(struct svmrun_clone *clone)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < clone->memory_count; i++) {
		const struct svmrun_memory *memory = &clone->memories[i];
		size_t word = clone_page_number(clone, memory->base) /
			      PAGES_PER_WORD;

		ret = svmrun_vm_dirty(&clone->vm, memory->gpa, memory->size,
				      clone->logged + word, SVMRUN_DIRTY_CLEAR);
	}
	return ret;
}

/* Keep what was cleared from the kernel's log before the error. */
static void keep_dirty_log(struct svmrun_clone *clone)
{
	size_t words = bitmap_words(clone->snapshot), i;

	for (i = 0; i < words; i++)
		clone->touched[i] |= clone->logged[i];
}

/*
 * Copy the snapshot's pages over the clone's private ones. Discarding these with
 * MADV_DONTNEED would remove them from Linux's page tables and from the nested one, and the
 * next run would fault on the snapshot's pages and copy them: run and reset would then take
 * several times as many instructions per page.
 */
static void copy_pages(struct svmrun_clone *clone, size_t number, size_t count)
{
	uint8_t *to = clone->memories[0].base;
	const uint8_t *from = clone->snapshot->memories[0].base;

	memcpy(to + number * PAGE_SIZE, from + number * PAGE_SIZE,
	       count * PAGE_SIZE);
}

/*
 * Restore the pages of a word of the bitmap. Those that adjoin are copied at once: adding
 * the lowest bit to the word carries through the ones above it.
 */
static void restore_word(struct svmrun_clone *clone, size_t word)
{
	uint64_t bits = clone->touched[word] | clone->logged[word], rest;

	clone->touched[word] = 0;
	for (; bits; bits = rest) {
		rest = bits & (bits + (bits & -bits));
		copy_pages(clone, word * PAGES_PER_WORD + __builtin_ctzll(bits),
			   __builtin_popcountll(bits ^ rest));
	}
}

/* Mostly no page of a line has been written to. */
static bool is_line_zero(const uint64_t *w)
{
	return !(w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]);
}

static void restore_pages(struct svmrun_clone *clone)
{
	size_t words = bitmap_words(clone->snapshot), i, word;

	for (i = 0; i < words; i += LINE) {
		if (is_line_zero(&clone->touched[i]) &&
		    is_line_zero(&clone->logged[i]))
			continue;
		for (word = i; word < i + LINE; word++)
			restore_word(clone, word);
	}
}

int svmrun_reset(struct svmrun_clone *clone)
{
	size_t i;
	int ret;

	ret = fetch_dirty_log(clone);
	if (ret) {
		keep_dirty_log(clone);
		return ret;
	}
	restore_pages(clone);
	for (i = 0; i < clone->vcpu_count; i++)
		restore_vcpu(&clone->vcpus[i], &clone->snapshot->vcpus[i]);
	return 0;
}
