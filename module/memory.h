/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_MEMORY_H
#define SVMRUN_MEMORY_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/svmrun.h>
#include <linux/types.h>

#include "npt.h"
#include "region.h"

#define MEMORY_MAX_REGIONS 65536

/* Number of entries to visit before the lock is released */
#define MEMORY_STEPS 1024

struct mm_struct;

/**
 * struct memory - the guest physical address space of a VM
 * @mm: address space of the program
 * @mutex: serialises changes of @regions and @backings; mmap_lock is taken inside of it
 * @lock: guards @regions, @backings and @npt; no lock is taken inside of it
 * @regions: mapped ranges
 * @backings: ranges of the program's memory, by host virtual address; each region lies in
 *	one of them, and none overlaps or adjoins another
 * @npt: the nested page table
 * @tlb_generation: incremented when translations have been removed
 * @running: CPUs that may be using translations of this VM; in cache lines of its own,
 *	because each RUN writes to it
 */
struct memory {
	struct mm_struct *mm;
	struct mutex mutex; /* changes of regions and backings */
	spinlock_t lock; /* regions, backings, npt */
	struct region_tree regions;
	struct rb_root backings;
	struct npt npt;
	atomic64_t tlb_generation;
	struct cpumask *running;
};

int memory_init(struct memory *memory, struct mm_struct *mm);
void memory_destroy(struct memory *memory);
void memory_info(struct memory *memory, struct svmrun_vm_info *info);

int memory_map(struct memory *memory, u64 gpa, u64 hva, u64 length,
	       unsigned int rights, bool log_dirty);
int memory_unmap(struct memory *memory, u64 gpa, u64 length);
int memory_protect(struct memory *memory, u64 gpa, u64 length,
		   unsigned int rights);

typedef bool npt_step(struct npt *npt, struct npt_range *range,
		      unsigned int steps);

void memory_step(struct memory *memory, u64 gpa, u64 end, npt_step *step);
void memory_zap(struct memory *memory, u64 gpa, u64 end);
int memory_make_room(struct memory *memory, u64 gpa);
void memory_flush(struct memory *memory);

#endif /* SVMRUN_MEMORY_H */
