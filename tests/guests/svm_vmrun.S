/* SPDX-License-Identifier: GPL-2.0 */
/* void __svm_vmrun(uint64_t VmcbPhysicalAddress) */

	.macro	registers to_memory
	.irp register, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.if \to_memory
	mov	%\register, svm_registers + 8 * number
	.else
	mov	svm_registers + 8 * number, %\register
	.endif
	.set	number, number + 1
	.endr
	.endm

	.text
	.globl	__svm_vmrun
__svm_vmrun:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rax
	.set	number, 0
	registers 0
	vmrun
	.set	number, 0
	registers 1
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
