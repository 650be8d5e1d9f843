// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: mapped ranges of guest physical addresses. All are in a tree by guest physical
 * address; those that have pages in the nested page table are also in one by host virtual
 * address.
 */
#include "region.h"

#include <linux/bitops.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/slab.h>

static struct region_log *log_create(u64 gpa, u64 length)
{
	size_t words = BITS_TO_LONGS(length >> PAGE_SHIFT);
	struct region_log *log;

	/* Fail with -ENOMEM, without an allocation-failure splat in the log. */
	log = kvzalloc(struct_size(log, bits, words),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!log)
		return NULL;
	kref_init(&log->ref);
	log->pages.gpa = gpa;
	log->pages.bits = log->bits;
	return log;
}

static void log_release(struct kref *ref)
{
	kvfree(container_of(ref, struct region_log, ref));
}

/**
 * region_create() - create a region, in no tree yet
 * @gpa: a multiple of the page size
 * @hva: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; both ranges are in bounds
 * @rights: NPT_WRITE, NPT_EXEC
 * @log_dirty: keep a log of pages that the guest writes
 *
 * Return: the region, to region_free(); or NULL if there is no memory.
 */
struct region *region_create(u64 gpa, u64 hva, u64 length, unsigned int rights,
			     bool log_dirty)
{
	struct region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);

	if (!region)
		return NULL;
	region->gpa = gpa;
	region->end = gpa + length;
	region->hva = hva;
	region->rights = rights;
	RB_CLEAR_NODE(&region->populated);
	if (log_dirty) {
		region->log = log_create(gpa, length);
		if (!region->log) {
			kfree(region);
			return NULL;
		}
	}
	return region;
}

/**
 * region_free() - free a region
 * @region: in no tree
 */
void region_free(struct region *region)
{
	if (region->log)
		kref_put(&region->log->ref, log_release);
	kfree(region);
}

/**
 * region_first() - find the first region that ends behind an address
 * @tree: the tree
 * @gpa: the address
 *
 * Return: the region, or NULL.
 */
struct region *region_first(const struct region_tree *tree, u64 gpa)
{
	struct rb_node *node = tree->root.rb_node;
	struct region *first = NULL;

	while (node) {
		struct region *region = rb_entry(node, struct region, node);

		if (region->end > gpa) {
			first = region;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return first;
}

/**
 * region_find() - the region that an address is in
 * @tree: the tree
 * @gpa: the address
 *
 * Return: the region, or NULL.
 */
struct region *region_find(const struct region_tree *tree, u64 gpa)
{
	struct region *region = region_first(tree, gpa);

	return region && region->gpa <= gpa ? region : NULL;
}

/**
 * region_next() - find the next region
 * @region: a region in a tree
 *
 * Return: the region, or NULL.
 */
struct region *region_next(struct region *region)
{
	struct rb_node *node = rb_next(&region->node);

	return node ? rb_entry(node, struct region, node) : NULL;
}

/**
 * region_insert() - insert a region into the tree
 * @tree: the tree
 * @region: the region; nothing in the tree overlaps it
 */
void region_insert(struct region_tree *tree, struct region *region)
{
	struct rb_node **link = &tree->root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (region->gpa < rb_entry(parent, struct region, node)->gpa)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&region->node, parent, link);
	rb_insert_color(&region->node, &tree->root);
	tree->count++;
	tree->logged += !!region->log;
}

/**
 * region_erase() - remove a region from the tree by guest physical address
 * @tree: the tree
 * @region: a region in it
 */
void region_erase(struct region_tree *tree, struct region *region)
{
	rb_erase(&region->node, &tree->root);
	tree->count--;
	tree->logged -= !!region->log;
}

/* ---- regions with pages in the nested page table --------------------------- */

static u64 first_hva(const struct region *region)
{
	return region->hva;
}

static u64 last_hva(const struct region *region)
{
	return region_hva(region, region->end) - 1;
}

INTERVAL_TREE_DEFINE(struct region, populated, u64, populated_last, first_hva,
		     last_hva, static inline, populated)

/* Update the interval tree after the end of a populated region has changed. */
static void update_end(struct region *region)
{
	populated_augment_propagate(&region->populated, NULL);
}

/* Return whether the limit of populated regions with memory from @hva to @end is reached. */
static bool is_crowded(struct region_tree *tree, u64 hva, u64 end)
{
	struct region *region = region_first_populated(tree, hva, end);
	unsigned int count = 0;

	while (region && count++ < REGION_ALIASES)
		region = region_next_populated(region, hva, end);
	return region;
}

/**
 * region_is_crowded() - do too many others have a region's memory?
 * @tree: the tree
 * @region: a region in it
 *
 * Return: true if more than REGION_ALIASES others that are populated have memory
 * that the region has, and it is not populated itself.
 */
bool region_is_crowded(struct region_tree *tree, struct region *region)
{
	return !region_is_populated(region) &&
	       is_crowded(tree, region->hva, region_hva(region, region->end));
}

/**
 * region_add_populated() - mark a region as populated
 * @tree: the tree
 * @region: a region in it that is not
 *
 * Return: true, or false if region_is_crowded().
 */
bool region_add_populated(struct region_tree *tree, struct region *region)
{
	if (region_is_crowded(tree, region))
		return false;
	populated_insert(region, &tree->populated);
	return true;
}

/**
 * region_depopulate() - mark a region as not populated, after its pages were unmapped
 * @tree: the tree
 * @region: a region, populated or not; the TLB has been flushed since
 */
void region_depopulate(struct region_tree *tree, struct region *region)
{
	if (!region_is_populated(region))
		return;
	populated_remove(region, &tree->populated);
	RB_CLEAR_NODE(&region->populated);
}

/**
 * region_first_populated() - find the first region that may have pages of host memory mapped
 * @tree: the tree
 * @hva: host virtual address
 * @end: host virtual address behind it
 *
 * Return: the populated region that begins first of those that have a part of the
 * range, or NULL.
 */
struct region *region_first_populated(struct region_tree *tree, u64 hva,
				      u64 end)
{
	return populated_iter_first(&tree->populated, hva, end - 1);
}

/**
 * region_next_populated() - find the next region that may have pages of host memory mapped
 * @region: from region_first_populated() or this, with the same range
 * @hva: host virtual address
 * @end: host virtual address behind it
 *
 * Return: the next populated region, by where they begin, or NULL.
 */
struct region *region_next_populated(struct region *region, u64 hva, u64 end)
{
	return populated_iter_next(region, hva, end - 1);
}

/* ---- split and join ----------------------------------------------------------- */

/**
 * region_split() - split a region in two
 * @tree: the tree
 * @region: a region in it, which keeps what lies below @gpa
 * @gpa: inside of it, and not where it begins
 * @rest: becomes the region from @gpa on
 */
void region_split(struct region_tree *tree, struct region *region, u64 gpa,
		  struct region *rest)
{
	*rest = *region;
	RB_CLEAR_NODE(&rest->populated);
	rest->gpa = gpa;
	rest->hva = region_hva(region, gpa);
	if (rest->log)
		kref_get(&rest->log->ref);
	region->end = gpa;
	region_insert(tree, rest);
	if (region_is_populated(region)) {
		update_end(region);
		populated_insert(rest, &tree->populated);
	}
}

/* Return whether @next continues @region, with the same permissions. */
static bool is_continued(const struct region *region, const struct region *next)
{
	return region->end == next->gpa && last_hva(region) + 1 == next->hva &&
	       region->log == next->log && region->rights == next->rights;
}

/**
 * region_join() - join two regions if possible
 * @tree: the tree
 * @region: a region in it, which then includes @next
 * @next: the region that follows, to be freed afterwards
 *
 * Where too many others have the same memory, a region that is populated is not
 * joined with one that is not.
 *
 * Return: true if they were joined.
 */
bool region_join(struct region_tree *tree, struct region *region,
		 struct region *next)
{
	bool populated = region_is_populated(next);

	if (!is_continued(region, next))
		return false;
	if (region_is_populated(region) != populated &&
	    is_crowded(tree, region->hva, last_hva(next) + 1))
		return false;
	region_depopulate(tree, next);
	region_erase(tree, next);
	region->end = next->end;
	region->idle = region->idle && next->idle;
	if (region_is_populated(region))
		update_end(region);
	else if (populated)
		populated_insert(region, &tree->populated);
	return true;
}

/* ---- pages that the guest may have written ------------------------------------ */

static unsigned long page_number(const struct region *region, u64 gpa)
{
	return (gpa - region->log->pages.gpa) >> PAGE_SHIFT;
}

/**
 * region_mark_dirty() - log that a page may have been written to
 * @region: a region with a log
 * @gpa: guest physical address in it
 *
 * Call it with the lock of the nested page table held.
 */
void region_mark_dirty(struct region *region, u64 gpa)
{
	npt_log_set(&region->log->pages, gpa);
}

/**
 * region_next_dirty() - find the next logged page
 * @region: a region with a log
 * @gpa: guest physical address in it
 * @end: guest physical address behind @gpa, at most where the region ends
 *
 * Call it with the lock of the nested page table held.
 *
 * Return: the first page from @gpa on that the guest may have written; @end if
 * there is none.
 */
u64 region_next_dirty(const struct region *region, u64 gpa, u64 end)
{
	const struct npt_log *log = &region->log->pages;
	unsigned long page;

	if (!log->count)
		return end;
	page = find_next_bit(log->bits, page_number(region, end),
			     page_number(region, gpa));
	return log->gpa + ((u64)page << PAGE_SHIFT);
}

/**
 * region_clear_dirty() - remove a page from the log
 * @region: a region with a log
 * @gpa: guest physical address in it
 *
 * Call it with the lock of the nested page table held.
 */
void region_clear_dirty(struct region *region, u64 gpa)
{
	struct npt_log *log = &region->log->pages;

	log->count -= __test_and_clear_bit(page_number(region, gpa), log->bits);
}
