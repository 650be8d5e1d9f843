// SPDX-License-Identifier: GPL-2.0
/*
 * A VM: guest memory and vCPUs. It lives as long as its file or one of its vCPUs, and SVM
 * stays enabled meanwhile.
 */
#include "vm.h"

#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "processor.h"
#include "vcpu.h"

static LIST_HEAD(vms);
static DEFINE_MUTEX(vms_mutex); /* vms */

/**
 * vm_create() - create a VM in the current process's address space
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
	vm->owner = get_pid(task_tgid(current));
	mutex_init(&vm->mutex);
	INIT_LIST_HEAD(&vm->vcpus);
	err = memory_init(&vm->memory, current->mm);
	if (err)
		goto err_memory;
	err = processor_get();
	if (err)
		goto err_processor;
	mutex_lock(&vms_mutex);
	list_add_tail(&vm->all, &vms);
	mutex_unlock(&vms_mutex);
	return vm;

err_processor:
	memory_destroy(&vm->memory);
err_memory:
	put_pid(vm->owner);
	kfree(vm);
	return ERR_PTR(err);
}

static void vm_release(struct kref *ref)
{
	struct vm *vm = container_of(ref, struct vm, ref);

	mutex_lock(&vms_mutex);
	list_del(&vm->all);
	mutex_unlock(&vms_mutex);
	processor_put();
	memory_destroy(&vm->memory);
	put_pid(vm->owner);
	kfree(vm);
}

/**
 * vm_get() - take a reference to a VM
 * @vm: the VM, to vm_put()
 */
void vm_get(struct vm *vm)
{
	kref_get(&vm->ref);
}

/**
 * vm_put() - drop a reference to a VM
 * @vm: the VM, destroyed with its last reference
 */
void vm_put(struct vm *vm)
{
	kref_put(&vm->ref, vm_release);
}

/**
 * vm_vcpu_add() - add a vCPU to its VM
 * @vcpu: the vCPU; gets its number
 *
 * Return: 0 or -ENOSPC.
 */
int vm_vcpu_add(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	int err = -ENOSPC;

	mutex_lock(&vm->mutex);
	if (vm->vcpu_count < VM_MAX_VCPUS) {
		vcpu->id = vm->vcpu_ids++;
		vm->vcpu_count++;
		list_add_tail(&vcpu->all, &vm->vcpus);
		err = 0;
	}
	mutex_unlock(&vm->mutex);
	return err;
}

/**
 * vm_vcpu_remove() - remove a vCPU from its VM
 * @vcpu: the vCPU
 */
void vm_vcpu_remove(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	mutex_lock(&vm->mutex);
	list_del(&vcpu->all);
	vm->vcpu_count--;
	mutex_unlock(&vm->mutex);
}

/**
 * vm_for_each() - call a function for each VM
 * @function: must not create or destroy VMs
 * @data: for @function
 */
void vm_for_each(void (*function)(struct vm *vm, void *data), void *data)
{
	struct vm *vm;

	mutex_lock(&vms_mutex);
	list_for_each_entry(vm, &vms, all)
		function(vm, data);
	mutex_unlock(&vms_mutex);
}

/**
 * vm_info() - get the present numbers of vCPUs, regions and pages
 * @vm: the VM
 * @info: filled in
 */
void vm_info(struct vm *vm, struct svmrun_vm_info *info)
{
	info->out_vcpus = READ_ONCE(vm->vcpu_count);
	memory_info(&vm->memory, info);
}
