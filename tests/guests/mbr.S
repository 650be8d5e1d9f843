/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector that firmware reads from a disk. It prints with the BIOS, reads the next
 * sector with it, prints that, and switches off.
 */
	.set	OFF_PORT, 0x604
	.set	OFF_VALUE, 0x3400		/* S5, and the enable bit */
	.set	WAIT_TICKS, 4

	.code16
	.section .text.start, "ax"
	.globl	start
start:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$start, %sp
	cld
	mov	$greeting, %si
	call	print
	mov	$0x0201, %ax			/* read one sector */
	mov	$0x0002, %cx			/* the second one of cylinder 0 */
	mov	$0, %dh				/* of head 0, of the drive in DL */
	mov	$sector, %bx
	int	$0x13
	mov	$failure, %si
	jc	1f
	mov	$sector, %si
1:	call	print
	mov	$WAIT_TICKS, %cx		/* the console of SeaBIOS needs one */
	sti
2:	hlt
	loop	2b
	mov	$OFF_PORT, %dx
	mov	$OFF_VALUE, %ax
	out	%ax, %dx
	hlt

print:
	lodsb
	test	%al, %al
	jz	1f
	mov	$0x0e, %ah
	mov	$7, %bx
	int	$0x10
	jmp	print
1:	ret

greeting:
	.asciz	"Hello from a boot sector.\r\n"
failure:
	.asciz	"The disk cannot be read.\r\n"

	.org	start + 510
	.byte	0x55, 0xaa
sector:
	.asciz	"Hello from the next one.\r\n"
	.org	start + 1024

	.section .note.GNU-stack, "", @progbits
