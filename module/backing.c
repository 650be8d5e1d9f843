// SPDX-License-Identifier: GPL-2.0
/*
 * Backings: ranges of the program's memory that guests map. A page is looked up when a
 * guest accesses it, faulted in if necessary, and never pinned.
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

/**
 * backing_create() - create a backing for a range of a program's memory
 * @memory: the address space; the range is in its mm
 * @hva: a multiple of the page size
 * @end: a multiple of the page size, behind @hva
 * @ops: called when Linux invalidates pages
 *
 * Return: the backing, to backing_put(); or an error pointer: -ENOMEM, -EINTR.
 */
struct backing *backing_create(struct memory *memory, u64 hva, u64 end,
			       const struct mmu_interval_notifier_ops *ops)
{
	struct backing *backing = kzalloc(sizeof(*backing), GFP_KERNEL_ACCOUNT);
	int err;

	if (!backing)
		return ERR_PTR(-ENOMEM);
	kref_init(&backing->ref);
	RB_CLEAR_NODE(&backing->node);
	backing->memory = memory;
	backing->hva = hva;
	backing->end = end;
	err = mmu_interval_notifier_insert(&backing->notifier, memory->mm, hva,
					   end - hva, ops);
	if (err) {
		kfree(backing);
		return ERR_PTR(err);
	}
	return backing;
}

/**
 * backing_get() - take a reference to a backing
 * @backing: the backing, to backing_put()
 */
void backing_get(struct backing *backing)
{
	kref_get(&backing->ref);
}

static void backing_release(struct kref *ref)
{
	struct backing *backing = container_of(ref, struct backing, ref);

	mmu_interval_notifier_remove(&backing->notifier);
	kfree(backing);
}

/**
 * backing_put() - drop a reference to a backing
 * @backing: the backing. With the last reference it must be in no tree, and have no mapped
 *	pages, unless another backing has the same memory
 *
 * May sleep.
 */
void backing_put(struct backing *backing)
{
	kref_put(&backing->ref, backing_release);
}

/**
 * backing_first() - find the first backing that ends at an address or behind it
 * @tree: backings; they neither overlap nor touch
 * @hva: the address
 *
 * Return: the backing, or NULL.
 */
struct backing *backing_first(const struct rb_root *tree, u64 hva)
{
	struct rb_node *node = tree->rb_node;
	struct backing *first = NULL;

	while (node) {
		struct backing *backing = rb_entry(node, struct backing, node);

		if (backing->end >= hva) {
			first = backing;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return first;
}

/**
 * backing_at() - find the backing that an address is in
 * @tree: backings
 * @hva: the address
 *
 * Return: the backing, or NULL.
 */
struct backing *backing_at(const struct rb_root *tree, u64 hva)
{
	struct backing *backing = backing_first(tree, hva + 1);

	return backing && backing->hva <= hva ? backing : NULL;
}

/**
 * backing_next() - find the next backing in the tree
 * @backing: a backing in a tree
 *
 * Return: the backing, or NULL.
 */
struct backing *backing_next(struct backing *backing)
{
	struct rb_node *node = rb_next(&backing->node);

	return node ? rb_entry(node, struct backing, node) : NULL;
}

/**
 * backing_insert() - insert a backing, and its reference, into a tree
 * @tree: backings; none overlaps @backing
 * @backing: the backing
 */
void backing_insert(struct rb_root *tree, struct backing *backing)
{
	struct rb_node **link = &tree->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (backing->hva < rb_entry(parent, struct backing, node)->hva)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&backing->node, parent, link);
	rb_insert_color(&backing->node, tree);
}

/**
 * backing_erase() - remove a backing from its tree, so that no more pages are mapped
 * @tree: the tree
 * @backing: a backing in it, to backing_put()
 */
void backing_erase(struct rb_root *tree, struct backing *backing)
{
	rb_erase(&backing->node, tree);
	RB_CLEAR_NODE(&backing->node);
}

/* Return whether the entry of the page table permits the access. */
static bool is_found(unsigned long pfn, bool write)
{
	return (pfn & HMM_PFN_VALID) && (!write || (pfn & HMM_PFN_WRITE));
}

/*
 * Look up the page that is mapped now; with mmap_lock held. -EFAULT: there is no memory,
 * it is not readable, or it is not managed by Linux (VM_PFNMAP). A shadow stack counts as
 * not writable: VM_WRITE there means writable by the processor, not by stores (APM 18).
 */
static int look_up(struct backing *backing, u64 hva, unsigned long *pfn,
		   unsigned long sequence)
{
	struct mm_struct *mm = backing->memory->mm;
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
	if (!err && (*pfn & HMM_PFN_WRITE) &&
	    (vma_lookup(mm, hva)->vm_flags & VM_SHADOW_STACK))
		*pfn &= ~HMM_PFN_WRITE;
	return err;
}

/*
 * Fault a page in as an access by the program would; with mmap_lock held. It may wait for
 * another program (userfaultfd), so signals must interrupt it.
 *
 * Return: 0; -EAGAIN: mmap_lock was released; -EFAULT, -ENOMEM, -EHWPOISON.
 */
static int fault_in(struct mm_struct *mm, u64 hva, bool write)
{
	unsigned int flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
			     FAULT_FLAG_INTERRUPTIBLE;
	struct vm_area_struct *vma = vma_lookup(mm, hva);
	vm_fault_t fault;

	if (!vma || !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return -EFAULT;
	if (write && (vma->vm_flags & VM_SHADOW_STACK))
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

/* Find a page with mmap_lock held, and fault it in if necessary. */
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
		/* Repeat the lookup from the start. */
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

/* Return pages of a compound page, from @page on. */
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

/* Return as many pages in a row as are writable if the first one is, or else read-only. */
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
 * Read the program's page tables without locks. They are not freed while interrupts are
 * off. The pages must not be used before backing_has_changed() shows that they still
 * belong to the program.
 */
static void walk_page_tables(struct mm_struct *mm, u64 hva, unsigned int most,
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

/* Find present pages in a row, without locks. */
static bool find_quickly(struct backing *backing, u64 hva, bool write,
			 unsigned int most, struct backing_pages *pages)
{
	unsigned long flags;

	pages->count = 0;
	local_irq_save(flags);
	walk_page_tables(backing->memory->mm, hva, most, pages);
	local_irq_restore(flags);
	return pages->count && (pages->writable || !write);
}

/**
 * backing_find() - find the page at a host virtual address
 * @backing: the backing, of the current process
 * @hva: host virtual address in it
 * @write: it must be writable
 * @most: how many pages to look for from there on, 1 to BACKING_PAGES, all of
 *	them in the backing; more than the first only if it costs little
 * @pages: filled in
 *
 * Return: 0; -EBUSY: try again; -EINTR: a fatal signal; -EFAULT: the program has
 * no memory there, or no permission for the access; -ENOMEM; -EHWPOISON.
 */
int backing_find(struct backing *backing, u64 hva, bool write,
		 unsigned int most, struct backing_pages *pages)
{
	pages->hva = hva;
	pages->sequence = mmu_interval_read_begin(&backing->notifier);
	if (find_quickly(backing, hva, write, most, pages))
		return 0;
	return find_slowly(backing, hva, write, pages);
}

/**
 * backing_has_changed() - may pages have been invalidated since they were found?
 * @backing: the backing
 * @pages: from backing_find()
 *
 * Call it with the lock held that guards the tree; the notifier's callback takes it too.
 *
 * Return: true if they may, or if the backing is in no tree any more.
 */
bool backing_has_changed(struct backing *backing,
			 const struct backing_pages *pages)
{
	return RB_EMPTY_NODE(&backing->node) ||
	       mmu_interval_read_retry(&backing->notifier, pages->sequence);
}
