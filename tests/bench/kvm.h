/* SPDX-License-Identifier: GPL-2.0 */
/* A KVM VM, for kvm.c and kvm_clone.c */
#ifndef KVM_H
#define KVM_H

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "engine.h"

struct machine {
	int vm, vcpu;
	bool is_sibling; /* shares another machine's VM */
	struct kvm_run *run;
	unsigned int slots;
	struct clone *clone; /* or NULL */
};

static inline int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

struct machine *kvm_create(void);
/* Create a vCPU in KVM's initial state. */
void kvm_vcpu(struct machine *m);
void kvm_map(struct machine *m, uint64_t gpa, void *hva, size_t size, bool log);

struct snapshot *kvm_snapshot(struct machine *m, void *memory, size_t size);
void kvm_discard(struct snapshot *snapshot);
struct machine *kvm_clone(const struct snapshot *snapshot);
void kvm_reset(struct machine *m);
void kvm_clone_free(struct machine *m);

#endif /* KVM_H */
