/* SPDX-License-Identifier: GPL-2.0 */
/* Entry of the 64-bit guests: the stack is set up, and interrupts are off. */

	.section .text.start, "ax"
	.globl	start
start:
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	main
	test	%eax, %eax
	jz	halt
	out	%al, $0xf4
halt:
	cli
	hlt
	jmp	halt

	.section .note.GNU-stack, "", @progbits
