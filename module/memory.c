// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory is the program's memory. Regions tie guest physical addresses to
 * backings; pages come into the nested page table when the guest touches them,
 * and when Linux takes one away, the backing's notifier takes it out first.
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
 * memory_flush() - let no translation be used any more that is out of date
 * @memory: the address space
 *
 * Makes every vCPU flush before it uses a translation again: those that are in
 * the guest leave it for the interrupt, the others look at @tlb_generation.
 */
void memory_flush(struct memory *memory)
{
	atomic64_inc(&memory->tlb_generation);
	/* Pairs with the one in arrive(): we see the CPU, or it the generation. */
	smp_mb__after_atomic();
	on_each_cpu_mask(memory->running, no_operation, NULL, 1);
}

/* The range goes as far as one log, or none, is its pages'. */
static void limit(const struct memory *memory, struct npt_range *range, u64 end)
{
	struct region *region = region_first(&memory->regions, range->gpa);
	bool inside = region && region->gpa <= range->gpa;

	range->end = end;
	if (region)
		range->end = min(end, inside ? region->end : region->gpa);
	range->log = inside ? region->backing->dirty : NULL;
	range->log_gpa = inside ? region->backing->gpa : 0;
}

/* Between two steps; a notifier that must not block sleeps nowhere. */
static void pause(bool may_sleep)
{
	if (may_sleep)
		cond_resched();
}

static void step_all(struct memory *memory, struct npt_range *range,
		     npt_step *step, bool may_sleep)
{
	u64 end = range->end;

	for (;;) {
		spin_lock(&memory->lock);
		limit(memory, range, end);
		step(&memory->npt, range, MEMORY_STEPS);
		spin_unlock(&memory->lock);
		if (range->gpa >= end)
			break;
		pause(may_sleep);
	}
}

/*
 * There is a flush even if nothing was taken out: another thread may have done it
 * and not have flushed yet.
 */
static void flush_and_free(struct memory *memory, struct npt_range *range,
			   bool may_sleep)
{
	memory_flush(memory);
	while (!npt_range_free(range, MEMORY_STEPS))
		pause(may_sleep);
}

/**
 * memory_step() - do something to a range of the nested page table, step by step
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @end: a multiple of the page size, behind @gpa
 * @step: what; it leaves nothing to be freed
 */
void memory_step(struct memory *memory, u64 gpa, u64 end, npt_step *step)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	step_all(memory, &range, step, true);
}

static void zap(struct memory *memory, u64 gpa, u64 end, bool may_sleep)
{
	struct npt_range range = { .gpa = gpa, .end = end };

	step_all(memory, &range, npt_zap, may_sleep);
	flush_and_free(memory, &range, may_sleep);
}

/**
 * memory_zap() - take pages out of the nested page table
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @end: a multiple of the page size, behind @gpa
 *
 * No guest reaches what was mapped in the range when it returns; what guests wrote
 * there is in the log, where there is one.
 */
void memory_zap(struct memory *memory, u64 gpa, u64 end)
{
	zap(memory, gpa, end, true);
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *range,
		       unsigned long sequence)
{
	struct backing *backing = container_of(notifier, struct backing,
					       notifier);
	struct memory *memory = backing->memory;
	u64 start = max_t(u64, range->start, backing->hva);
	u64 end = min_t(u64, range->end, backing->hva + backing->length);
	u64 gpa = backing->gpa + (start - backing->hva);
	u64 gpa_end = backing->gpa + (PAGE_ALIGN(end) - backing->hva);

	spin_lock(&memory->lock);
	mmu_interval_set_seq(notifier, sequence);
	spin_unlock(&memory->lock);
	trace_invalidate(memory, gpa, gpa_end);
	zap(memory, gpa, gpa_end, mmu_notifier_range_blockable(range));
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = invalidate,
};

/**
 * memory_init() - an empty guest physical address space
 * @memory: filled in
 * @mm: whose memory it will be; kept
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
	atomic64_set(&memory->tlb_generation, 1);
	return 0;
}

static void region_free(struct region *region)
{
	backing_put(region->backing);
	kfree(region);
}

/**
 * memory_destroy() - the mirror of memory_init()
 * @memory: no vCPU has it any more
 */
void memory_destroy(struct memory *memory)
{
	struct region *region, *next;
	struct rb_root root;

	/* Memory may be taken away meanwhile: what is freed must not be found. */
	spin_lock(&memory->lock);
	root = memory->regions.root;
	memory->regions.root = RB_ROOT;
	spin_unlock(&memory->lock);
	rbtree_postorder_for_each_entry_safe(region, next, &root, node) {
		region_free(region);
		cond_resched();
	}
	while (!npt_destroy(&memory->npt, MEMORY_STEPS))
		cond_resched();
	mmdrop(memory->mm);
	kfree(memory->running);
}

/**
 * memory_info() - what there is at the moment
 * @memory: the address space
 * @info: the info
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

static struct region *region_create(struct memory *memory, u64 gpa, u64 hva,
				    u64 length, unsigned int rights,
				    bool log_dirty)
{
	struct region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);

	if (!region)
		return ERR_PTR(-ENOMEM);
	region->gpa = gpa;
	region->end = gpa + length;
	region->rights = rights;
	region->backing = backing_create(memory, gpa, hva, length, log_dirty,
					 &notifier_ops);
	if (IS_ERR(region->backing)) {
		int err = PTR_ERR(region->backing);

		kfree(region);
		return ERR_PTR(err);
	}
	return region;
}

static int add(struct memory *memory, struct region *region)
{
	int err = 0;

	if (memory->regions.count == MEMORY_MAX_REGIONS)
		return -ENOSPC;
	spin_lock(&memory->lock);
	if (!region_insert(&memory->regions, region))
		err = -EEXIST;
	spin_unlock(&memory->lock);
	return err;
}

/**
 * memory_map() - tie a range of guest physical addresses to memory
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @hva: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; both ranges are in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 * @log_dirty: keep a log of pages that the guest writes
 *
 * Return: 0; -EEXIST if part of the range is tied already; -ENOSPC if there are
 * MEMORY_MAX_REGIONS; -EINTR; -ENOMEM.
 */
int memory_map(struct memory *memory, u64 gpa, u64 hva, u64 length,
	       unsigned int rights, bool log_dirty)
{
	struct region *region;
	int err;

	region = region_create(memory, gpa, hva, length, rights, log_dirty);
	if (IS_ERR(region))
		return PTR_ERR(region);
	err = mutex_lock_killable(&memory->mutex);
	if (!err) {
		err = add(memory, region);
		mutex_unlock(&memory->mutex);
	}
	if (err)
		region_free(region);
	return err;
}

/* No region crosses @gpa afterwards. */
static int split(struct memory *memory, u64 gpa)
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

/* @region takes in the one that goes on where it ends. */
static void join(struct memory *memory, struct region *region,
		 struct region *next)
{
	spin_lock(&memory->lock);
	region_erase(&memory->regions, next);
	region->end = next->end;
	spin_unlock(&memory->lock);
	region_free(next);
}

/* What lies between @gpa and @end, and next to it, in as few regions as can be */
static void join_all(struct memory *memory, u64 gpa, u64 end)
{
	struct region *region, *next;

	region = region_first(&memory->regions, gpa ? gpa - 1 : 0);
	while (region && (next = region_next(region)) && next->gpa <= end) {
		if (region_joins(region, next))
			join(memory, region, next);
		else
			region = next;
		cond_resched();
	}
}

/* How many regions lie between @gpa and @end, which none crosses */
static unsigned int count(const struct memory *memory, u64 gpa, u64 end)
{
	struct region *region = region_first(&memory->regions, gpa);
	unsigned int regions = 0;

	for (; region && region->gpa < end; region = region_next(region))
		regions++;
	return regions;
}

/*
 * Have just the range in regions of its own, to change them. @gone: how many of
 * them will go. To be undone by join_all().
 */
static int isolate(struct memory *memory, u64 gpa, u64 end, bool gone)
{
	unsigned int inside;
	int err;

	err = split(memory, gpa);
	if (!err)
		err = split(memory, end);
	if (err)
		return err;
	inside = count(memory, gpa, end);
	if (!inside)
		return -ENOENT;
	if (memory->regions.count - (gone ? inside : 0) > MEMORY_MAX_REGIONS)
		return -ENOSPC;
	return 0;
}

/* Tables in which it leaves nothing go with it. */
static void region_unmap(struct memory *memory, struct region *region)
{
	struct npt_range range = { .gpa = region->gpa, .end = region->end };

	spin_lock(&memory->lock);
	region_erase(&memory->regions, region);
	spin_unlock(&memory->lock);
	step_all(memory, &range, npt_zap, true);
	spin_lock(&memory->lock);
	npt_prune(&memory->npt, &range, region->gpa);
	npt_prune(&memory->npt, &range, region->end - PAGE_SIZE);
	spin_unlock(&memory->lock);
	flush_and_free(memory, &range, true);
	region_free(region);
}

/**
 * memory_unmap() - take a range of guest physical addresses away
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 *
 * No guest reaches the range when it returns.
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
	err = isolate(memory, gpa, end, true);
	if (err)
		join_all(memory, gpa, end);
	while (!err && (region = region_first(&memory->regions, gpa)) &&
	       region->gpa < end) {
		region_unmap(memory, region);
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
		cond_resched();
	}
}

static void protect(struct memory *memory, u64 gpa, u64 end,
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
 * memory_protect() - change the rights of a range of guest physical addresses
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * No guest uses other rights when it returns. What is not tied stays so.
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
	err = isolate(memory, gpa, end, false);
	if (!err) {
		set_rights(memory, gpa, end, rights);
		protect(memory, gpa, end, rights);
	}
	join_all(memory, gpa, end);
	mutex_unlock(&memory->mutex);
	return err;
}
