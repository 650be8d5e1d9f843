// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_clone() and svmrun_reset() implemented with KVM: memory in a memfd, a
 * private mapping of it, a dirty log, and all vCPU state that a guest can change.
 * Like the library's, a reset copies pages back, which is faster than to discard
 * them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm.h"

#define PAGE 4096ul
#define MSRS 9

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[MSRS];
};

struct snapshot {
	int fd;
	uint8_t *memory; /* mapping of the file */
	size_t size;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct msrs msrs;
};

struct clone {
	const struct snapshot *snapshot;
	uint8_t *memory;
	uint64_t *log;
};

/* MSRs of svmrun's VMCB that a guest may write without an exit */
static const uint32_t msrs[] = {
	0x174, /* SYSENTER_CS */
	0x175, /* SYSENTER_ESP */
	0x176, /* SYSENTER_EIP */
	0x277, /* PAT */
	0xc0000081, /* STAR */
	0xc0000082, /* LSTAR */
	0xc0000083, /* CSTAR */
	0xc0000084, /* SFMASK */
	0xc0000102, /* KernelGSBase */
};

/* kvm_sregs contains FS.base, GS.base and EFER. */
static void get_msrs(struct machine *m, struct msrs *kept)
{
	const unsigned int count = sizeof(msrs) / sizeof(*msrs);

	kept->head.nmsrs = count;
	for (unsigned int i = 0; i < count; i++)
		kept->entries[i].index = msrs[i];
	if (check(ioctl(m->vcpu, KVM_GET_MSRS, kept), "KVM_GET_MSRS") !=
	    (int)count)
		fail("KVM_GET_MSRS");
}

static void get_vcpu(struct machine *m, struct snapshot *s)
{
	check(ioctl(m->vcpu, KVM_GET_REGS, &s->regs), "KVM_GET_REGS");
	check(ioctl(m->vcpu, KVM_GET_SREGS, &s->sregs), "KVM_GET_SREGS");
	check(ioctl(m->vcpu, KVM_GET_XSAVE, &s->xsave), "KVM_GET_XSAVE");
	check(ioctl(m->vcpu, KVM_GET_XCRS, &s->xcrs), "KVM_GET_XCRS");
	check(ioctl(m->vcpu, KVM_GET_DEBUGREGS, &s->debugregs),
	      "KVM_GET_DEBUGREGS");
	check(ioctl(m->vcpu, KVM_GET_VCPU_EVENTS, &s->events),
	      "KVM_GET_VCPU_EVENTS");
	get_msrs(m, &s->msrs);
}

static void set_vcpu(struct machine *m, const struct snapshot *s)
{
	check(ioctl(m->vcpu, KVM_SET_SREGS, &s->sregs), "KVM_SET_SREGS");
	check(ioctl(m->vcpu, KVM_SET_REGS, &s->regs), "KVM_SET_REGS");
	check(ioctl(m->vcpu, KVM_SET_XSAVE, &s->xsave), "KVM_SET_XSAVE");
	check(ioctl(m->vcpu, KVM_SET_XCRS, &s->xcrs), "KVM_SET_XCRS");
	check(ioctl(m->vcpu, KVM_SET_DEBUGREGS, &s->debugregs),
	      "KVM_SET_DEBUGREGS");
	check(ioctl(m->vcpu, KVM_SET_VCPU_EVENTS, &s->events),
	      "KVM_SET_VCPU_EVENTS");
	check(ioctl(m->vcpu, KVM_SET_MSRS, &s->msrs), "KVM_SET_MSRS");
}

static uint8_t *view(int fd, size_t size, int rights)
{
	void *memory = mmap(NULL, size, rights, MAP_PRIVATE | MAP_NORESERVE, fd,
			    0);

	if (memory == MAP_FAILED)
		fail("mmap of a snapshot");
	return memory;
}

struct snapshot *kvm_snapshot(struct machine *m, void *memory, size_t size)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		fail("memory");
	s->fd = check(memfd_create("snapshot", MFD_CLOEXEC), "memfd_create");
	s->size = size;
	if (write(s->fd, memory, size) != (ssize_t)size)
		fail("write to a memfd");
	s->memory = view(s->fd, size, PROT_READ);
	get_vcpu(m, s);
	return s;
}

void kvm_discard(struct snapshot *s)
{
	munmap(s->memory, s->size);
	close(s->fd);
	free(s);
}

struct machine *kvm_clone(const struct snapshot *s)
{
	struct machine *m = kvm_create();

	m->clone = calloc(1, sizeof(*m->clone));
	if (!m->clone)
		fail("memory");
	m->clone->snapshot = s;
	m->clone->memory = view(s->fd, s->size, PROT_READ | PROT_WRITE);
	m->clone->log = calloc(s->size / PAGE / 64, sizeof(uint64_t));
	if (!m->clone->log)
		fail("memory");
	kvm_map(m, 0, m->clone->memory, s->size, true);
	kvm_vcpu(m);
	set_vcpu(m, s);
	return m;
}

void kvm_clone_free(struct machine *m)
{
	if (!m->clone)
		return;
	munmap(m->clone->memory, m->clone->snapshot->size);
	free(m->clone->log);
	free(m->clone);
}

static void put_pages_back(struct clone *clone)
{
	const struct snapshot *s = clone->snapshot;

	for (size_t i = 0; i < s->size / PAGE / 64; i++) {
		for (uint64_t bits = clone->log[i]; bits; bits &= bits - 1) {
			size_t page = i * 64 + __builtin_ctzll(bits);

			memcpy(clone->memory + page * PAGE,
			       s->memory + page * PAGE, PAGE);
		}
	}
}

void kvm_reset(struct machine *m)
{
	struct kvm_dirty_log log = { .dirty_bitmap = m->clone->log };

	check(ioctl(m->vm, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
	put_pages_back(m->clone);
	set_vcpu(m, m->clone->snapshot);
}
