// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU: the pages that it shares with the program, and the hardware's VMCB.
 */
#include "vcpu.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "compat.h"
#include "page.h"
#include "permission.h"
#include "vm.h"

#define IOPM_ORDER get_order(PERMISSION_IOPM_SIZE)
#define MSRPM_ORDER get_order(PERMISSION_MSRPM_SIZE)

/* Every port is intercepted, for every guest (APM 15.10.1). */
static void *iopm;

/**
 * vcpu_init() - allocate what all vCPUs share
 *
 * Return: 0 or -ENOMEM.
 */
int vcpu_init(void)
{
	iopm = pages_alloc(NUMA_NO_NODE, IOPM_ORDER, GFP_KERNEL);
	if (!iopm)
		return -ENOMEM;
	memset(iopm, 0xff, PERMISSION_IOPM_SIZE);
	return 0;
}

/**
 * vcpu_exit() - the mirror of vcpu_init()
 */
void vcpu_exit(void)
{
	pages_free(iopm, IOPM_ORDER);
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

/* Pages of their own each, since the program's mappings may outlive the vCPU. */
static int alloc_shared(struct vcpu *vcpu, int node)
{
	unsigned int order = get_order(vcpu_size());
	void *pages = pages_alloc(node, order, GFP_KERNEL_ACCOUNT);

	if (!pages)
		return -ENOMEM;
	split_page(virt_to_page(pages), order);
	for (size_t i = vcpu_size(); i < PAGE_SIZE << order; i += PAGE_SIZE)
		free_page((unsigned long)pages + i);
	vcpu->pages = pages;
	return 0;
}

static void free_shared(struct vcpu *vcpu)
{
	for (size_t i = 0; i < vcpu_size(); i += PAGE_SIZE)
		free_page((unsigned long)vcpu->pages + i);
}

/* The hardware's VMCB: what the program has no say in. */
static void set_up_hw(struct vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->hw->control;

	vcpu->hw_pa = pages_pa(vcpu->hw);
	control->iopm_base_pa = pages_pa(iopm);
	control->msrpm_base_pa = pages_pa(vcpu->msrpm);
	control->n_cr3 = pages_pa(vcpu->vm->memory.npt.root);
	memset(vcpu->msrpm, 0xff, PERMISSION_MSRPM_SIZE);
}

static void set_up_shared(struct vcpu *vcpu)
{
	vcpu->user = vcpu->pages + SVMRUN_VCPU_VMCB;
	vcpu->user_pa = pages_pa(vcpu->user);
	vcpu->regs = vcpu->pages + SVMRUN_VCPU_REGISTERS;
	vcpu->regs->xcr0 = 1;
	memset(vcpu->pages + SVMRUN_VCPU_MSRPM, 0xff, PERMISSION_MSRPM_SIZE);
	vcpu->fpu.xcr0 = vcpu->regs->xcr0;
	vcpu->fpu.area = vcpu->pages + SVMRUN_VCPU_XSAVE;
}

/**
 * vcpu_create() - a vCPU of @vm
 * @vm: the VM; the vCPU keeps it
 *
 * Return: the vCPU, to vcpu_destroy(); or an error pointer: -ENOMEM, -ENOSPC.
 */
struct vcpu *vcpu_create(struct vm *vm)
{
	int node = numa_node_id(), err = -ENOMEM;
	struct vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->hw = pages_alloc(node, 0, GFP_KERNEL_ACCOUNT);
	if (!vcpu->hw)
		goto err_hw;
	vcpu->msrpm = pages_alloc(node, MSRPM_ORDER, GFP_KERNEL_ACCOUNT);
	if (!vcpu->msrpm)
		goto err_msrpm;
	err = alloc_shared(vcpu, node);
	if (err)
		goto err_shared;
	vcpu->vm = vm;
	set_up_shared(vcpu);
	set_up_hw(vcpu);
	err = vm_vcpu_add(vcpu);
	if (err)
		goto err_add;
	vm_get(vm);
	return vcpu;

err_add:
	free_shared(vcpu);
err_shared:
	pages_free(vcpu->msrpm, MSRPM_ORDER);
err_msrpm:
	pages_free(vcpu->hw, 0);
err_hw:
	kfree(vcpu);
	return ERR_PTR(err);
}

/**
 * vcpu_destroy() - the mirror of vcpu_create()
 * @vcpu: not running
 */
void vcpu_destroy(struct vcpu *vcpu)
{
	vm_vcpu_remove(vcpu);
	vm_put(vcpu->vm);
	npt_cache_drain(&vcpu->fault.cache);
	free_shared(vcpu);
	pages_free(vcpu->msrpm, MSRPM_ORDER);
	pages_free(vcpu->hw, 0);
	kfree(vcpu);
}

/**
 * vcpu_mmap() - show the program the shared pages
 * @vcpu: the vCPU
 * @vma: where
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
	for (i = 0; i < pages; i++) {
		void *page = vcpu->pages + ((vma->vm_pgoff + i) << PAGE_SHIFT);

		err = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT),
				     virt_to_page(page));
		if (err)
			return err;
	}
	return 0;
}

/*
 * As a signal does, ends a guest's run, and a wait for a page of its memory
 * (userfaultfd); forgotten when the thread is back in the program.
 */
static void notify(struct task_struct *thread)
{
	set_tsk_thread_flag(thread, TIF_NOTIFY_SIGNAL);
	if (!wake_up_process(thread))
		kick_process(thread);
}

/**
 * vcpu_kick() - make the run in flight, or the next one, come back
 * @vcpu: the vCPU
 */
void vcpu_kick(struct vcpu *vcpu)
{
	struct task_struct *thread;

	/* A thread that is done waits for us: not for long. */
	preempt_disable();
	atomic_inc(&vcpu->kickers);
	WRITE_ONCE(vcpu->kicked, 1);
	/*
	 * Pairs with cmpxchg() in vcpu_attach(): we see the thread, or it @kicked; and
	 * with xchg() in vcpu_detach(): or it sees @kickers.
	 */
	smp_mb();
	thread = READ_ONCE(vcpu->thread);
	if (thread)
		notify(thread);
	atomic_dec_return_release(&vcpu->kickers);
	preempt_enable();
}
