// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page faults on memory that the VM has: the page is found in the
 * program's memory and mapped, in the largest size that Linux maps it in.
 */
#include "fault.h"

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/svm_vmcb.h>

#include "backing.h"
#include "memory.h"
#include "npt.h"
#include "processor.h"
#include "region.h"

/* Rights, besides read, that an access needs (APM 15.25.6) */
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
 * Can one page be mapped from @gpa to @end? Around one that is in the log all are
 * small: a guest that needs both this one and that one would need both sizes.
 */
static bool fits(const struct region *region, u64 gpa, u64 end)
{
	const struct backing *backing = region->backing;

	return gpa >= region->gpa && end <= region->end &&
	       !(backing_hva(backing, gpa) & (end - gpa - 1)) &&
	       (!backing->dirty ||
		backing_next_dirty(backing, gpa, end) == end);
}

/* The largest page that Linux maps there, and that the region can have */
static unsigned int page_level(const struct region *region, u64 gpa,
			       const struct backing_page *page)
{
	unsigned int level = processor_npt_page_levels();

	for (; level > 1; level--) {
		u64 span = npt_span(level), start = gpa & -span;

		if (PAGE_SIZE << page->order >= span &&
		    fits(region, start, start + span))
			break;
	}
	return level;
}

/* Writes that are logged are seen page by page, and none but the first. */
static int map_page(struct memory *memory, struct region *region,
		    struct npt_cache *cache, u64 gpa, unsigned int access,
		    const struct backing_page *page, unsigned int *level)
{
	bool log = region->backing->dirty, write = access & NPT_WRITE;
	unsigned int rights = region->rights;
	u64 pa = (u64)page_to_pfn(page->page) << PAGE_SHIFT;
	int err;

	if (!page->writable || (log && !write))
		rights &= ~NPT_WRITE;
	*level = log && write ? 1 : page_level(region, gpa, page);
	err = npt_map(&memory->npt, cache, gpa, pa & -npt_span(*level), *level,
		      rights);
	if (err || !(rights & NPT_WRITE))
		return err;
	/* The guest's writes leave no trace in the program's tables. */
	SetPageDirty(page->page);
	if (log)
		backing_mark_dirty(region->backing, gpa);
	return 0;
}

/* Map the page that was found, unless something has changed since. */
static int install(struct memory *memory, struct backing *backing,
		   struct npt_cache *cache, u64 gpa, unsigned int access,
		   const struct backing_page *page)
{
	struct region *region;
	unsigned int level;
	int err = -EBUSY;

	spin_lock(&memory->lock);
	region = find_allowed(memory, gpa, access);
	if (region && region->backing == backing &&
	    !backing_has_changed(backing, page))
		err = map_page(memory, region, cache, gpa, access, page,
			       &level);
	spin_unlock(&memory->lock);
	if (err == -EEXIST)
		memory_zap(memory, gpa & -npt_span(level),
			   (gpa & -npt_span(level)) + npt_span(level));
	return err == -EEXIST || err == -EAGAIN ? -EBUSY : err;
}

static int try_fault(struct memory *memory, struct npt_cache *cache, u64 gpa,
		     unsigned int access)
{
	struct backing_page page;
	struct backing *backing;
	struct region *region;
	unsigned int missing;
	int err;

	spin_lock(&memory->lock);
	region = find_allowed(memory, gpa, access);
	if (!region) {
		spin_unlock(&memory->lock);
		return 1;
	}
	backing = region->backing;
	backing_get(backing);
	missing = npt_missing(&memory->npt, gpa);
	spin_unlock(&memory->lock);
	err = npt_cache_fill(cache, missing);
	if (!err)
		err = backing_find(backing, gpa, access & NPT_WRITE, &page);
	if (!err)
		err = install(memory, backing, cache, gpa, access, &page);
	backing_put(backing);
	return err;
}

/**
 * fault_handle() - the guest touched what is not mapped in the nested table
 * @memory: the address space, of the current process
 * @cache: the vCPU's tables in hand
 * @gpa: EXITINFO2 of VMEXIT_NPF
 * @error_code: EXITINFO1 (APM 15.25.6)
 *
 * Return: 0: run the guest again, after a look at signals; 1: nothing is tied
 * there, or not with this right; -EFAULT: the program has no memory there, or
 * not with this right; -EHWPOISON: it has broken; -ENOMEM.
 */
int fault_handle(struct memory *memory, struct npt_cache *cache, u64 gpa,
		 u64 error_code)
{
	unsigned int access = access_rights(error_code);
	int err;

	gpa &= PAGE_MASK;
	do {
		if (signal_pending(current))
			return 0;
		err = try_fault(memory, cache, gpa, access);
	} while (err == -EBUSY);
	return err == -EINTR ? 0 : err;
}
