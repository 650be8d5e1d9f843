/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_BACKING_H
#define SVMRUN_BACKING_H

#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct memory;

/**
 * struct backing - a range of the program's memory that a VM's regions lie in
 * @notifier: called when Linux invalidates pages
 * @ref: references: of the tree, and of each thread that is looking for a page
 * @node: in the VM's tree, until another one replaces it or no region is left
 * @memory: address space of the regions that lie in it
 * @hva: first host virtual address
 * @end: behind the last one
 * @used: sum of the regions' bytes; guarded by the mutex of @memory
 */
struct backing {
	struct mmu_interval_notifier notifier;
	struct kref ref;
	struct rb_node node;
	struct memory *memory;
	u64 hva;
	u64 end;
	u64 used;
};

/* Maximum number of pages to look up at a time */
#define BACKING_PAGES 64

/**
 * struct backing_pages - pages that were found in the program's memory
 * @hva: host virtual address of the first one
 * @page: the pages, in order of their addresses; Linux may invalidate them unless the lock
 *	of the nested page table is held and backing_has_changed() returns false
 * @count: how many
 * @order: the first is part of 1 << @order pages that Linux maps as one
 * @writable: the program can write to them
 * @sequence: for backing_has_changed()
 */
struct backing_pages {
	u64 hva;
	struct page *page[BACKING_PAGES];
	unsigned int count;
	unsigned int order;
	bool writable;
	unsigned long sequence;
};

struct backing *backing_create(struct memory *memory, u64 hva, u64 end,
			       const struct mmu_interval_notifier_ops *ops);
void backing_get(struct backing *backing);
void backing_put(struct backing *backing);

struct backing *backing_first(const struct rb_root *tree, u64 hva);
struct backing *backing_at(const struct rb_root *tree, u64 hva);
struct backing *backing_next(struct backing *backing);
void backing_insert(struct rb_root *tree, struct backing *backing);
void backing_erase(struct rb_root *tree, struct backing *backing);

int backing_find(struct backing *backing, u64 hva, bool write,
		 unsigned int most, struct backing_pages *pages);
bool backing_has_changed(struct backing *backing,
			 const struct backing_pages *pages);

#endif /* SVMRUN_BACKING_H */
