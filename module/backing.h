/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_BACKING_H
#define SVMRUN_BACKING_H

#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/types.h>

struct memory;

/**
 * struct backing - a range of the program's memory, as one MAP gave it
 * @notifier: hears when Linux takes pages of it away
 * @ref: each region has one, and whoever is looking for a page
 * @memory: whose regions it is behind
 * @gpa: where the guest sees its beginning
 * @hva: where the program does
 * @length: bytes
 * @dirty: a bit a page that the guest may have written, or NULL if nobody keeps
 *	a log; guarded by the lock of the nested page table
 */
struct backing {
	struct mmu_interval_notifier notifier;
	struct kref ref;
	struct memory *memory;
	u64 gpa;
	u64 hva;
	u64 length;
	unsigned long *dirty;
};

/* Pages that are looked for at a time, at most */
#define BACKING_PAGES 64

/**
 * struct backing_pages - pages that were found in the program's memory
 * @page: the pages, one behind the other; Linux may take them away unless the
 *	lock of the nested page table is held and backing_has_changed() says no
 * @count: how many
 * @order: the first lies in 1 << @order pages that Linux maps as one
 * @writable: the program may write to them
 * @sequence: to ask backing_has_changed() with
 */
struct backing_pages {
	struct page *page[BACKING_PAGES];
	unsigned int count;
	unsigned int order;
	bool writable;
	unsigned long sequence;
};

struct backing *backing_create(struct memory *memory, u64 gpa, u64 hva,
			       u64 length, bool log_dirty,
			       const struct mmu_interval_notifier_ops *ops);
void backing_get(struct backing *backing);
void backing_put(struct backing *backing);

u64 backing_hva(const struct backing *backing, u64 gpa);
int backing_find(struct backing *backing, u64 gpa, bool write,
		 unsigned int most, struct backing_pages *pages);
bool backing_has_changed(struct backing *backing,
			 const struct backing_pages *pages);

void backing_mark_dirty(struct backing *backing, u64 gpa);
u64 backing_next_dirty(const struct backing *backing, u64 gpa, u64 end);
void backing_clear_dirty(struct backing *backing, u64 gpa);

#endif /* SVMRUN_BACKING_H */
