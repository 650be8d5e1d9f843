/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_MEMORY_H
#define SVMRUN_MEMORY_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "npt.h"

#define MEMORY_MAX_REGIONS 65536

struct mm_struct;

/**
 * struct memory - the guest physical address space of a VM
 * @mm: whose memory it is
 * @lock: guards @regions and @count; taken outside of mmap_lock
 * @regions: tree of struct region by guest physical address; none overlap
 * @count: regions
 * @npt_lock: guards @npt; taken inside of everything
 * @npt: the nested page table
 * @tlb_generation: rises when translations have been taken away
 * @running: CPUs that may hold translations of this VM and be using them
 */
struct memory {
	struct mm_struct *mm;
	struct rw_semaphore lock; /* regions, count */
	struct rb_root regions;
	unsigned int count;
	spinlock_t npt_lock; /* npt */
	struct npt npt;
	atomic64_t tlb_generation;
	cpumask_var_t running;
};

int memory_init(struct memory *memory, struct mm_struct *mm);
void memory_destroy(struct memory *memory);

int memory_map(struct memory *memory, u64 gpa, u64 hva, u64 length,
	       unsigned int rights);
int memory_unmap(struct memory *memory, u64 gpa, u64 length);
int memory_fault(struct memory *memory, struct npt_cache *cache, u64 gpa,
		 u64 error_code);

#endif /* SVMRUN_MEMORY_H */
