/* SPDX-License-Identifier: GPL-2.0 */
/* SVM's instructions for guests that are hypervisors, with Microsoft's names */
#ifndef GUEST_SVM_H
#define GUEST_SVM_H

#include <stdint.h>

#include <linux/svm_vmcb.h>

/* L2's general-purpose registers, except for RAX and RSP */
struct registers {
	uint64_t rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14,
		r15;
};

/* The registers that __svm_vmrun() loads and saves */
extern struct registers svm_registers;

/* svm_vmrun.S: VMRUN with the physical address of a VMCB */
void __svm_vmrun(uint64_t VmcbPhysicalAddress);

static inline void __svm_vmload(uint64_t VmcbPhysicalAddress)
{
	asm volatile("vmload" : : "a"(VmcbPhysicalAddress) : "memory");
}

static inline void __svm_vmsave(uint64_t VmcbPhysicalAddress)
{
	asm volatile("vmsave" : : "a"(VmcbPhysicalAddress) : "memory");
}

static inline void __svm_clgi(void)
{
	asm volatile("clgi" : : : "memory");
}

static inline void __svm_stgi(void)
{
	asm volatile("stgi" : : : "memory");
}

static inline void __svm_invlpga(void *Va, int ASID)
{
	asm volatile("invlpga" : : "a"(Va), "c"(ASID) : "memory");
}

#endif /* GUEST_SVM_H */
