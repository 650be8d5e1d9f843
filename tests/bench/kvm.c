// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvm.h"

#define KVM_DEVICE "/dev/kvm"

static int device = -1;
static size_t run_size;

static bool open_device(void)
{
	device = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return false;
	run_size = check(ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0),
			 "KVM_GET_VCPU_MMAP_SIZE");
	return true;
}

static void close_device(void)
{
	close(device);
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

struct machine *kvm_create(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		fail("memory");
	m->vm = check(ioctl(device, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	return m;
}

void kvm_vcpu(struct machine *m)
{
	m->vcpu = check(ioctl(m->vm, KVM_CREATE_VCPU, m->is_sibling),
			"KVM_CREATE_VCPU");
	m->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      m->vcpu, 0);
	if (m->run == MAP_FAILED)
		fail("mmap of a vCPU");
}

static void vcpu(struct machine *m)
{
	kvm_vcpu(m);
	set_protected(m);
}

static void long_mode(struct machine *m, uint32_t cr3)
{
	struct kvm_sregs sregs;

	check(ioctl(m->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.db = 0;
	sregs.cs.l = 1;
	sregs.cr3 = cr3;
	sregs.cr4 |= 0x20; /* PAE */
	sregs.efer |= 0x500; /* LMA, LME */
	sregs.cr0 |= 0x80000000; /* PG */
	check(ioctl(m->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

/* KVM requires a CPUID with SVM, and an address in VM_HSAVE_PA. */
static void give_svm(struct machine *m)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .head.nent = 256 };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = 0xc0010117, .data = 0x6000 },
	};
	struct kvm_sregs sregs;

	check(ioctl(device, KVM_GET_SUPPORTED_CPUID, &cpuid),
	      "KVM_GET_SUPPORTED_CPUID");
	check(ioctl(m->vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
	check(ioctl(m->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.efer |= 0x1000; /* SVME */
	check(ioctl(m->vcpu, KVM_SET_SREGS, &sregs),
	      "KVM_SET_SREGS: EFER.SVME; is kvm_amd loaded with nested=1?");
	check(ioctl(m->vcpu, KVM_SET_MSRS, &msr), "KVM_SET_MSRS");
}

static struct machine *sibling(struct machine *m)
{
	struct machine *other = calloc(1, sizeof(*other));

	if (!other)
		fail("memory");
	other->vm = m->vm;
	other->is_sibling = true;
	vcpu(other);
	return other;
}

static void destroy(struct machine *m)
{
	kvm_clone_free(m);
	munmap(m->run, run_size);
	close(m->vcpu);
	if (!m->is_sibling)
		close(m->vm);
	free(m);
}

static void set_region(struct machine *m,
		       struct kvm_userspace_memory_region *region)
{
	check(ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, region),
	      "KVM_SET_USER_MEMORY_REGION");
}

void kvm_map(struct machine *m, uint64_t gpa, void *hva, size_t size, bool log)
{
	struct kvm_userspace_memory_region region = {
		.slot = m->slots++,
		.flags = log ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	set_region(m, &region);
}

/*
 * A write to a read-only slot exits with KVM_EXIT_MMIO and the address; a write to
 * memory that the program may not write to fails with EFAULT, without the address.
 * KVM can only make a slot read-only by creating it again.
 */
static void protect(struct machine *m, uint64_t gpa, void *hva, bool writable)
{
	struct kvm_userspace_memory_region region = {
		.slot = m->slots - 1,
		.guest_phys_addr = gpa,
		.userspace_addr = (uintptr_t)hva,
	};

	set_region(m, &region);
	region.memory_size = 4096;
	region.flags = writable ? 0 : KVM_MEM_READONLY;
	set_region(m, &region);
}

/* Use the shared page, the fastest way that KVM has. */
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
	if (ioctl(m->vcpu, KVM_RUN, 0) && errno != EINTR)
		fail("KVM_RUN");
}

/* KVM_RUN completes the instruction itself. */
static void step(struct machine *m, unsigned int length)
{
}

/* Without interrupt controllers in the kernel, KVM forgets it on the #VMEXIT. */
static void pend_interrupt(struct machine *m)
{
	struct kvm_interrupt vector = { .irq = 32 };

	check(ioctl(m->vcpu, KVM_INTERRUPT, &vector), "KVM_INTERRUPT");
}

/* KVM has handled it. */
static bool cpuid(struct machine *m)
{
	return false;
}

static void null(struct machine *m)
{
	ioctl(m->vcpu, 0, 0);
}

const struct engine kvm_engine = {
	.name = "kvm",
	.open = open_device,
	.close = close_device,
	.create = kvm_create,
	.vcpu = vcpu,
	.long_mode = long_mode,
	.nested = give_svm,
	.sibling = sibling,
	.destroy = destroy,
	.map = kvm_map,
	.protect = protect,
	.start = start,
	.run = run,
	.step = step,
	.interrupt = pend_interrupt,
	.cpuid = cpuid,
	.null = null,
	.snapshot = kvm_snapshot,
	.discard = kvm_discard,
	.clone = kvm_clone,
	.reset = kvm_reset,
};
