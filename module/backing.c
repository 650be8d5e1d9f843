// SPDX-License-Identifier: GPL-2.0
/*
 * The program's memory behind guest physical addresses. Pages are looked up when
 * the guest touches them, faulted in if they must be, and never pinned.
 */
#include "backing.h"

#include <linux/err.h>
#include <linux/hmm.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
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

/* With locks, and faulting in what is missing */
static int find_slowly(struct backing *backing, u64 hva, bool write,
		       struct backing_pages *pages)
{
	struct mm_struct *mm = backing->memory->mm;
	unsigned long pfn;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = look_up(backing, hva, &pfn, pages->sequence);
	if (!err && !is_found(pfn, write)) {
		err = fault_in(mm, hva, write);
		if (err == -EAGAIN)
			return -EBUSY;
		/* It can be looked up now, from the start. */
		err = err ? err : -EBUSY;
	}
	mmap_read_unlock(mm);
	if (err)
		return err;
	pages->page[0] = hmm_pfn_to_page(pfn);
	pages->count = 1;
	pages->order = hmm_pfn_to_map_order(pfn);
	pages->writable = pfn & HMM_PFN_WRITE;
	return 0;
}

/* Pages from @page on, as many as are wanted of those that Linux maps as one */
static void take_large(struct page *page, u64 offset, unsigned int order,
		       unsigned int most, struct backing_pages *pages)
{
	unsigned long first = offset >> PAGE_SHIFT;

	pages->order = order;
	while (pages->count < most && first + pages->count < 1ul << order) {
		pages->page[pages->count] = page + first + pages->count;
		pages->count++;
	}
}

/* The first says whether it is writable, and the others are like it. */
static void take_small(pmd_t pmd, u64 hva, unsigned int most,
		       struct backing_pages *pages)
{
	const pte_t *pte = pte_offset_kernel(&pmd, hva);
	unsigned int i, left = PTRS_PER_PTE - pte_index(hva);

	pages->order = 0;
	for (i = 0; i < min(most, left); i++) {
		pte_t entry = READ_ONCE(pte[i]);
		bool writable = pte_access_permitted(entry, true);

		if (!i)
			pages->writable = writable;
		if (pte_special(entry) || !pte_access_permitted(entry, false) ||
		    writable != pages->writable)
			break;
		pages->page[pages->count++] = pte_page(entry);
	}
}

/*
 * What Linux's page tables hold. They do not go while interrupts are off; whether it
 * still is so is asked afterwards (backing_has_changed()), and until then the pages
 * may be anybody's.
 */
static void walk(struct mm_struct *mm, u64 hva, unsigned int most,
		 struct backing_pages *pages)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (pgd_none(pgd))
		return;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (!p4d_present(p4d))
		return;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!pud_present(pud))
		return;
	if (pud_leaf(pud)) {
		pages->writable = pud_access_permitted(pud, true);
		if (pud_access_permitted(pud, false) && !pud_special(pud))
			take_large(pud_page(pud), hva & ~PUD_MASK,
				   PUD_SHIFT - PAGE_SHIFT, most, pages);
		return;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!pmd_present(pmd))
		return;
	if (pmd_leaf(pmd)) {
		pages->writable = pmd_access_permitted(pmd, true);
		if (pmd_access_permitted(pmd, false) && !pmd_special(pmd))
			take_large(pmd_page(pmd), hva & ~PMD_MASK,
				   PMD_SHIFT - PAGE_SHIFT, most, pages);
		return;
	}
	take_small(pmd, hva, most, pages);
}

/* Without locks: pages that are there, as many as there are in a row */
static bool find_quickly(struct backing *backing, u64 hva, bool write,
			 unsigned int most, struct backing_pages *pages)
{
	unsigned long flags;

	pages->count = 0;
	local_irq_save(flags);
	walk(backing->memory->mm, hva, most, pages);
	local_irq_restore(flags);
	return pages->count && (pages->writable || !write);
}

/**
 * backing_find() - the page behind a guest physical address
 * @backing: the backing, of the current process
 * @gpa: guest physical address in it
 * @write: it must be writable
 * @most: how many pages to look for from there on, 1 to BACKING_PAGES, all of
 *	them in the backing; more than the first only if it costs little
 * @pages: filled in
 *
 * Return: 0; -EBUSY: try again; -EINTR: a fatal signal; -EFAULT: the program has
 * no memory there, or not with this right; -ENOMEM; -EHWPOISON.
 */
int backing_find(struct backing *backing, u64 gpa, bool write,
		 unsigned int most, struct backing_pages *pages)
{
	u64 hva = backing_hva(backing, gpa);

	pages->sequence = mmu_interval_read_begin(&backing->notifier);
	if (find_quickly(backing, hva, write, most, pages))
		return 0;
	return find_slowly(backing, hva, write, pages);
}

/**
 * backing_has_changed() - may pages have been taken away since they were found?
 * @backing: the backing
 * @pages: from backing_find()
 *
 * Under the lock that the notifier's callback takes too.
 *
 * Return: true if they may.
 */
bool backing_has_changed(struct backing *backing,
			 const struct backing_pages *pages)
{
	return mmu_interval_read_retry(&backing->notifier, pages->sequence);
}

/**
 * backing_mark_dirty() - note in the log that a page may have been written to
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
 * Under the lock of the nested page table.
 */
void backing_clear_dirty(struct backing *backing, u64 gpa)
{
	__clear_bit(page_number(backing, gpa), backing->dirty);
}
