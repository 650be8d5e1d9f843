// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

#undef PAGE_SIZE /* lib/x86.h defines it, too */

#include "lib/x86.h"
#include "notes.h"

/*
 * The XSAVE area as debuggers know it: XCR0 is in bytes that the processor does not use, and
 * the components up to AVX have the same places on all processors.
 */
#define XSTATE_XCR0 464
#define XSTATE_SIZE 576
#define XSTATE_AVX_SIZE 832

static void put_bytes(struct notes *notes, const void *from, size_t size)
{
	if (notes->bytes)
		memcpy(notes->bytes + notes->size, from, size);
	notes->size += size;
}

static void put_padding(struct notes *notes)
{
	static const uint8_t zeros[3];

	put_bytes(notes, zeros, -notes->size & 3);
}

static void put_note(struct notes *notes, const char *name, uint32_t type,
		     const void *contents, size_t size)
{
	const Elf64_Nhdr header = {
		.n_namesz = strlen(name) + 1,
		.n_descsz = size,
		.n_type = type,
	};

	put_bytes(notes, &header, sizeof(header));
	put_bytes(notes, name, header.n_namesz);
	put_padding(notes);
	put_bytes(notes, contents, size);
	put_padding(notes);
}

static struct user_regs_struct registers_of(const struct svmrun_vcpu *vcpu)
{
	const struct svm_vmcb_save *save = &vcpu->vmcb->save;
	const struct svmrun_registers *regs = vcpu->regs;

	return (struct user_regs_struct){
		.r15 = regs->r15,
		.r14 = regs->r14,
		.r13 = regs->r13,
		.r12 = regs->r12,
		.rbp = regs->rbp,
		.rbx = regs->rbx,
		.r11 = regs->r11,
		.r10 = regs->r10,
		.r9 = regs->r9,
		.r8 = regs->r8,
		.rax = save->rax,
		.rcx = regs->rcx,
		.rdx = regs->rdx,
		.rsi = regs->rsi,
		.rdi = regs->rdi,
		.orig_rax = -1, /* not in a system call */
		.rip = save->rip,
		.cs = save->cs.selector,
		.eflags = save->rflags,
		.rsp = save->rsp,
		.ss = save->ss.selector,
		.fs_base = save->fs.base,
		.gs_base = save->gs.base,
		.ds = save->ds.selector,
		.es = save->es.selector,
		.fs = save->fs.selector,
		.gs = save->gs.selector,
	};
}

/* Debuggers show each processor as a thread. A thread has no number 0. */
static void put_registers(struct notes *notes, const struct svmrun_vcpu *vcpu,
			  uint32_t number)
{
	const struct user_regs_struct registers = registers_of(vcpu);
	struct elf_prstatus status = { .pr_pid = number + 1 };

	_Static_assert(sizeof(registers) == sizeof(status.pr_reg), "layout");
	memcpy(&status.pr_reg, &registers, sizeof(registers));
	put_note(notes, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void put_xstate(struct notes *notes, const struct svmrun_vcpu *vcpu)
{
	uint64_t xcr0 = XCR0_X87 | XCR0_SSE | (vcpu->regs->xcr0 & XCR0_AVX);
	uint8_t area[XSTATE_AVX_SIZE];

	memcpy(area, vcpu->xsave, sizeof(area));
	memcpy(area + XSTATE_XCR0, &xcr0, sizeof(xcr0));
	put_note(notes, "LINUX", NT_X86_XSTATE, area,
		 xcr0 & XCR0_AVX ? XSTATE_AVX_SIZE : XSTATE_SIZE);
}

void notes_put_vcpus(struct notes *notes, const struct vcpus *vcpus)
{
	size_t i;

	for (i = 0; i < vcpus->count; i++) {
		put_registers(notes, &vcpus->list[i], i);
		put_xstate(notes, &vcpus->list[i]);
	}
}

void notes_put_raw(struct notes *notes, const void *note, size_t size)
{
	put_bytes(notes, note, size);
	put_padding(notes);
}
