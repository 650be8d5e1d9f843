/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of another processor of a 64-bit guest. The first one copies ap_begin to ap_end to
 * AP_CODE, where SIPI starts the other one in real mode, and sets ap_state. ap_main() must not
 * return.
 */
#define AP_CODE 0x8000
#define AT(label) (label - ap_begin)
#define MSR_EFER 0xc0000080

	.text
	.globl	ap_begin, ap_end, ap_state
	.code16
ap_begin:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	AT(gdtr)
	mov	AT(ap_state) + 8, %eax
	mov	%eax, %cr4
	mov	AT(ap_state) + 4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	AT(ap_state) + 12, %eax
	xor	%edx, %edx
	wrmsr
	mov	AT(ap_state), %eax
	mov	%eax, %cr0
	ljmpl	$8, $long_mode

	.balign	8
gdt:
	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:
	.word	gdtr - gdt - 1
	.long	AP_CODE + AT(gdt)

/* CR0, CR3, CR4 and EFER */
	.balign	4
ap_state:
	.long	0, 0, 0, 0
ap_end:

	.code64
long_mode:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$stack_end, %rsp
	xor	%ebp, %ebp
	call	ap_main

	.bss
	.balign	16
	.skip	0x4000
stack_end:

	.section .note.GNU-stack, "", @progbits
