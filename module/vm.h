/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VM_H
#define SVMRUN_VM_H

#include <linux/atomic.h>
#include <linux/kref.h>

#include "memory.h"

#define VM_MAX_VCPUS 1024

/**
 * struct vm - a VM
 * @ref: its file and each of its vCPUs has one
 * @id: its number, which no other VM has had since the module was loaded
 * @vcpus: how many vCPUs
 * @memory: its guest physical address space
 */
struct vm {
	struct kref ref;
	u64 id;
	atomic_t vcpus;
	struct memory memory;
};

struct vm *vm_create(void);
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);

void vm_info(struct vm *vm, struct svmrun_vm_info *info);
bool vm_is_current(const struct vm *vm);
int vm_vcpu_add(struct vm *vm);
void vm_vcpu_remove(struct vm *vm);

#endif /* SVMRUN_VM_H */
