// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine.h"

#define KVM_DEVICE "/dev/kvm"

struct machine {
	int kvm, vm, vcpu;
	size_t run_size;
	struct kvm_run *run;
	unsigned int slots;
};

static int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static bool available(void)
{
	return !access(KVM_DEVICE, R_OK | W_OK);
}

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = ~0u,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static void set_protected(struct machine *m)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	check(ioctl(m->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs = flat(0x08, 0xb);
	sregs.ds = flat(0x10, 0x3);
	sregs.es = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.cr0 = 0x31; /* PE, ET, NE */
	check(ioctl(m->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(m->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static struct machine *create(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		fail("memory");
	m->kvm = check(open(KVM_DEVICE, O_RDWR | O_CLOEXEC), KVM_DEVICE);
	m->vm = check(ioctl(m->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	m->vcpu = check(ioctl(m->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	m->run_size = check(ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
			    "KVM_GET_VCPU_MMAP_SIZE");
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      m->vcpu, 0);
	if (m->run == MAP_FAILED)
		fail("mmap of a vCPU");
	set_protected(m);
	return m;
}

static void destroy(struct machine *m)
{
	munmap(m->run, m->run_size);
	close(m->vcpu);
	close(m->vm);
	close(m->kvm);
	free(m);
}

static void map(struct machine *m, uint64_t gpa, void *hva, size_t size,
		bool log)
{
	struct kvm_userspace_memory_region region = {
		.slot = m->slots++,
		.flags = log ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	check(ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region),
	      "KVM_SET_USER_MEMORY_REGION");
}

/* By the shared page, which is the quickest way that KVM has. */
static void start(struct machine *m, uint32_t eip, uint32_t ebx, uint32_t ecx)
{
	struct kvm_regs *regs = &m->run->s.regs.regs;

	regs->rflags = 2;
	regs->rip = eip;
	regs->rbx = ebx;
	regs->rcx = ecx;
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

static void run(struct machine *m)
{
	check(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
}

/* KVM_RUN has done it, or will. */
static void step(struct machine *m, unsigned int length)
{
}

static void null(struct machine *m)
{
	ioctl(m->vcpu, 0, 0);
}

const struct engine kvm_engine = {
	.name = "kvm",
	.available = available,
	.create = create,
	.destroy = destroy,
	.map = map,
	.start = start,
	.run = run,
	.step = step,
	.null = null,
};
