// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory is the program's memory. A region ties a range of guest physical
 * addresses to a range of the program's; pages are looked up when the guest
 * touches them and are never pinned: when Linux takes one away, the region's
 * notifier takes it out of the nested page table first.
 */
#include "memory.h"

#include <linux/hmm.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "page.h"
#include "processor.h"

/* Entries to zap before letting others have the lock */
#define ZAP_STEPS 1024

/**
 * struct region - guest physical range <-> range of the program's memory
 * @notifier: hears when Linux takes pages of the range away
 * @node: in the tree
 * @memory: whose region it is
 * @gpa: first guest physical address
 * @hva: first address in the program
 * @length: bytes
 * @rights: NPT_WRITE, NPT_EXEC
 * @ref: the regions' tree has one, and whoever is faulting a page in
 * @gone: out of the tree, no page of it may be mapped; guarded by npt_lock
 */
struct region {
	struct mmu_interval_notifier notifier;
	struct rb_node node;
	struct kref ref;
	bool gone;
	struct memory *memory;
	u64 gpa;
	u64 hva;
	u64 length;
	unsigned int rights;
};

static void no_operation(void *unused)
{
}

/*
 * Make every vCPU flush before it uses a translation again: those that are in the
 * guest leave it for the interrupt, the others look at @tlb_generation.
 */
static void flush(struct memory *memory)
{
	atomic64_inc(&memory->tlb_generation);
	/* Pairs with the one in enter(): we see the CPU, or it the generation. */
	smp_mb__after_atomic();
	on_each_cpu_mask(memory->running, no_operation, NULL, 1);
}

static void zap(struct memory *memory, u64 gpa, u64 end)
{
	while (gpa < end) {
		spin_lock(&memory->npt_lock);
		gpa = npt_zap(&memory->npt, gpa, end, ZAP_STEPS);
		spin_unlock(&memory->npt_lock);
	}
	flush(memory);
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *range,
		       unsigned long sequence)
{
	struct region *region = container_of(notifier, struct region, notifier);
	struct memory *memory = region->memory;
	u64 start = max_t(u64, range->start, region->hva);
	u64 end = min_t(u64, range->end, region->hva + region->length);

	spin_lock(&memory->npt_lock);
	mmu_interval_set_seq(notifier, sequence);
	spin_unlock(&memory->npt_lock);
	zap(memory, region->gpa + (start - region->hva),
	    region->gpa + (PAGE_ALIGN(end) - region->hva));
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = invalidate,
};

static struct region *region_create(struct memory *memory, u64 gpa, u64 hva,
				    u64 length, unsigned int rights)
{
	struct region *region = kmalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	int err;

	if (!region)
		return ERR_PTR(-ENOMEM);
	*region = (struct region){
		.memory = memory,
		.gpa = gpa,
		.hva = hva,
		.length = length,
		.rights = rights,
	};
	kref_init(&region->ref);
	err = mmu_interval_notifier_insert(&region->notifier, memory->mm, hva,
					   length, &notifier_ops);
	if (err) {
		kfree(region);
		return ERR_PTR(err);
	}
	return region;
}

static void region_release(struct kref *ref)
{
	struct region *region = container_of(ref, struct region, ref);

	mmu_interval_notifier_remove(&region->notifier);
	kfree(region);
}

static void region_put(struct region *region)
{
	kref_put(&region->ref, region_release);
}

static u64 region_end(const struct region *region)
{
	return region->gpa + region->length;
}

/* Into the tree, if nothing there overlaps it. */
static bool region_insert(struct memory *memory, struct region *region)
{
	struct rb_node **link = &memory->regions.rb_node, *parent = NULL;

	while (*link) {
		struct region *other = rb_entry(*link, struct region, node);

		parent = *link;
		if (region_end(region) <= other->gpa)
			link = &parent->rb_left;
		else if (region->gpa >= region_end(other))
			link = &parent->rb_right;
		else
			return false;
	}
	rb_link_node(&region->node, parent, link);
	rb_insert_color(&region->node, &memory->regions);
	memory->count++;
	return true;
}

static void region_erase(struct region *region)
{
	rb_erase(&region->node, &region->memory->regions);
	region->memory->count--;
}

/* The first region that ends after @gpa, or NULL. */
static struct region *region_first(struct memory *memory, u64 gpa)
{
	struct rb_node *node = memory->regions.rb_node;
	struct region *first = NULL;

	while (node) {
		struct region *region = rb_entry(node, struct region, node);

		if (region_end(region) > gpa) {
			first = region;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return first;
}

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

	if (!zalloc_cpumask_var(&memory->running, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	err = npt_create(&memory->npt, processor_npt_levels(), sme_me_mask);
	if (err) {
		free_cpumask_var(memory->running);
		return err;
	}
	memory->mm = mm;
	mmgrab(mm);
	init_rwsem(&memory->lock);
	memory->regions = RB_ROOT;
	memory->count = 0;
	spin_lock_init(&memory->npt_lock);
	atomic64_set(&memory->tlb_generation, 1);
	return 0;
}

/**
 * memory_destroy() - the mirror of memory_init()
 * @memory: no vCPU has it any more
 */
void memory_destroy(struct memory *memory)
{
	struct region *region, *next;

	rbtree_postorder_for_each_entry_safe(region, next, &memory->regions,
					     node)
		region_put(region);
	npt_destroy(&memory->npt);
	mmdrop(memory->mm);
	free_cpumask_var(memory->running);
}

/**
 * memory_map() - tie a range of guest physical addresses to memory
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @hva: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; both ranges are in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 *
 * Return: 0; -EEXIST if part of the range is tied already; -ENOSPC if there are
 * MEMORY_MAX_REGIONS; -EINTR; -ENOMEM.
 */
int memory_map(struct memory *memory, u64 gpa, u64 hva, u64 length,
	       unsigned int rights)
{
	struct region *region;
	int err;

	region = region_create(memory, gpa, hva, length, rights);
	if (IS_ERR(region))
		return PTR_ERR(region);
	err = -EINTR;
	if (down_write_killable(&memory->lock))
		goto err_lock;
	err = -ENOSPC;
	if (memory->count == MEMORY_MAX_REGIONS)
		goto err_insert;
	err = -EEXIST;
	if (!region_insert(memory, region))
		goto err_insert;
	up_write(&memory->lock);
	return 0;

err_insert:
	up_write(&memory->lock);
err_lock:
	region_put(region);
	return err;
}

/*
 * The parts of @region that lie before @gpa and after @end, as regions of their
 * own; NULL where there is none.
 */
static int region_cut(struct region *region, u64 gpa, u64 end,
		      struct region *rest[2])
{
	struct memory *memory = region->memory;

	rest[0] = NULL;
	rest[1] = NULL;
	if (region->gpa < gpa)
		rest[0] = region_create(memory, region->gpa, region->hva,
					gpa - region->gpa, region->rights);
	if (IS_ERR(rest[0]))
		return PTR_ERR(rest[0]);
	if (end < region_end(region))
		rest[1] = region_create(memory, end,
					region->hva + (end - region->gpa),
					region_end(region) - end,
					region->rights);
	if (IS_ERR(rest[1])) {
		if (rest[0])
			region_put(rest[0]);
		return PTR_ERR(rest[1]);
	}
	return 0;
}

/*
 * The whole region: what its notifier was told of, those of the remaining parts
 * were not. It hears of everything until nothing is mapped any more.
 */
static void region_retire(struct region *region)
{
	struct memory *memory = region->memory;

	spin_lock(&memory->npt_lock);
	region->gone = true;
	spin_unlock(&memory->npt_lock);
	zap(memory, region->gpa, region_end(region));
	region_put(region);
}

/* Take what lies between @gpa and @end out of @region. */
static int region_unmap(struct region *region, u64 gpa, u64 end)
{
	struct memory *memory = region->memory;
	struct region *rest[2];
	unsigned int i;
	int err;

	if (region->gpa < gpa && end < region_end(region) &&
	    memory->count == MEMORY_MAX_REGIONS)
		return -ENOSPC;
	err = region_cut(region, gpa, end, rest);
	if (err)
		return err;
	region_erase(region);
	for (i = 0; i < ARRAY_SIZE(rest); i++)
		if (rest[i])
			region_insert(memory, rest[i]);
	region_retire(region);
	return 0;
}

/**
 * memory_unmap() - take a range of guest physical addresses away
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 *
 * No guest reaches the range when it returns.
 *
 * Return: 0; -ENOENT if there is nothing in the range; -ENOSPC if cutting needs
 * more than MEMORY_MAX_REGIONS; -EINTR; -ENOMEM: part of it may be left.
 */
int memory_unmap(struct memory *memory, u64 gpa, u64 length)
{
	u64 end = gpa + length;
	struct region *region;
	int err = -ENOENT;

	if (down_write_killable(&memory->lock))
		return -EINTR;
	while ((region = region_first(memory, gpa)) && region->gpa < end) {
		err = region_unmap(region, gpa, end);
		if (err)
			break;
	}
	up_write(&memory->lock);
	return err;
}

/* The region at @gpa if it has the rights for the access; put it back. */
static struct region *region_get(struct memory *memory, u64 gpa, u64 error_code)
{
	struct region *region;

	down_read(&memory->lock);
	region = region_first(memory, gpa);
	if (region && region->gpa > gpa)
		region = NULL;
	if (region && (error_code & SVM_NPF_WRITE) &&
	    !(region->rights & NPT_WRITE))
		region = NULL;
	if (region && (error_code & SVM_NPF_FETCH) &&
	    !(region->rights & NPT_EXEC))
		region = NULL;
	if (region)
		kref_get(&region->ref);
	up_read(&memory->lock);
	return region;
}

/* Map the page that was found, unless it may have been taken away since. */
static int region_install(struct region *region, struct npt_cache *cache,
			  struct hmm_range *range, u64 gpa)
{
	struct memory *memory = region->memory;
	unsigned long pfn = range->hmm_pfns[0];
	unsigned int rights = region->rights;
	struct page *page = hmm_pfn_to_page(pfn);
	int err = 0;

	if (!(pfn & HMM_PFN_WRITE))
		rights &= ~NPT_WRITE;
	spin_lock(&memory->npt_lock);
	if (region->gone ||
	    mmu_interval_read_retry(range->notifier, range->notifier_seq)) {
		err = -EBUSY;
	} else {
		/* The guest's writes leave no trace in the program's tables. */
		if (rights & NPT_WRITE)
			SetPageDirty(page);
		npt_map(&memory->npt, cache, gpa,
			(u64)page_to_pfn(page) << PAGE_SHIFT, rights);
	}
	spin_unlock(&memory->npt_lock);
	return err;
}

/* Look the page up in the program's memory, faulting it in. */
static int region_lookup(struct region *region, struct hmm_range *range)
{
	struct mm_struct *mm = region->memory->mm;
	int err;

	range->hmm_pfns[0] = 0;
	range->notifier_seq = mmu_interval_read_begin(range->notifier);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = hmm_range_fault(range);
	mmap_read_unlock(mm);
	return err;
}

static int region_fault(struct region *region, struct npt_cache *cache, u64 gpa,
			bool write)
{
	u64 hva = region->hva + (gpa - region->gpa);
	unsigned long pfn;
	struct hmm_range range = {
		.notifier = &region->notifier,
		.start = hva,
		.end = hva + PAGE_SIZE,
		.hmm_pfns = &pfn,
		.default_flags = HMM_PFN_REQ_FAULT |
				 (write ? HMM_PFN_REQ_WRITE : 0),
	};
	int err;

	do {
		if (signal_pending(current))
			return 0;
		err = region_lookup(region, &range);
		if (!err)
			err = region_install(region, cache, &range, gpa);
		if (region->gone)
			return 0;
	} while (err == -EBUSY);
	return err;
}

/**
 * memory_fault() - the guest touched what is not mapped in the nested table
 * @memory: the address space, of the current process
 * @cache: the vCPU's tables in hand
 * @gpa: EXITINFO2 of VMEXIT_NPF
 * @error_code: EXITINFO1 (APM 15.25.6)
 *
 * Return: 0: run the guest again, after a look at signals; 1: nothing is tied
 * there, or not with this right; -EFAULT: the program has no memory there, or
 * not with this right; -ENOMEM.
 */
int memory_fault(struct memory *memory, struct npt_cache *cache, u64 gpa,
		 u64 error_code)
{
	struct region *region;
	int err;

	gpa &= PAGE_MASK;
	region = region_get(memory, gpa, error_code);
	if (!region)
		return 1;
	err = npt_cache_fill(cache, npt_missing(&memory->npt, gpa));
	if (!err)
		err = region_fault(region, cache, gpa,
				   error_code & SVM_NPF_WRITE);
	region_put(region);
	switch (err) {
	case 0:
	case -ENOMEM:
		return err;
	case -EINTR:
		return 0;
	default:
		return -EFAULT;
	}
}
