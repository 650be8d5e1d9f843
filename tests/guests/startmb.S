/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of the multiboot guest. With ADDRESSES, its header contains the addresses
 * of the image, so that it need not be ELF.
 */
	.set	MAGIC, 0x1badb002
#ifdef ADDRESSES
	.set	FLAGS, 0x00010003
#else
	.set	FLAGS, 0x00000003
#endif

	.code32
	.section .text.start, "ax"
	.globl	start
start:
	mov	$stack_top, %esp
	push	$0				/* aligns the stack */
	push	$0
	push	%ebx
	push	%eax
	call	multiboot
	test	%eax, %eax
	jz	halt
	out	%al, $0xf4
halt:
	cli
	hlt
	jmp	halt

	.balign	4
header:
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
#ifdef ADDRESSES
	.long	header, start
	.long	0				/* to the end of the file */
	.long	0				/* no BSS */
	.long	start
#endif

	.section .data, "aw"
	.balign	16
	.skip	4096
stack_top:
	.byte	0

	.section .note.GNU-stack, "", @progbits
