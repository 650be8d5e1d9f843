/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Constants of the architecture, for all folders of userspace except for examples.
 * Section numbers are those of APM volume 2. linux/svm_vmcb.h has the bits of CR0, CR4,
 * EFER and of segment attributes.
 */
#ifndef X86_H
#define X86_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/svm_vmcb.h>

#define PAGE_SIZE		4096ul

/* RFLAGS (3.1.6) */
#define RFLAGS_CF		(1ull << 0)
#define RFLAGS_ALWAYS_1		(1ull << 1)
#define RFLAGS_PF		(1ull << 2)
#define RFLAGS_AF		(1ull << 4)
#define RFLAGS_ZF		(1ull << 6)
#define RFLAGS_SF		(1ull << 7)
#define RFLAGS_TF		(1ull << 8)
#define RFLAGS_IF		(1ull << 9)
#define RFLAGS_DF		(1ull << 10)
#define RFLAGS_OF		(1ull << 11)
#define RFLAGS_RF		(1ull << 16)
#define RFLAGS_VM		(1ull << 17)
#define RFLAGS_AC		(1ull << 18)

/* Page table entries (5.3, 5.4, 5.6) */
#define PTE_P			(1ull << 0)
#define PTE_W			(1ull << 1)
#define PTE_U			(1ull << 2)
#define PTE_A			(1ull << 5)
#define PTE_D			(1ull << 6)
#define PTE_PS			(1ull << 7)
#define PTE_NX			(1ull << 63)
#define PTE_ADDRESS		0x000ffffffffff000ull
#define PTE_KEY_SHIFT		59
#define PTE_KEY_MASK		15

/* Significant bits of a linear address (5.3.1) */
#define LINEAR_BITS_4_LEVELS	48
#define LINEAR_BITS_5_LEVELS	57

/* Return whether the bits above the lowest @bits are copies of the highest of these (5.3.1). */
static inline bool is_canonical(uint64_t address, unsigned int bits)
{
	unsigned int unused = 64 - bits;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

/* Memory types of PAT: UC, WC, WT, WP, WB and UC- (7.8.1) */
static inline bool is_pat_type(unsigned int type)
{
	return type <= 7 && type != 2 && type != 3;
}

static inline bool is_64_bit(const struct svm_vmcb_save *save)
{
	return (save->efer & SVM_EFER_LMA) && (save->cs.attrib & SVM_SEG_L);
}

/* Exceptions (8.2) */
#define VECTOR_DB		1
#define VECTOR_BP		3
#define VECTOR_OF		4
#define VECTOR_BR		5
#define VECTOR_UD		6
#define VECTOR_NM		7
#define VECTOR_SS		12
#define VECTOR_GP		13
#define VECTOR_PF		14
#define VECTOR_AC		17

/* Debug registers (13.1.1), and their values after RESET# (14.1.3) */
#define DR6_BREAKPOINTS		0xfull
#define DR6_BD			(1ull << 13)
#define DR6_BS			(1ull << 14)
#define DR6_BT			(1ull << 15)
#define DR6_RESET		0xffff0ff0ull
#define DR7_GD			(1ull << 13)
#define DR7_RESET		0x400ull

/* Sizes of the permission maps of SVM (15.10.1, 15.11) */
#define IOPM_SIZE		0x3000
#define MSRPM_SIZE		0x2000

/* XCR0, and XSTATE_BV of the XSAVE area (11.5.2) */
#define XCR0_X87		(1ull << 0)
#define XCR0_SSE		(1ull << 1)
#define XCR0_AVX		(1ull << 2)
#define XCR0_BOUND		(3ull << 3)
#define XCR0_AVX512		(7ull << 5)
#define XCR0_PKRU		(1ull << 9)
#define XCR0_TILE		(3ull << 17)
#define XSTATE_PKRU		9 /* the number of the component */

/* Offsets in the XSAVE area (11.5): its legacy part, and its header */
#define XSAVE_FCW		0
#define XSAVE_MXCSR		24
#define XSAVE_XMM		160
#define XSAVE_XSTATE_BV		512

/* After FNINIT, and after RESET# (14.1.3) */
#define FCW_INIT		0x037f
#define MXCSR_INIT		0x1f80

/* MSRs (appendix A) */
#define MSR_TSC			0x00000010
#define MSR_APIC_BASE		0x0000001b
#define MSR_SYSENTER_CS		0x00000174
#define MSR_SYSENTER_ESP	0x00000175
#define MSR_SYSENTER_EIP	0x00000176
#define MSR_PAT			0x00000277
#define MSR_TSC_DEADLINE	0x000006e0
#define MSR_X2APIC		0x00000800 /* the first of 256 */
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

#define PAT_RESET		0x0007040600070406ull

/* Functions of CPUID (volume 3, appendix E) */
#define CPUID_BASIC		0x00000000
#define CPUID_FEATURES		0x00000001
#define CPUID_STRUCTURED	0x00000007
#define CPUID_XSAVE		0x0000000d
#define CPUID_HYPERVISOR	0x40000000
#define CPUID_EXTENDED		0x80000000
#define CPUID_EXTENDED_FEATURES	0x80000001
#define CPUID_SIZES		0x80000008
#define CPUID_SVM		0x8000000a

/* Bits of these: FEATURES ECX, EXTENDED_FEATURES ECX and EDX */
#define CPUID_ECX_OSXSAVE	(1u << 27)
#define CPUID_ECX_SVM		(1u << 2)
#define CPUID_EDX_1G_PAGES	(1u << 26)

#endif /* X86_H */
