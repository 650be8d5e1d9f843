/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SVM's instructions, with the names and signatures of Microsoft's intrinsics. With SME, a
 * physical address includes the encryption bit. All require EFER.SVME and CPL 0, and raise
 * #UD or #GP otherwise.
 */
#ifndef SVMRUN_SVM_INTRIN_H
#define SVMRUN_SVM_INTRIN_H

#include <linux/svmrun.h>
#include <linux/types.h>
#include <asm/alternative.h>
#include <asm/mem_encrypt.h>
#include <asm/page.h>
#include <asm/segment.h>

#include "compat.h"

#define GPR(name) "%c[" #name "](%%rdi)"
#define GPR_AFTER(name) "%c[" #name "](%%rax)"
#define GPR_OFFSET(name) [name] "i"(offsetof(struct svmrun_registers, name))

/**
 * __svm_vmrun() - VMRUN (APM 15.5)
 * @VmcbPhysicalAddress: of the VMCB to run. Its software area (APM appendix B, offset
 *	3E0h) begins with the address of the guest's struct svmrun_registers: the
 *	general-purpose registers except RAX and RSP, which the processor itself
 *	switches. They are loaded from there and stored back.
 *
 * Returns after #VMEXIT with GIF clear, and with the guest's FS, GS, TR, LDTR and
 * system call MSRs still loaded: nothing may use per-CPU data before VMLOAD.
 */
static __always_inline void __svm_vmrun(size_t VmcbPhysicalAddress)
{
	const struct svm_vmcb *vmcb = __va(VmcbPhysicalAddress & ~sme_me_mask);
	const void *registers = *(void *const *)vmcb->control.software;
	static const u16 selector = __KERNEL_DS;

	/* clang-format off */
	asm volatile("push %%rbp\n\t"
		     "push %%rdi\n\t"
		     "mov " GPR(rbx) ", %%rbx\n\t"
		     "mov " GPR(rcx) ", %%rcx\n\t"
		     "mov " GPR(rdx) ", %%rdx\n\t"
		     "mov " GPR(rbp) ", %%rbp\n\t"
		     "mov " GPR(rsi) ", %%rsi\n\t"
		     "mov " GPR(r8) ", %%r8\n\t"
		     "mov " GPR(r9) ", %%r9\n\t"
		     "mov " GPR(r10) ", %%r10\n\t"
		     "mov " GPR(r11) ", %%r11\n\t"
		     "mov " GPR(r12) ", %%r12\n\t"
		     "mov " GPR(r13) ", %%r13\n\t"
		     "mov " GPR(r14) ", %%r14\n\t"
		     "mov " GPR(r15) ", %%r15\n\t"
		     "mov " GPR(rdi) ", %%rdi\n\t"
		     CLEAR_BUFFERS("%[selector]")
		     "vmrun\n\t"
		     "pop %%rax\n\t"
		     "mov %%rbx, " GPR_AFTER(rbx) "\n\t"
		     "mov %%rcx, " GPR_AFTER(rcx) "\n\t"
		     "mov %%rdx, " GPR_AFTER(rdx) "\n\t"
		     "mov %%rbp, " GPR_AFTER(rbp) "\n\t"
		     "mov %%rsi, " GPR_AFTER(rsi) "\n\t"
		     "mov %%rdi, " GPR_AFTER(rdi) "\n\t"
		     "mov %%r8, " GPR_AFTER(r8) "\n\t"
		     "mov %%r9, " GPR_AFTER(r9) "\n\t"
		     "mov %%r10, " GPR_AFTER(r10) "\n\t"
		     "mov %%r11, " GPR_AFTER(r11) "\n\t"
		     "mov %%r12, " GPR_AFTER(r12) "\n\t"
		     "mov %%r13, " GPR_AFTER(r13) "\n\t"
		     "mov %%r14, " GPR_AFTER(r14) "\n\t"
		     "mov %%r15, " GPR_AFTER(r15) "\n\t"
		     "pop %%rbp\n\t"
		     /* Clear guest values, so that the host does not speculate with them. */
		     "xor %%ebx, %%ebx\n\t"
		     "xor %%ecx, %%ecx\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xor %%esi, %%esi\n\t"
		     "xor %%edi, %%edi\n\t"
		     "xor %%r8d, %%r8d\n\t"
		     "xor %%r9d, %%r9d\n\t"
		     "xor %%r10d, %%r10d\n\t"
		     "xor %%r11d, %%r11d\n\t"
		     "xor %%r12d, %%r12d\n\t"
		     "xor %%r13d, %%r13d\n\t"
		     "xor %%r14d, %%r14d\n\t"
		     "xor %%r15d, %%r15d\n\t"
		     : "+a"(VmcbPhysicalAddress), "+D"(registers)
		     : [selector] "m"(selector),
		       GPR_OFFSET(rbx), GPR_OFFSET(rcx), GPR_OFFSET(rdx),
		       GPR_OFFSET(rbp), GPR_OFFSET(rsi), GPR_OFFSET(rdi),
		       GPR_OFFSET(r8), GPR_OFFSET(r9), GPR_OFFSET(r10),
		       GPR_OFFSET(r11), GPR_OFFSET(r12), GPR_OFFSET(r13),
		       GPR_OFFSET(r14), GPR_OFFSET(r15)
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
		       "r12", "r13", "r14", "r15", "cc", "memory");
	/* clang-format on */
}

#undef GPR
#undef GPR_AFTER
#undef GPR_OFFSET

/**
 * __svm_vmload() - VMLOAD (APM 15.5.2): FS, GS, TR, LDTR and system call MSRs
 * @VmcbPhysicalAddress: of the VMCB to load them from
 */
static __always_inline void __svm_vmload(size_t VmcbPhysicalAddress)
{
	asm volatile("vmload" : : "a"(VmcbPhysicalAddress) : "memory");
}

/**
 * __svm_vmsave() - VMSAVE (APM 15.5.2): save what __svm_vmload() loads
 * @VmcbPhysicalAddress: of the VMCB to save them to
 */
static __always_inline void __svm_vmsave(size_t VmcbPhysicalAddress)
{
	asm volatile("vmsave" : : "a"(VmcbPhysicalAddress) : "memory");
}

/**
 * __svm_clgi() - CLGI (APM 15.17): hold interrupts, NMIs and SMIs pending
 */
static __always_inline void __svm_clgi(void)
{
	asm volatile("clgi" : : : "memory");
}

/**
 * __svm_stgi() - STGI (APM 15.17): undo __svm_clgi()
 */
static __always_inline void __svm_stgi(void)
{
	asm volatile("stgi" : : : "memory");
}

/**
 * __svm_invlpga() - INVLPGA (APM 15.16.3): invalidate a translation of an ASID
 * @Va: virtual address in the page
 * @ASID: the ASID
 */
static __always_inline void __svm_invlpga(void *Va, int ASID)
{
	asm volatile("invlpga" : : "a"(Va), "c"(ASID) : "memory");
}

/**
 * __svm_skinit() - SKINIT (APM 15.27): start a secure loader; does not return
 * @BlockPhysicalAddress: of the secure loader block, 64 KiB aligned
 *
 * Not used by the module: it resets the processor.
 */
static __always_inline void __svm_skinit(int BlockPhysicalAddress)
{
	asm volatile("skinit" : : "a"(BlockPhysicalAddress) : "memory");
}

#endif /* SVMRUN_SVM_INTRIN_H */
