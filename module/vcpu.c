// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU: the pages that it shares with the program, the hardware's VMCB, and kicks
 */
#include "vcpu.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "compat.h"
#include "page.h"
#include "permission.h"
#include "vm.h"

#define ALL_ORDER get_order(PERMISSION_IOPM_SIZE)
#define MSRPM_WORDS (PERMISSION_MSRPM_SIZE / sizeof(u64))

/*
 * A permission map that intercepts everything. It is the I/O permission map of every guest
 * (APM 15.10.1), and the MSR permission map until the program first accesses its own.
 */
static void *all;

static_assert(PERMISSION_MSRPM_SIZE <= PERMISSION_IOPM_SIZE);

/**
 * vcpu_init() - allocate the permission map that all vCPUs share
 *
 * Return: 0 or -ENOMEM.
 */
int vcpu_init(void)
{
	all = pages_alloc(NUMA_NO_NODE, ALL_ORDER, GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	memset(all, 0xff, PERMISSION_IOPM_SIZE);
	return 0;
}

/**
 * vcpu_exit() - undo vcpu_init()
 */
void vcpu_exit(void)
{
	pages_free(all, ALL_ORDER);
}

/**
 * vcpu_size() - size of a vCPU's shared pages
 *
 * Return: bytes, a multiple of the page size.
 */
u32 vcpu_size(void)
{
	return SVMRUN_VCPU_XSAVE + PAGE_ALIGN(fpu_area_size());
}

static size_t xsave_size(void)
{
	return vcpu_size() - SVMRUN_VCPU_XSAVE;
}

/* Allocate pages that are freed one by one: each may be mapped longer than the vCPU lives. */
static void *alloc_split(int node, size_t size)
{
	unsigned int order = get_order(size);
	void *pages = pages_alloc(node, order, GFP_KERNEL_ACCOUNT);

	if (!pages)
		return NULL;
	split_page(virt_to_page(pages), order);
	for (size_t i = size; i < PAGE_SIZE << order; i += PAGE_SIZE)
		free_page((unsigned long)pages + i);
	return pages;
}

static void free_split(void *pages, size_t size)
{
	for (size_t i = 0; pages && i < size; i += PAGE_SIZE)
		free_page((unsigned long)pages + i);
}

/* Size of the pages that each vCPU has from the beginning */
static size_t pages_size(void)
{
	return 3 * PAGE_SIZE + xsave_size();
}

static void free_pages_of(struct vcpu *vcpu)
{
	free_split(vcpu->msrpm, 2 * PERMISSION_MSRPM_SIZE);
	free_split(vcpu->regs, pages_size());
}

/*
 * Allocate the pages at once, which takes fewer instructions. Only the first one can lie at
 * the beginning of 2 MiB, where the VMCBs must not: see page_alloc_for_svm().
 */
static int alloc_pages_of(struct vcpu *vcpu)
{
	void *pages = alloc_split(numa_node_id(), pages_size());

	if (!pages)
		return -ENOMEM;
	vcpu->regs = pages;
	vcpu->hw = pages + PAGE_SIZE;
	vcpu->user = pages + 2 * PAGE_SIZE;
	vcpu->fpu.area = pages + 3 * PAGE_SIZE;
	return 0;
}

/* Set the fields of the hardware's VMCB that the program cannot change. */
static void set_up_hw(struct vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->hw->control;

	/* __svm_vmrun() reads it there; vmcb_load() does not write these bytes. */
	*(void **)control->software = vcpu->regs;
	vcpu->hw_pa = pages_pa(vcpu->hw);
	vcpu->user_pa = pages_pa(vcpu->user);
	control->iopm_base_pa = pages_pa(all);
	control->msrpm_base_pa = pages_pa(all);
	control->n_cr3 = pages_pa(vcpu->vm->memory.npt.root);
}

/**
 * vcpu_create() - create a vCPU
 * @vm: the VM; the vCPU holds a reference to it
 *
 * Return: the vCPU, to vcpu_destroy(); or an error pointer: -ENOMEM, -ENOSPC.
 */
struct vcpu *vcpu_create(struct vm *vm)
{
	static atomic64_t created;
	struct vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int err;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	err = alloc_pages_of(vcpu);
	if (err)
		goto err_pages;
	vcpu->vm = vm;
	vcpu->serial = atomic64_inc_return(&created);
	spin_lock_init(&vcpu->kick_lock);
	vcpu->regs->xcr0 = 1;
	vcpu->fpu.xcr0 = 1;
	set_up_hw(vcpu);
	err = vm_vcpu_add(vcpu);
	if (err)
		goto err_add;
	vm_get(vm);
	return vcpu;

err_add:
	free_pages_of(vcpu);
err_pages:
	kfree(vcpu);
	return ERR_PTR(err);
}

/**
 * vcpu_destroy() - destroy a vCPU
 * @vcpu: not running
 */
void vcpu_destroy(struct vcpu *vcpu)
{
	vm_vcpu_remove(vcpu);
	vm_put(vcpu->vm);
	npt_cache_drain(&vcpu->fault.cache);
	free_pages_of(vcpu);
	kfree(vcpu);
}

/* ---- shared pages -------------------------------------------------------- */

/* Return NULL for a page of the MSR permission map that is not allocated yet. */
static struct page *shared_page(const struct vcpu *vcpu, size_t offset)
{
	void *pages = vcpu->user;

	if (offset >= SVMRUN_VCPU_XSAVE) {
		pages = vcpu->fpu.area + (offset - SVMRUN_VCPU_XSAVE);
	} else if (offset >= SVMRUN_VCPU_MSRPM) {
		/* Pairs with cmpxchg_release() in alloc_msrpms(). */
		pages = smp_load_acquire(&vcpu->msrpm);
		if (pages)
			pages += offset - SVMRUN_VCPU_MSRPM;
	} else if (offset >= SVMRUN_VCPU_REGISTERS) {
		pages = vcpu->regs;
	}
	return pages ? virt_to_page(pages) : NULL;
}

/*
 * Allocate the program's MSR permission map and the hardware's together, so that RUN
 * never allocates. Of several callers the first one succeeds, and the others free theirs.
 */
static int alloc_msrpms(struct vcpu *vcpu)
{
	void *maps = alloc_split(numa_node_id(), 2 * PERMISSION_MSRPM_SIZE);

	if (!maps)
		return -ENOMEM;
	memset(maps, 0xff, 2 * PERMISSION_MSRPM_SIZE);
	/* Pairs with smp_load_acquire(), which must see the filled maps. */
	if (cmpxchg_release(&vcpu->msrpm, NULL, maps))
		free_split(maps, 2 * PERMISSION_MSRPM_SIZE);
	return 0;
}

/*
 * Fault in a shared page. Take none of the vCPU's locks: the page can be guest memory of
 * the vCPU itself, and the fault can come from a RUN.
 */
static vm_fault_t vcpu_page_fault(struct vm_fault *vmf)
{
	struct vcpu *vcpu = vmf->vma->vm_file->private_data;
	size_t offset = vmf->pgoff << PAGE_SHIFT;
	struct page *page = shared_page(vcpu, offset);

	if (!page) {
		if (alloc_msrpms(vcpu))
			return VM_FAULT_SIGBUS;
		page = shared_page(vcpu, offset);
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vm_ops = { .fault = vcpu_page_fault };

/**
 * vcpu_mmap() - map the shared pages into a program
 * @vcpu: the vCPU
 * @vma: the mapping
 *
 * Return: 0; -EINVAL if it is a private mapping or not wholly inside; another
 * negative errno.
 */
int vcpu_mmap(struct vcpu *vcpu, struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma), size = vcpu_size() >> PAGE_SHIFT;
	unsigned long i;
	int err;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff >= size ||
	    pages > size - vma->vm_pgoff)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_ops = &vm_ops;
	for (i = 0; i < pages; i++) {
		size_t offset = (vma->vm_pgoff + i) << PAGE_SHIFT;
		struct page *page = shared_page(vcpu, offset);

		if (!page)
			continue;
		err = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT),
				     page);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vcpu_load_msrpm() - load the program's MSR permission map
 * @vcpu: the vCPU, which the caller has attached
 * @lbr: the guest runs with LBR virtualization
 */
void vcpu_load_msrpm(struct vcpu *vcpu, bool lbr)
{
	/* Pairs with cmpxchg_release() in alloc_msrpms(). */
	u64 *user = smp_load_acquire(&vcpu->msrpm);

	vcpu->lbr = lbr;
	if (!user)
		return;
	permission_load(user + MSRPM_WORDS, user, lbr);
	vcpu->hw->control.msrpm_base_pa = pages_pa(user + MSRPM_WORDS);
	vcpu->hw->control.clean &= ~SVM_CLEAN_IOPM;
}

/*
 * End a run, or its wait for a page of guest memory (userfaultfd), as a signal would. The
 * kernel clears the flag when the thread returns to user mode. Do not wake the thread
 * from an uninterruptible sleep.
 */
static void notify_thread(struct task_struct *thread)
{
	set_tsk_thread_flag(thread, TIF_NOTIFY_SIGNAL);
	/* Either the thread sees the flag before it sleeps, or this sees that it sleeps. */
	smp_mb__after_atomic();
	if (!(READ_ONCE(thread->__state) & TASK_INTERRUPTIBLE) ||
	    !wake_up_process(thread))
		kick_process(thread);
}

/**
 * vcpu_kick() - make the run in progress, or the next one, return
 * @vcpu: the vCPU
 */
void vcpu_kick(struct vcpu *vcpu)
{
	struct task_struct *thread;

	WRITE_ONCE(vcpu->kicked, 1);
	spin_lock(&vcpu->kick_lock);
	/*
	 * Pairs with cmpxchg() in vcpu_attach(): this sees the thread, or the thread
	 * sees @kicked; and with xchg() in vcpu_detach().
	 */
	smp_mb__after_spinlock();
	thread = READ_ONCE(vcpu->thread);
	if (thread)
		notify_thread(thread);
	spin_unlock(&vcpu->kick_lock);
}
