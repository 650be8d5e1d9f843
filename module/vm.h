/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VM_H
#define SVMRUN_VM_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "memory.h"

#define VM_MAX_VCPUS 1024

/**
 * struct vm - a VM
 * @ref: references: of its file and of each vCPU
 * @id: its number, which no other VM has had since the module was loaded
 * @owner: the process that created it
 * @all: in the list of all VMs
 * @mutex: guards @vcpus, @vcpu_count and @vcpu_ids; taken inside of the list's
 * @vcpus: its vCPUs
 * @vcpu_count: how many
 * @vcpu_ids: how many have been created
 * @memory: its guest physical address space
 */
struct vm {
	struct kref ref;
	u64 id;
	struct pid *owner;
	struct list_head all;
	struct mutex mutex; /* vcpus, vcpu_count, vcpu_ids */
	struct list_head vcpus;
	unsigned int vcpu_count;
	unsigned int vcpu_ids;
	struct memory memory;
};

struct pid;
struct vcpu;

struct vm *vm_create(void);
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);

void vm_info(struct vm *vm, struct svmrun_vm_info *info);
int vm_vcpu_add(struct vcpu *vcpu);
void vm_vcpu_remove(struct vcpu *vcpu);
void vm_for_each(void (*function)(struct vm *vm, void *data), void *data);

/**
 * vm_is_current() - does the VM belong to the current process?
 * @vm: the VM
 *
 * Return: true if it is.
 */
static inline bool vm_is_current(const struct vm *vm)
{
	return vm->memory.mm == current->mm;
}

#endif /* SVMRUN_VM_H */
