/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest in 16-bit real mode: it prints through a software interrupt, and checks
 * features of real mode: segment arithmetic, far calls, the interrupt vector table.
 * It writes the number of a failed check to the exit port.
 */
	.code16
	.section .text.start, "ax"
	.globl	start

	.macro	fail_unless condition, number
	j\condition	1f
	mov	$\number, %al
	out	%al, $0xf4
1:
	.endm

	.set	PRINT, 0x21		/* vector of the print service */

start:
	ljmp	$0, $canonical		/* CS:IP may be CS:0 or 0:IP */
canonical:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7000, %sp
	cld

	movw	$print, PRINT * 4
	movw	$0, PRINT * 4 + 2

	mov	$greeting, %si
	int	$PRINT

	call	aliases
	call	copies
	call	far_calls
	call	divides
	call	sums

	mov	$farewell, %si
	int	$PRINT
halt:
	cli
	hlt
	jmp	halt

/* 1000:0123, 1012:0003 and 0FFF:0133 are the same byte. */
aliases:
	mov	$0x1000, %ax
	mov	%ax, %es
	movw	$0xbeef, %es:0x123
	mov	$0x1012, %ax
	mov	%ax, %fs
	cmpw	$0xbeef, %fs:0x3
	fail_unless e, 1
	mov	$0x0fff, %ax
	mov	%ax, %gs
	cmpw	$0xbeef, %gs:0x133
	fail_unless e, 2
	ret

/* String instructions from DS:SI to ES:DI, with another segment in ES */
copies:
	mov	$0x2000, %ax
	mov	%ax, %es
	mov	$greeting, %si
	xor	%di, %di
	mov	$greeting_end - greeting, %cx
	rep movsb
	mov	$greeting, %si
	xor	%di, %di
	mov	$greeting_end - greeting, %cx
	repe cmpsb
	fail_unless e, 3
	test	%cx, %cx
	fail_unless z, 4
	ret

/* Call the same code through another CS, and compare the CS that it returns. */
far_calls:
	lcall	$0x700, $whose_cs - 0x7000
	cmp	$0x700, %ax
	fail_unless e, 5
	ret

whose_cs:
	mov	%cs, %ax
	lret

/* A divide error uses vector 0, and pushes the IP of the DIV. */
divides:
	movw	$divide_error, 0
	movw	$0, 2
	xor	%dx, %dx
	mov	$1, %ax
	xor	%cx, %cx
	xor	%bx, %bx
divide:
	div	%cx
	cmp	$0x0d1e, %bx
	fail_unless e, 6
	ret

divide_error:
	push	%bp
	mov	%sp, %bp
	cmpw	$divide, 2(%bp)
	fail_unless e, 7
	addw	$2, 2(%bp)		/* after the DIV */
	mov	$0x0d1e, %bx
	pop	%bp
	iret

/* 1^2 + 2^2 + ... + 1000^2 = 333833500, with 32-bit registers. */
sums:
	xor	%edx, %edx
	mov	$1000, %ecx
1:	mov	%ecx, %eax
	imul	%ecx, %eax
	add	%eax, %edx
	dec	%ecx
	jnz	1b
	cmp	$333833500, %edx
	fail_unless e, 8
	ret

/* Print the text at DS:SI on COM1. */
print:
	push	%ax
	push	%dx
1:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, %ah
	mov	$0x3fd, %dx
2:	in	%dx, %al
	test	$0x20, %al
	jz	2b
	mov	$0x3f8, %dx
	mov	%ah, %al
	out	%al, %dx
	jmp	1b
3:	pop	%dx
	pop	%ax
	iret

	.section .rodata, "a"
greeting:
	.asciz	"Hello from a guest in real mode.\n"
greeting_end:
farewell:
	.asciz	"Segments, far calls, vectors and sums are right.\n"

	.section .note.GNU-stack, "", @progbits
