/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of the Multiboot 2 guest. With ADDRESSES its header says where the image goes, so
 * that it need not be ELF.
 */
	.set	MAGIC, 0xe85250d6
	.set	LENGTH, header_end - header

	.code32
	.section .text.start, "ax"
	.globl	start
start:
	mov	$stack_top, %esp
	push	$0				/* keeps the stack aligned */
	push	$0
	push	%ebx
	push	%eax
	call	multiboot2
	test	%eax, %eax
	jz	halt
	out	%al, $0xf4
halt:
	cli
	hlt
	jmp	halt

	.balign	8
header:
	.long	MAGIC, 0, LENGTH, -(MAGIC + 0 + LENGTH)
	.short	1, 0				/* information request */
	.long	20
	.long	1, 3, 6				/* command line, modules, memory map */
	.balign	8
#ifdef ADDRESSES
	.short	2, 0				/* addresses */
	.long	24
	.long	header, start
	.long	0				/* to the end of the file */
	.long	0				/* no BSS */
	.short	3, 0				/* entry point */
	.long	12
	.long	start
	.balign	8
#endif
	.short	0, 0
	.long	8
header_end:

	.section .data, "aw"
	.balign	16
	.skip	4096
stack_top:
	.byte	0

	.section .note.GNU-stack, "", @progbits
