/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory in addition to the machine's own: the calls that map it, and guests
 * that access it
 */
#ifndef PAGES_H
#define PAGES_H

#include "machine.h"

/* Constants that older headers of the C library lack */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define KIB_4 PAGE
#define MIB_2 (2ul << 20)
#define GIB_1 (1ul << 30)

#define MAP_RW (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE)
#define MAP_RX (SVMRUN_MAP_READ | SVMRUN_MAP_EXEC)

static inline int machine_protect(struct machine *m, uint64_t gpa,
				  uint64_t length, uint32_t flags)
{
	struct svmrun_protect protect = {
		.size = sizeof(protect),
		.flags = flags,
		.gpa = gpa,
		.length = length,
	};

	return call(m->vm.fd, SVMRUN_PROTECT, &protect);
}

static inline int machine_dirty(struct machine *m, uint64_t gpa,
				uint64_t length, uint64_t *bitmap,
				uint32_t flags)
{
	struct svmrun_dirty dirty = {
		.size = sizeof(dirty),
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.bitmap = (uintptr_t)bitmap,
	};

	return call(m->vm.fd, SVMRUN_DIRTY, &dirty);
}

static inline struct svmrun_vm_info machine_vm_info(struct machine *m)
{
	struct svmrun_vm_info info = { .size = sizeof(info) };

	if (call(m->vm.fd, SVMRUN_VM_INFO, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

static inline unsigned int machine_regions(struct machine *m)
{
	return machine_vm_info(m).out_regions;
}

/* Allocate memory; return MAP_FAILED on failure. */
static inline void *pages_new(size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Allocate memory at @where, in place of what is mapped there. */
static inline void *pages_renew(void *where, size_t length)
{
	return mmap(where, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/*
 * Allocate memory at an address that is a multiple of @alignment, a power of two.
 */
static inline void *pages_new_aligned(size_t length, size_t alignment)
{
	char *all = pages_new(length + alignment), *pages;

	if (all == MAP_FAILED)
		return MAP_FAILED;
	pages = (char *)(((uintptr_t)all + alignment - 1) & -alignment);
	munmap(all, pages - all);
	munmap(pages + length, all + alignment - pages);
	return pages;
}

/*
 * Guests that access the address in EBX. Writes store EAX; code that is fetched
 * must end in HLT.
 */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

GUEST(access_read, 32, "mov (%ebx), %eax\n hlt");
GUEST(access_write, 32, "mov %eax, (%ebx)\n hlt");
GUEST(access_fetch, 32, "jmp *%ebx");

#define HLT_BYTE 0xf4

/* Access @gpa once; return the result of RUN. */
static inline int machine_access(struct machine *m, enum access what,
				 uint64_t gpa, uint32_t value)
{
	switch (what) {
	case ACCESS_READ:
		MACHINE_LOAD(m, MODE_PROTECTED, access_read);
		break;
	case ACCESS_WRITE:
		MACHINE_LOAD(m, MODE_PROTECTED, access_write);
		break;
	case ACCESS_FETCH:
		MACHINE_LOAD(m, MODE_PROTECTED, access_fetch);
		break;
	}
	m->vcpu.regs->rbx = gpa;
	m->vcpu.vmcb->save.rax = value;
	return machine_run(m);
}

/* The access must succeed. */
#define EXPECT_ACCESS(m, access, gpa, value)                                   \
	do {                                                                   \
		EXPECT_EQ(0, machine_access(m, access, gpa, value));           \
		EXPECT_EQ(VMEXIT_HLT, (m)->vcpu.vmcb->control.exitcode);       \
	} while (0)

#define EXPECT_READ(value, m, gpa)                                             \
	do {                                                                   \
		EXPECT_ACCESS(m, ACCESS_READ, gpa, 0);                         \
		EXPECT_EQ((value), (uint32_t)(m)->vcpu.vmcb->save.rax);        \
	} while (0)

#define EXPECT_WRITE(m, gpa, value) EXPECT_ACCESS(m, ACCESS_WRITE, gpa, value)

/* The access must fail: RUN returns @result, and EXITINFO2 contains the page. */
#define EXPECT_NPF(result, m, access, gpa)                                     \
	do {                                                                   \
		EXPECT_EQ((result), machine_access(m, access, gpa, 0));        \
		EXPECT_EQ(VMEXIT_NPF, (m)->vcpu.vmcb->control.exitcode);       \
		EXPECT_EQ((gpa), (m)->vcpu.vmcb->control.exitinfo2);           \
	} while (0)

/* Access ECX pages from EBX on: read each page, or increment a number in each. */
GUEST(sweep_read, 32, "1: mov (%ebx), %eax\n add $4096, %ebx\n loop 1b\n hlt");
GUEST(sweep_write, 32, "1: incl (%ebx)\n add $4096, %ebx\n loop 1b\n hlt");

/*
 * Read or, with @write, increment a number in each page; return the result of RUN.
 */
static inline int machine_sweep(struct machine *m, uint64_t gpa,
				uint64_t length, bool write)
{
	if (write)
		MACHINE_LOAD(m, MODE_PROTECTED, sweep_write);
	else
		MACHINE_LOAD(m, MODE_PROTECTED, sweep_read);
	m->vcpu.regs->rbx = gpa;
	m->vcpu.regs->rcx = length / PAGE;
	return machine_run(m);
}

#endif /* PAGES_H */
