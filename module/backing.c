// SPDX-License-Identifier: GPL-2.0
/*
 * The program's memory behind guest physical addresses. Pages are looked up when
 * the guest touches them, faulted in if they must be, and never pinned.
 */
#include "backing.h"

#include <linux/err.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "memory.h"

static unsigned long page_number(const struct backing *backing, u64 gpa)
{
	return (gpa - backing->gpa) >> PAGE_SHIFT;
}

static unsigned long *dirty_alloc(u64 length)
{
	size_t bits = length >> PAGE_SHIFT;

	/* Whoever asks for more than there is hears so, and nobody else. */
	return kvcalloc(BITS_TO_LONGS(bits), sizeof(long),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static void backing_free(struct backing *backing)
{
	kvfree(backing->dirty);
	kfree(backing);
}

/**
 * backing_create() - a range of a program's memory
 * @memory: whose mm it is in
 * @gpa: a multiple of the page size
 * @hva: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; both ranges are in bounds
 * @log_dirty: keep a log of pages that the guest writes
 * @ops: hears when Linux takes pages away
 *
 * Return: the backing, to backing_put(); or an error pointer: -ENOMEM, -EINTR.
 */
struct backing *backing_create(struct memory *memory, u64 gpa, u64 hva,
			       u64 length, bool log_dirty,
			       const struct mmu_interval_notifier_ops *ops)
{
	struct backing *backing = kzalloc(sizeof(*backing), GFP_KERNEL_ACCOUNT);
	int err;

	if (!backing)
		return ERR_PTR(-ENOMEM);
	kref_init(&backing->ref);
	backing->memory = memory;
	backing->gpa = gpa;
	backing->hva = hva;
	backing->length = length;
	err = -ENOMEM;
	if (log_dirty) {
		backing->dirty = dirty_alloc(length);
		if (!backing->dirty)
			goto err;
	}
	err = mmu_interval_notifier_insert(&backing->notifier, memory->mm, hva,
					   length, ops);
	if (err)
		goto err;
	return backing;

err:
	backing_free(backing);
	return ERR_PTR(err);
}

/**
 * backing_get() - keep a backing
 * @backing: the backing, to backing_put()
 */
void backing_get(struct backing *backing)
{
	kref_get(&backing->ref);
}

static void release(struct kref *ref)
{
	struct backing *backing = container_of(ref, struct backing, ref);

	mmu_interval_notifier_remove(&backing->notifier);
	backing_free(backing);
}

/**
 * backing_put() - the mirror of backing_create() and backing_get()
 * @backing: nothing of it is mapped any more if this is the last
 *
 * May sleep.
 */
void backing_put(struct backing *backing)
{
	kref_put(&backing->ref, release);
}

/**
 * backing_hva() - where the program sees what the guest sees at an address
 * @backing: the backing
 * @gpa: guest physical address in it
 *
 * Return: the address.
 */
u64 backing_hva(const struct backing *backing, u64 gpa)
{
	return backing->hva + (gpa - backing->gpa);
}

/* Does the page tables' entry do for the access? */
static bool is_found(unsigned long pfn, bool write)
{
	return (pfn & HMM_PFN_VALID) && (!write || (pfn & HMM_PFN_WRITE));
}

/*
 * What is mapped there now; with mmap_lock held. -EFAULT: nothing can be: no
 * memory of the program's, none that it can read, or none of Linux's (VM_PFNMAP).
 */
static int look_up(struct backing *backing, u64 hva, unsigned long *pfn,
		   unsigned long sequence)
{
	struct hmm_range range = {
		.notifier = &backing->notifier,
		.notifier_seq = sequence,
		.start = hva,
		.end = hva + PAGE_SIZE,
		.hmm_pfns = pfn,
	};
	int err;

	*pfn = 0;
	err = hmm_range_fault(&range);
	if (!err && (*pfn & HMM_PFN_ERROR))
		err = -EFAULT;
	return err;
}

/*
 * As if the program had touched it; with mmap_lock held. It may have to wait for
 * another program to serve it (userfaultfd), so signals must get through.
 *
 * Return: 0; -EAGAIN: mmap_lock had to be let go; -EFAULT, -ENOMEM, -EHWPOISON.
 */
static int fault_in(struct mm_struct *mm, u64 hva, bool write)
{
	unsigned int flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
			     FAULT_FLAG_INTERRUPTIBLE;
	struct vm_area_struct *vma = vma_lookup(mm, hva);
	vm_fault_t fault;

	if (!vma || !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return -EFAULT;
	if (write)
		flags |= FAULT_FLAG_WRITE;
	fault = handle_mm_fault(vma, hva, flags, NULL);
	if (fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED))
		return -EAGAIN;
	return fault & VM_FAULT_ERROR ?
		       vm_fault_to_errno(fault, FOLL_HWPOISON) :
		       0;
}

/* Look up, fault in, look up; -EBUSY: something is changing, from the start. */
static int look_up_or_fault_in(struct backing *backing, u64 hva, bool write,
			       struct backing_page *page, unsigned long *pfn)
{
	struct mm_struct *mm = backing->memory->mm;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = look_up(backing, hva, pfn, page->sequence);
	if (!err && !is_found(*pfn, write)) {
		err = fault_in(mm, hva, write);
		if (err == -EAGAIN)
			return -EBUSY;
		if (!err)
			err = -EBUSY;
	}
	mmap_read_unlock(mm);
	return err;
}

/**
 * backing_find() - the page behind a guest physical address
 * @backing: the backing, of the current process
 * @gpa: guest physical address in it
 * @write: it must be writable
 * @page: filled in
 *
 * Return: 0; -EBUSY: try again; -EINTR: a fatal signal; -EFAULT: the program has
 * no memory there, or not with this right; -ENOMEM; -EHWPOISON.
 */
int backing_find(struct backing *backing, u64 gpa, bool write,
		 struct backing_page *page)
{
	unsigned long pfn;
	int err;

	page->sequence = mmu_interval_read_begin(&backing->notifier);
	err = look_up_or_fault_in(backing, backing_hva(backing, gpa), write,
				  page, &pfn);
	if (err)
		return err;
	page->page = hmm_pfn_to_page(pfn);
	page->order = hmm_pfn_to_map_order(pfn);
	page->writable = pfn & HMM_PFN_WRITE;
	return 0;
}

/**
 * backing_has_changed() - may a page have been taken away since it was found?
 * @backing: the backing
 * @page: from backing_find()
 *
 * Under the lock that the notifier's callback takes too.
 *
 * Return: true if it may.
 */
bool backing_has_changed(struct backing *backing,
			 const struct backing_page *page)
{
	return mmu_interval_read_retry(&backing->notifier, page->sequence);
}

/**
 * backing_mark_dirty() - note in the log that the guest may write to a page
 * @backing: a backing with a log
 * @gpa: guest physical address in it
 *
 * Under the lock of the nested page table.
 */
void backing_mark_dirty(struct backing *backing, u64 gpa)
{
	__set_bit(page_number(backing, gpa), backing->dirty);
}

/**
 * backing_next_dirty() - find in the log
 * @backing: a backing with a log
 * @gpa: guest physical address in it
 * @end: guest physical address behind @gpa, at most where the backing ends
 *
 * Under the lock of the nested page table.
 *
 * Return: the first page from @gpa on that the guest may have written; @end if
 * there is none.
 */
u64 backing_next_dirty(const struct backing *backing, u64 gpa, u64 end)
{
	unsigned long page = find_next_bit(backing->dirty,
					   page_number(backing, end),
					   page_number(backing, gpa));

	return backing->gpa + ((u64)page << PAGE_SHIFT);
}

/**
 * backing_clear_dirty() - take a page off the log
 * @backing: a backing with a log
 * @gpa: guest physical address in it
 *
 * Under the lock of the nested page table, from which the right to write to it
 * must go too.
 */
void backing_clear_dirty(struct backing *backing, u64 gpa)
{
	__clear_bit(page_number(backing, gpa), backing->dirty);
}
