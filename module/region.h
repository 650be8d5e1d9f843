/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_REGION_H
#define SVMRUN_REGION_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct backing;

/**
 * struct region - guest physical addresses that are tied to memory
 * @node: in the tree
 * @gpa: first guest physical address
 * @end: behind the last one
 * @rights: NPT_WRITE, NPT_EXEC
 * @backing: the memory; the region has a reference
 */
struct region {
	struct rb_node node;
	u64 gpa;
	u64 end;
	unsigned int rights;
	struct backing *backing;
};

/**
 * struct region_tree - regions by guest physical address; none overlap
 * @root: the tree
 * @count: how many
 *
 * Guarded by its owner.
 */
struct region_tree {
	struct rb_root root;
	unsigned int count;
};

struct region *region_first(const struct region_tree *tree, u64 gpa);
struct region *region_find(const struct region_tree *tree, u64 gpa);
struct region *region_next(struct region *region);

bool region_insert(struct region_tree *tree, struct region *region);
void region_erase(struct region_tree *tree, struct region *region);
void region_split(struct region_tree *tree, struct region *region, u64 gpa,
		  struct region *rest);
bool region_joins(const struct region *region, const struct region *next);

#endif /* SVMRUN_REGION_H */
