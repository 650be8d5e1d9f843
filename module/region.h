/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_REGION_H
#define SVMRUN_REGION_H

#include <linux/compiler.h>
#include <linux/kref.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "npt.h"

/* Maximum number of populated regions that another one may share host memory with */
#define REGION_ALIASES 16

/**
 * struct region_log - dirty log of one MAP
 * @ref: one reference per region that is part of the MAP
 * @pages: the log; its bits are @bits
 * @bits: one bit per page
 *
 * Guarded by the lock of the nested page table.
 */
struct region_log {
	struct kref ref;
	struct npt_log pages;
	unsigned long bits[];
};

/**
 * struct region - a mapped range of guest physical addresses
 * @node: in the tree by guest physical address
 * @gpa: first guest physical address
 * @end: behind the last one
 * @hva: host virtual address of @gpa
 * @rights: NPT_WRITE, NPT_EXEC
 * @idle: populated, but no page has been mapped since this was set
 * @log: shared by the regions of one MAP, or NULL; the region holds a reference
 * @populated: in the tree by host virtual address, if pages of it may be mapped
 * @populated_last: of the tree: last host virtual address of this node and those below
 */
struct region {
	struct rb_node node;
	u64 gpa;
	u64 end;
	u64 hva;
	unsigned int rights;
	bool idle;
	struct region_log *log;
	struct rb_node populated;
	u64 populated_last;
};

/**
 * struct region_tree - the regions of a VM; none overlap in guest memory
 * @root: all of them, by guest physical address
 * @count: how many
 * @logged: how many of them have a log
 * @populated: those of which pages may be mapped in the nested page table, or still
 *	be in a TLB; by host virtual address. No host page is in more than
 *	REGION_ALIASES + 1 of them
 *
 * Guarded by its owner.
 */
struct region_tree {
	struct rb_root root;
	unsigned int count;
	unsigned int logged;
	struct rb_root_cached populated;
};

struct region *region_create(u64 gpa, u64 hva, u64 length, unsigned int rights,
			     bool log_dirty);
void region_free(struct region *region);

struct region *region_first(const struct region_tree *tree, u64 gpa);
struct region *region_find(const struct region_tree *tree, u64 gpa);
struct region *region_next(struct region *region);

void region_insert(struct region_tree *tree, struct region *region);
void region_erase(struct region_tree *tree, struct region *region);
void region_split(struct region_tree *tree, struct region *region, u64 gpa,
		  struct region *rest);
bool region_join(struct region_tree *tree, struct region *region,
		 struct region *next);

bool region_is_crowded(struct region_tree *tree, struct region *region);
bool region_add_populated(struct region_tree *tree, struct region *region);
void region_depopulate(struct region_tree *tree, struct region *region);
struct region *region_first_populated(struct region_tree *tree, u64 hva,
				      u64 end);
struct region *region_next_populated(struct region *region, u64 hva, u64 end);

void region_mark_dirty(struct region *region, u64 gpa);
u64 region_next_dirty(const struct region *region, u64 gpa, u64 end);
void region_clear_dirty(struct region *region, u64 gpa);

/**
 * region_hva() - convert a guest physical to a host virtual address
 * @region: the region
 * @gpa: guest physical address in it, or where it ends
 *
 * Return: the host virtual address.
 */
static inline u64 region_hva(const struct region *region, u64 gpa)
{
	return region->hva + (gpa - region->gpa);
}

static inline bool region_is_populated(const struct region *region)
{
	return !RB_EMPTY_NODE(&region->populated);
}

/**
 * region_populate() - mark a region as populated before a page of it is mapped
 * @tree: the tree
 * @region: a region in it
 *
 * Return: true, or false if region_is_crowded().
 */
static inline bool region_populate(struct region_tree *tree,
				   struct region *region)
{
	region->idle = false;
	return likely(region_is_populated(region)) ||
	       region_add_populated(tree, region);
}

#endif /* SVMRUN_REGION_H */
