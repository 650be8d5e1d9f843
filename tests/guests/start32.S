/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of the 32-bit guest: it is started with flat segments, and loads its own
 * descriptor table. FS gets a segment of WINDOW_SIZE bytes at WINDOW.
 */
	.set	WINDOW, 0x180000
	.set	WINDOW_SIZE, 0x1000

	.code32
	.section .text.start, "ax"
	.globl	start
start:
	lgdt	gdt_pointer
	ljmp	$0x08, $1f
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$0x18, %eax
	mov	%eax, %fs
	and	$-16, %esp
	call	main
	test	%eax, %eax
	jz	halt
	out	%al, $0xf4
halt:
	cli
	hlt
	jmp	halt

	.section .data, "aw"
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff		/* 08: code, 4 GiB from 0 */
	.quad	0x00cf92000000ffff		/* 10: data, 4 GiB from 0 */
	.word	WINDOW_SIZE - 1, WINDOW & 0xffff	/* 18: data, WINDOW */
	.byte	WINDOW >> 16, 0x92, 0x40, 0
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.section .note.GNU-stack, "", @progbits
