// SPDX-License-Identifier: GPL-2.0
/*
 * Handle nested page faults on mapped guest memory: find the page in the program's memory,
 * and map it in the largest size that Linux maps it in.
 */
#include "fault.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/svm_vmcb.h>

#include "backing.h"
#include "memory.h"
#include "npt.h"
#include "processor.h"
#include "region.h"

/* Permissions, besides read, that an access needs (APM 15.25.6) */
static unsigned int access_rights(u64 error_code)
{
	unsigned int rights = 0;

	if (error_code & SVM_NPF_WRITE)
		rights |= NPT_WRITE;
	if (error_code & SVM_NPF_FETCH)
		rights |= NPT_EXEC;
	return rights;
}

static struct region *find_allowed(const struct memory *memory, u64 gpa,
				   unsigned int access)
{
	struct region *region = region_find(&memory->regions, gpa);

	return region && !(access & ~region->rights) ? region : NULL;
}

/*
 * Return whether one large page can be mapped from @gpa to @end. Near a logged page only
 * 4 KiB pages are mapped; otherwise the guest would alternate between the two sizes.
 */
static bool large_page_fits(const struct region *region, u64 gpa, u64 end)
{
	return gpa >= region->gpa && end <= region->end &&
	       !(region_hva(region, gpa) & (end - gpa - 1)) &&
	       (!region->log || region_next_dirty(region, gpa, end) == end);
}

/* Return the level of the largest page that Linux maps there and that fits the region. */
static unsigned int page_level(const struct region *region, u64 gpa,
			       unsigned int order)
{
	unsigned int level = processor_npt_page_levels();

	for (; level > 1; level--) {
		u64 span = npt_span(level), start = gpa & -span;

		if (PAGE_SIZE << order >= span &&
		    large_page_fits(region, start, start + span))
			break;
	}
	return level;
}

/* Return whether the access must be logged. Then a 4 KiB page is mapped. */
static bool access_is_logged(const struct region *region, unsigned int access)
{
	return region->log && (access & NPT_WRITE);
}

/* Mark the page dirty: guest writes do not set the dirty bit in the program's page table. */
static int map_page(struct memory *memory, struct npt_cache *cache, u64 gpa,
		    struct page *page, unsigned int level, unsigned int rights)
{
	u64 pa = (u64)page_to_pfn(page) << PAGE_SHIFT;
	int err;

	err = npt_map(&memory->npt, cache, gpa, pa & -npt_span(level), level,
		      rights);
	if (!err && (rights & NPT_WRITE))
		SetPageDirty(page);
	return err;
}

/*
 * Map pages that the guest has not accessed yet. Clean pages of a file are mapped
 * read-only, so that they are not written back for nothing.
 */
static u64 map_ahead(struct memory *memory, const struct region *region,
		     struct npt_cache *cache, u64 gpa, unsigned int rights,
		     const struct backing_pages *pages)
{
	unsigned int i;

	for (i = 1; i < pages->count; i++) {
		struct page *page = pages->page[i];
		struct folio *folio = page_folio(page);
		unsigned int own = rights;

		gpa += PAGE_SIZE;
		if (!folio_test_swapbacked(folio) && !folio_test_dirty(folio))
			own &= ~NPT_WRITE;
		if (gpa >= region->end ||
		    map_page(memory, cache, gpa, page, 1, own))
			return gpa;
	}
	return gpa + PAGE_SIZE;
}

static int map_pages(struct memory *memory, struct region *region,
		     struct fault_state *state, u64 gpa, unsigned int access,
		     const struct backing_pages *pages, unsigned int *level)
{
	unsigned int rights = region->rights;
	int err;

	*level = 1;
	if (!access_is_logged(region, access))
		*level = page_level(region, gpa, pages->order);
	if (!pages->writable || (region->log && *level > 1))
		rights &= ~NPT_WRITE;
	err = map_page(memory, &state->cache, gpa, pages->page[0], *level,
		       rights);
	if (err)
		return err;
	if (access_is_logged(region, access))
		region_mark_dirty(region, gpa);
	state->next = FAULT_NEXT_NONE;
	if (*level == 1)
		state->next = map_ahead(memory, region, &state->cache, gpa,
					rights, pages);
	return 0;
}

/* Map the pages that were found, unless they have been invalidated since. */
static int map_found_pages(struct memory *memory, struct backing *backing,
			   struct fault_state *state, u64 gpa,
			   unsigned int access,
			   const struct backing_pages *pages)
{
	struct region *region;
	unsigned int level;
	int err = -EBUSY;

	spin_lock(&memory->lock);
	region = find_allowed(memory, gpa, access);
	if (region && region_hva(region, gpa) == pages->hva &&
	    !backing_has_changed(backing, pages))
		err = region_populate(&memory->regions, region) ?
			      map_pages(memory, region, state, gpa, access,
					pages, &level) :
			      -ENOSPC;
	spin_unlock(&memory->lock);
	if (err == -ENOSPC)
		return memory_make_room(memory, gpa);
	if (err == -EEXIST)
		memory_zap(memory, gpa & -npt_span(level),
			   (gpa & -npt_span(level)) + npt_span(level));
	return err == -EEXIST || err == -EAGAIN ? -EBUSY : err;
}

/* Look for more pages each time while the guest accesses its memory in order. */
static unsigned int pages_to_find(struct fault_state *state,
				  const struct region *region, u64 gpa,
				  unsigned int access)
{
	if (gpa != state->next)
		state->ahead = 0;
	else
		state->ahead = min(2 * state->ahead + 1, BACKING_PAGES - 1u);
	return min_t(u64, state->ahead, (region->end - gpa) / PAGE_SIZE - 1) +
	       1;
}

static int try_fault(struct memory *memory, struct fault_state *state, u64 gpa,
		     unsigned int access)
{
	struct backing_pages pages;
	struct backing *backing;
	struct region *region;
	unsigned int missing, most;
	u64 hva;
	int err;

	spin_lock(&memory->lock);
	region = find_allowed(memory, gpa, access);
	if (!region) {
		spin_unlock(&memory->lock);
		return 1;
	}
	hva = region_hva(region, gpa);
	backing = backing_at(&memory->backings, hva);
	if (!backing) {
		spin_unlock(&memory->lock);
		return memory_make_room(memory, gpa);
	}
	backing_get(backing);
	missing = npt_missing(&memory->npt, gpa);
	most = pages_to_find(state, region, gpa, access);
	spin_unlock(&memory->lock);
	err = npt_cache_fill(&state->cache, missing);
	if (!err)
		err = backing_find(backing, hva, access & NPT_WRITE, most,
				   &pages);
	if (!err)
		err = map_found_pages(memory, backing, state, gpa, access,
				      &pages);
	backing_put(backing);
	return err;
}

/**
 * fault_handle() - handle a nested page fault
 * @memory: the address space, of the current process
 * @state: the vCPU's
 * @gpa: EXITINFO2 of VMEXIT_NPF
 * @error_code: EXITINFO1 (APM 15.25.6)
 *
 * Return: 0: run the guest again, after handling pending work; 1: no region is there, or
 * none with the permission; -EFAULT: the program has no memory there, or no permission for
 * the access; -EHWPOISON: the page has a memory error; -ENOMEM.
 */
int fault_handle(struct memory *memory, struct fault_state *state, u64 gpa,
		 u64 error_code)
{
	unsigned int access = access_rights(error_code);
	int err;

	gpa &= PAGE_MASK;
	if (signal_pending(current))
		return 0;
	do
		err = try_fault(memory, state, gpa, access);
	while (err == -EBUSY && !signal_pending(current) && !need_resched());
	return err == -EINTR || err == -EBUSY ? 0 : err;
}
