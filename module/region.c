// SPDX-License-Identifier: GPL-2.0
/* Regions, a tree by guest physical address. */
#include "region.h"

#include "backing.h"

/**
 * region_first() - the first region that ends behind an address
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
 * region_next() - the region that follows
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
 * region_insert() - into the tree, if nothing there overlaps it
 * @tree: the tree
 * @region: the region
 *
 * Return: true if it is in the tree now.
 */
bool region_insert(struct region_tree *tree, struct region *region)
{
	struct rb_node **link = &tree->root.rb_node, *parent = NULL;

	while (*link) {
		struct region *other = rb_entry(*link, struct region, node);

		parent = *link;
		if (region->end <= other->gpa)
			link = &parent->rb_left;
		else if (region->gpa >= other->end)
			link = &parent->rb_right;
		else
			return false;
	}
	rb_link_node(&region->node, parent, link);
	rb_insert_color(&region->node, &tree->root);
	tree->count++;
	return true;
}

/**
 * region_erase() - out of the tree
 * @tree: the tree
 * @region: a region in it
 */
void region_erase(struct region_tree *tree, struct region *region)
{
	rb_erase(&region->node, &tree->root);
	tree->count--;
}

/**
 * region_split() - make two regions of one
 * @tree: the tree
 * @region: a region in it, which keeps what lies below @gpa
 * @gpa: inside of it, and not where it begins
 * @rest: becomes the region from @gpa on
 */
void region_split(struct region_tree *tree, struct region *region, u64 gpa,
		  struct region *rest)
{
	*rest = *region;
	rest->gpa = gpa;
	backing_get(rest->backing);
	region->end = gpa;
	region_insert(tree, rest);
}

/**
 * region_joins() - could one region be instead of two?
 * @region: a region
 * @next: the region that follows
 *
 * Return: true if @next just goes on where @region ends.
 */
bool region_joins(const struct region *region, const struct region *next)
{
	return region->end == next->gpa && region->backing == next->backing &&
	       region->rights == next->rights;
}
