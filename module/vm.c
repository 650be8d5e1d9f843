// SPDX-License-Identifier: GPL-2.0
/*
 * A VM: an address space that lives as long as its file or a vCPU of it, and
 * that keeps SVM enabled.
 */
#include "vm.h"

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "processor.h"

/**
 * vm_create() - a VM in the current process's address space
 *
 * Return: the VM, to vm_put(); or an error pointer: -ENOMEM, or as
 * processor_get().
 */
struct vm *vm_create(void)
{
	static atomic64_t created;
	struct vm *vm;
	int err;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	vm->id = atomic64_inc_return(&created);
	err = memory_init(&vm->memory, current->mm);
	if (err)
		goto err_memory;
	err = processor_get();
	if (err)
		goto err_processor;
	return vm;

err_processor:
	memory_destroy(&vm->memory);
err_memory:
	kfree(vm);
	return ERR_PTR(err);
}

static void release(struct kref *ref)
{
	struct vm *vm = container_of(ref, struct vm, ref);

	processor_put();
	memory_destroy(&vm->memory);
	kfree(vm);
}

/**
 * vm_get() - keep a VM
 * @vm: the VM, to vm_put()
 */
void vm_get(struct vm *vm)
{
	kref_get(&vm->ref);
}

/**
 * vm_put() - the mirror of vm_create() and vm_get()
 * @vm: gone if nobody else keeps it
 */
void vm_put(struct vm *vm)
{
	kref_put(&vm->ref, release);
}

/**
 * vm_is_current() - is it the current process whose memory the VM has?
 * @vm: the VM
 *
 * Return: true if it is.
 */
bool vm_is_current(const struct vm *vm)
{
	return vm->memory.mm == current->mm;
}

/**
 * vm_vcpu_add() - count one more vCPU
 * @vm: the VM
 *
 * Return: 0 or -ENOSPC.
 */
int vm_vcpu_add(struct vm *vm)
{
	return atomic_add_unless(&vm->vcpus, 1, VM_MAX_VCPUS) ? 0 : -ENOSPC;
}

/**
 * vm_vcpu_remove() - the mirror of vm_vcpu_add()
 * @vm: the VM
 */
void vm_vcpu_remove(struct vm *vm)
{
	atomic_dec(&vm->vcpus);
}

/**
 * vm_info() - what a VM has at the moment
 * @vm: the VM
 * @info: filled in
 */
void vm_info(struct vm *vm, struct svmrun_vm_info *info)
{
	info->out_vcpus = atomic_read(&vm->vcpus);
	memory_info(&vm->memory, info);
}
