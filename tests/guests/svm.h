/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of guests that are hypervisors: SVM's instructions, with Microsoft's names, the
 * state of L2, and output
 */
#ifndef GUEST_SVM_H
#define GUEST_SVM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/svm_vmcb.h>

#include "guest.h"

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

static inline uint64_t read_cr(unsigned int number)
{
	uint64_t value;

	if (number == 0)
		asm volatile("mov %%cr0, %0" : "=r"(value));
	else if (number == 3)
		asm volatile("mov %%cr3, %0" : "=r"(value));
	else
		asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void prepare_segment(struct svm_seg *segment, uint16_t selector,
				   uint16_t attrib)
{
	*segment = (struct svm_seg){
		.selector = selector,
		.attrib = attrib,
		.limit = 0xffffffff,
	};
}

/* Print the result of a check and, if it is wrong, the last exit. */
static inline void svm_check(const struct svm_vmcb *vmcb, const char *name,
			     bool right)
{
	serial_puts(name);
	serial_puts(right ? ": right\n" : ": wrong\n");
	if (right)
		return;
	serial_puts("  EXITCODE ");
	serial_put_hex(vmcb->control.exitcode, 16);
	serial_puts(", EXITINFO1 ");
	serial_put_hex(vmcb->control.exitinfo1, 16);
	serial_puts(", EXITINFO2 ");
	serial_put_hex(vmcb->control.exitinfo2, 16);
	serial_puts(", RIP ");
	serial_put_hex(vmcb->save.rip, 16);
	serial_puts("\n");
}

#endif /* GUEST_SVM_H */
