// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory is memory of the program. A region maps a range of guest physical
 * addresses to host virtual addresses; a page is entered into the nested page table when
 * the guest first accesses it. Before Linux unmaps or reclaims a page, the MMU notifier
 * of its backing removes it at each guest physical address where it is mapped.
 */
#include "memory.h"

#include <linux/cache.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "backing.h"
#include "page.h"
#include "processor.h"
#include "trace.h"

static void no_operation(void *unused)
{
}

/**
 * memory_flush() - flush the guests' TLB entries
 * @memory: the address space
 *
 * No vCPU uses an older translation when it returns: an interrupt makes those that are in
 * the guest exit, and all compare @tlb_generation before they enter it.
 */
void memory_flush(struct memory *memory)
{
	atomic64_inc(&memory->tlb_generation);
	/*
	 * Pairs with the barrier in set_running(): this sees the CPU in the mask, or the
	 * CPU sees the generation.
	 */
	smp_mb__after_atomic();
	on_each_cpu_mask(memory->running, no_operation, NULL, 1);
}

/* Limit the range to pages that have the same log, or none. */
static void limit_to_one_log(const struct memory *memory,
			     struct npt_range *range, u64 end)
{
	struct region *region = NULL;
	bool inside;

	if (memory->regions.logged)
		region = region_first(&memory->regions, range->gpa);
	inside = region && region->gpa <= range->gpa;
	range->end = end;
	if (region)
		range->end = min(end, inside ? region->end : region->gpa);
	range->log = inside && region->log ? &region->log->pages : NULL;
}

/* Reschedule between two steps, except in a notifier that must not block. */
static void maybe_resched(bool may_sleep)
{
	if (may_sleep)
		cond_resched();
}

/* Do a limited number of steps with @memory->lock held, so that others can take it. */
static void step_locked(struct memory *memory, struct npt_range *range,
			npt_step *step, unsigned int steps, bool may_sleep)
{
	u64 end = range->end;

	for (;;) {
		limit_to_one_log(memory, range, end);
		step(&memory->npt, range, steps);
		if (range->gpa >= end)
			break;
		spin_unlock(&memory->lock);
		maybe_resched(may_sleep);
		spin_lock(&memory->lock);
	}
}

static void step_all(struct memory *memory, struct npt_range *range,
		     npt_step *step)
{
	spin_lock(&memory->lock);
	step_locked(memory, range, step, MEMORY_STEPS, true);
	spin_unlock(&memory->lock);
}

/*
 * Flush even if nothing was removed: another thread may have removed the pages and not
 * have flushed yet.
 */
static void flush_and_free(struct memory *memory, struct npt_range *range,
			   bool may_sleep)
{
	memory_flush(memory);
	while (!npt_range_free(range, MEMORY_STEPS))
		maybe_resched(may_sleep);
}

/**
 * memory_step() - apply a function to a range of the nested page table
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @end: a multiple of the page size, behind @gpa
 * @step: the function; called until it is done, with breaks; frees no tables
 */
void memory_step(struct memory *memory, u64 gpa, u64 end, npt_step *step)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	step_all(memory, &range, step);
}

/**
 * memory_zap() - remove pages from the nested page table
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @end: a multiple of the page size, behind @gpa
 *
 * When it returns, no guest can access the pages that were mapped in the range, and
 * writes to pages with a dirty log are logged.
 */
void memory_zap(struct memory *memory, u64 gpa, u64 end)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	step_all(memory, &range, npt_zap);
	flush_and_free(memory, &range, true);
}

/* ---- invalidation by Linux --------------------------------------------------- */

/**
 * struct aliases - a range of host memory, and the guest addresses that it is mapped at
 * @hva: first host virtual address
 * @end: behind the last one
 * @gpa: guest physical addresses of @hva; each maps the whole range from there on
 * @count: how many
 */
struct aliases {
	u64 hva;
	u64 end;
	u64 gpa[REGION_ALIASES + 1];
	unsigned int count;
};

/* Find the first such range from @hva to @end; under @memory->lock. */
static bool find_aliases(struct memory *memory, u64 hva, u64 end,
			 struct aliases *aliases)
{
	struct region *region = region_first_populated(&memory->regions, hva,
						       end);

	if (!region)
		return false;
	aliases->hva = max(hva, region->hva);
	aliases->end = end;
	aliases->count = 0;
	for (; region; region = region_next_populated(region, hva, end)) {
		u64 skipped = aliases->hva - region->hva;

		/* Regions are sorted by their first address. */
		if (region->hva > aliases->hva) {
			aliases->end = min(aliases->end, region->hva);
			break;
		}
		aliases->gpa[aliases->count++] = region->gpa + skipped;
		aliases->end = min(aliases->end,
				   region_hva(region, region->end));
	}
	return true;
}

/* Bound the time with the lock held: few pages at many aliases, or many pages at few. */
static void zap_aliases(struct memory *memory, const struct aliases *aliases,
			struct npt_range *range, bool may_sleep)
{
	u64 length = aliases->end - aliases->hva;
	unsigned int i;

	for (i = 0; i < aliases->count; i++) {
		range->gpa = aliases->gpa[i];
		range->end = range->gpa + length;
		trace_invalidate(memory, aliases->hva, range->gpa, range->end);
		step_locked(memory, range, npt_zap,
			    MEMORY_STEPS / aliases->count, may_sleep);
	}
}

/*
 * Called by Linux before it changes a range of host memory. During the invalidation no
 * page of the range is entered into the nested page table: a fault waits, or fails and is
 * repeated. If no region is populated, there is nothing to flush.
 */
static bool memory_invalidate(struct mmu_interval_notifier *notifier,
			      const struct mmu_notifier_range *taken,
			      unsigned long sequence)
{
	struct backing *backing = container_of(notifier, struct backing,
					       notifier);
	struct memory *memory = backing->memory;
	bool may_sleep = mmu_notifier_range_blockable(taken), found = false;
	u64 hva = max_t(u64, taken->start, backing->hva);
	/* The range can end at ULONG_MAX, which must not wrap to 0. */
	u64 end = PAGE_ALIGN(min_t(u64, taken->end, backing->end));
	struct npt_range range = {};
	struct aliases aliases;

	spin_lock(&memory->lock);
	mmu_interval_set_seq(notifier, sequence);
	while (hva < end && find_aliases(memory, hva, end, &aliases)) {
		zap_aliases(memory, &aliases, &range, may_sleep);
		hva = aliases.end;
		found = true;
	}
	spin_unlock(&memory->lock);
	if (found)
		flush_and_free(memory, &range, may_sleep);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = memory_invalidate,
};

/**
 * memory_init() - initialise an empty guest physical address space
 * @memory: filled in
 * @mm: the program's address space; a reference is taken
 *
 * Return: 0 or -ENOMEM.
 */
int memory_init(struct memory *memory, struct mm_struct *mm)
{
	int err;

	memory->running = kzalloc(ALIGN(cpumask_size(), SMP_CACHE_BYTES),
				  GFP_KERNEL_ACCOUNT);
	if (!memory->running)
		return -ENOMEM;
	err = npt_create(&memory->npt, processor_npt_levels(), sme_me_mask);
	if (err) {
		kfree(memory->running);
		return err;
	}
	memory->mm = mm;
	mmgrab(mm);
	mutex_init(&memory->mutex);
	spin_lock_init(&memory->lock);
	memory->regions = (struct region_tree){ .root = RB_ROOT };
	memory->backings = RB_ROOT;
	atomic64_set(&memory->tlb_generation, 1);
	return 0;
}

/* Remove a backing that has no mapped pages, or that another one replaces. */
static void remove_backing(struct memory *memory, struct backing *backing)
{
	spin_lock(&memory->lock);
	backing_erase(&memory->backings, backing);
	spin_unlock(&memory->lock);
	backing_put(backing);
	cond_resched();
}

/**
 * memory_destroy() - undo memory_init()
 * @memory: no vCPU uses it
 */
void memory_destroy(struct memory *memory)
{
	struct region *region, *next;
	struct backing *backing;
	struct rb_root root;

	/* A notifier may run meanwhile, and must not find a region that is freed. */
	spin_lock(&memory->lock);
	root = memory->regions.root;
	memory->regions = (struct region_tree){ .root = RB_ROOT };
	spin_unlock(&memory->lock);
	rbtree_postorder_for_each_entry_safe(region, next, &root, node) {
		region_free(region);
		cond_resched();
	}
	while ((backing = backing_first(&memory->backings, 0)))
		remove_backing(memory, backing);
	while (!npt_destroy(&memory->npt, MEMORY_STEPS))
		cond_resched();
	mmdrop(memory->mm);
	kfree(memory->running);
}

/**
 * memory_info() - get the present numbers of regions and pages
 * @memory: the address space
 * @info: these members are filled in
 */
void memory_info(struct memory *memory, struct svmrun_vm_info *info)
{
	spin_lock(&memory->lock);
	info->out_regions = memory->regions.count;
	info->out_table_bytes = memory->npt.tables * PAGE_SIZE;
	info->out_pages_4k = memory->npt.pages[0];
	info->out_pages_2m = memory->npt.pages[1];
	info->out_pages_1g = memory->npt.pages[2];
	spin_unlock(&memory->lock);
}

/* ---- changes ------------------------------------------------------------- */

/*
 * Make one backing cover @hva to @end: an existing one, or a new one that replaces all
 * that it overlaps or adjoins, so that a program may map its memory in any order and in
 * any pieces. Until the new one is in the tree, faults in the range wait for @mutex.
 */
static int cover_range(struct memory *memory, u64 hva, u64 end)
{
	struct rb_root *tree = &memory->backings;
	struct backing *old = backing_first(tree, hva), *next, *backing;
	u64 first = hva, last = end, used = end - hva;

	if (old && old->hva <= hva && old->end >= end) {
		old->used += used;
		return 0;
	}
	for (next = old; next && next->hva <= end; next = backing_next(next)) {
		first = min(first, next->hva);
		last = max(last, next->end);
		used += next->used;
	}
	backing = backing_create(memory, first, last, &notifier_ops);
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	while ((old = backing_first(tree, first)) && old->hva <= last)
		remove_backing(memory, old);
	backing->used = used;
	spin_lock(&memory->lock);
	backing_insert(tree, backing);
	spin_unlock(&memory->lock);
	return 0;
}

/* Undo cover_range(). */
static void uncover_range(struct memory *memory, u64 hva, u64 end)
{
	struct backing *backing = backing_at(&memory->backings, hva);

	backing->used -= end - hva;
	if (!backing->used)
		remove_backing(memory, backing);
}

static int add_region(struct memory *memory, struct region *region)
{
	struct region *other = region_first(&memory->regions, region->gpa);
	int err;

	if (memory->regions.count == MEMORY_MAX_REGIONS)
		return -ENOSPC;
	if (other && other->gpa < region->end)
		return -EEXIST;
	err = cover_range(memory, region->hva, region_hva(region, region->end));
	if (err)
		return err;
	spin_lock(&memory->lock);
	region_insert(&memory->regions, region);
	spin_unlock(&memory->lock);
	return 0;
}

/**
 * memory_map() - map a range of guest physical addresses
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @hva: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; both ranges are in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 * @log_dirty: keep a log of pages that the guest writes
 *
 * Return: 0; -EEXIST if part of the range is mapped already; -ENOSPC if there are
 * MEMORY_MAX_REGIONS; -EINTR; -ENOMEM.
 */
int memory_map(struct memory *memory, u64 gpa, u64 hva, u64 length,
	       unsigned int rights, bool log_dirty)
{
	struct region *region;
	int err;

	region = region_create(gpa, hva, length, rights, log_dirty);
	if (!region)
		return -ENOMEM;
	err = mutex_lock_killable(&memory->mutex);
	if (!err) {
		err = add_region(memory, region);
		mutex_unlock(&memory->mutex);
	}
	if (err)
		region_free(region);
	return err;
}

/* Split the region that extends across @gpa, if there is one. */
static int split_region(struct memory *memory, u64 gpa)
{
	struct region *region = region_find(&memory->regions, gpa), *rest;

	if (!region || region->gpa == gpa)
		return 0;
	rest = kmalloc(sizeof(*rest), GFP_KERNEL_ACCOUNT);
	if (!rest)
		return -ENOMEM;
	spin_lock(&memory->lock);
	region_split(&memory->regions, region, gpa, rest);
	spin_unlock(&memory->lock);
	return 0;
}

/* Join @region with the next one, if that continues it. */
static bool join_regions(struct memory *memory, struct region *region,
			 struct region *next)
{
	bool joined;

	spin_lock(&memory->lock);
	joined = region_join(&memory->regions, region, next);
	spin_unlock(&memory->lock);
	if (joined) {
		region_free(next);
		cond_resched();
	}
	return joined;
}

/* Join the regions between @gpa and @end and next to it where possible. */
static void join_all(struct memory *memory, u64 gpa, u64 end)
{
	struct region *region, *next;

	region = region_first(&memory->regions, gpa ? gpa - 1 : 0);
	while (region && (next = region_next(region)) && next->gpa <= end) {
		if (!join_regions(memory, region, next))
			region = next;
	}
}

/* Count the regions between @gpa and @end; none extends across these. */
static unsigned int count_regions(const struct memory *memory, u64 gpa, u64 end)
{
	struct region *region = region_first(&memory->regions, gpa);
	unsigned int regions = 0;

	for (; region && region->gpa < end; region = region_next(region))
		regions++;
	return regions;
}

/*
 * Split regions so that the range can be changed alone; join_all() undoes it. @gone: the
 * regions of the range will be removed, so that the limit allows for as many more.
 */
static int isolate_range(struct memory *memory, u64 gpa, u64 end, bool gone)
{
	unsigned int inside;
	int err;

	err = split_region(memory, gpa);
	if (!err)
		err = split_region(memory, end);
	if (err)
		return err;
	inside = count_regions(memory, gpa, end);
	if (!inside)
		return -ENOENT;
	if (memory->regions.count - (gone ? inside : 0) > MEMORY_MAX_REGIONS)
		return -ENOSPC;
	return 0;
}

/*
 * Unmap a region's pages, and free tables that become empty. The region counts as populated
 * until the flush, because Linux may invalidate its memory before that.
 */
static void unmap_region(struct memory *memory, struct region *region)
{
	struct npt_range range = { .gpa = region->gpa, .end = region->end };

	spin_lock(&memory->lock);
	region_erase(&memory->regions, region);
	step_locked(memory, &range, npt_zap, MEMORY_STEPS, true);
	npt_prune(&memory->npt, &range, region->gpa);
	npt_prune(&memory->npt, &range, region->end - PAGE_SIZE);
	spin_unlock(&memory->lock);
	flush_and_free(memory, &range, true);
	spin_lock(&memory->lock);
	region_depopulate(&memory->regions, region);
	spin_unlock(&memory->lock);
	uncover_range(memory, region->hva, region_hva(region, region->end));
	region_free(region);
}

/**
 * memory_unmap() - unmap a range of guest physical addresses
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 *
 * No guest can access the range when it returns.
 *
 * Return: 0; -ENOENT if there is nothing in the range; -ENOSPC if it needs more
 * than MEMORY_MAX_REGIONS; -EINTR; -ENOMEM.
 */
int memory_unmap(struct memory *memory, u64 gpa, u64 length)
{
	u64 end = gpa + length;
	struct region *region;
	int err;

	if (mutex_lock_killable(&memory->mutex))
		return -EINTR;
	err = isolate_range(memory, gpa, end, true);
	if (err)
		join_all(memory, gpa, end);
	while (!err && (region = region_first(&memory->regions, gpa)) &&
	       region->gpa < end) {
		unmap_region(memory, region);
		cond_resched();
	}
	mutex_unlock(&memory->mutex);
	return err;
}

static void set_rights(struct memory *memory, u64 gpa, u64 end,
		       unsigned int rights)
{
	struct region *region = region_first(&memory->regions, gpa);

	for (; region && region->gpa < end; region = region_next(region)) {
		spin_lock(&memory->lock);
		region->rights = rights;
		spin_unlock(&memory->lock);
	}
}

static void protect_range(struct memory *memory, u64 gpa, u64 end,
			  unsigned int rights)
{
	struct npt_range range = { .gpa = gpa, .end = end };
	bool done;

	do {
		spin_lock(&memory->lock);
		done = npt_protect(&memory->npt, &range, rights, MEMORY_STEPS);
		spin_unlock(&memory->lock);
		cond_resched();
	} while (!done);
	flush_and_free(memory, &range, true);
}

/**
 * memory_protect() - change the permissions of a range of guest physical addresses
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * The new permissions hold for every access when it returns. Unmapped parts of the range
 * stay unmapped.
 *
 * Return: 0; -ENOENT if there is nothing in the range; -ENOSPC if it needs more
 * than MEMORY_MAX_REGIONS; -EINTR; -ENOMEM.
 */
int memory_protect(struct memory *memory, u64 gpa, u64 length,
		   unsigned int rights)
{
	u64 end = gpa + length;
	int err;

	if (mutex_lock_killable(&memory->mutex))
		return -EINTR;
	err = isolate_range(memory, gpa, end, false);
	if (!err) {
		set_rights(memory, gpa, end, rights);
		protect_range(memory, gpa, end, rights);
	}
	join_all(memory, gpa, end);
	mutex_unlock(&memory->mutex);
	return err;
}

/* ---- limit of populated regions with the same memory -------------------------- */

/* Find the first region to depopulate; those before it stay populated. */
static struct region *first_to_go(struct memory *memory, u64 hva, u64 end)
{
	struct region *region = region_first_populated(&memory->regions, hva,
						       end);
	unsigned int i;

	for (i = 0; region && i < REGION_ALIASES / 2; i++)
		region = region_next_populated(region, hva, end);
	return region;
}

/* Unmap several regions with one flush. The mutex keeps them from being freed. */
static void depopulate_regions(struct memory *memory, u64 hva, u64 end)
{
	struct region *region, *next;
	struct npt_range range = {};

	spin_lock(&memory->lock);
	region = first_to_go(memory, hva, end);
	for (; region; region = region_next_populated(region, hva, end)) {
		region->idle = true;
		range.gpa = region->gpa;
		range.end = region->end;
		step_locked(memory, &range, npt_zap, MEMORY_STEPS, true);
		cond_resched_lock(&memory->lock);
	}
	spin_unlock(&memory->lock);
	flush_and_free(memory, &range, true);
	spin_lock(&memory->lock);
	for (region = first_to_go(memory, hva, end); region; region = next) {
		next = region_next_populated(region, hva, end);
		/* A region in which a page was mapped meanwhile stays populated. */
		if (region->idle)
			region_depopulate(&memory->regions, region);
		cond_resched_lock(&memory->lock);
	}
	spin_unlock(&memory->lock);
}

/**
 * memory_make_room() - make a page mappable after fault handling found that it is not
 * @memory: the address space
 * @gpa: guest physical address
 *
 * Waits for changes of regions in progress. If the region cannot be populated because too
 * many others have the same memory (REGION_ALIASES), most of those are unmapped; the
 * guest faults their pages in again.
 *
 * Return: -EBUSY: try again; -EINTR: a fatal signal.
 */
int memory_make_room(struct memory *memory, u64 gpa)
{
	struct region *region;

	if (mutex_lock_killable(&memory->mutex))
		return -EINTR;
	region = region_find(&memory->regions, gpa);
	if (region && region_is_crowded(&memory->regions, region))
		depopulate_regions(memory, region->hva,
				   region_hva(region, region->end));
	mutex_unlock(&memory->mutex);
	return -EBUSY;
}
