/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The virtual machine control block (VMCB) of AMD's SVM, as AMD64 Architecture
 * Programmer's Manual volume 2 (publication 24593) lays it out: appendix B for
 * the fields, appendix C for the exit codes, chapter 15 for what they mean.
 * Names are the manual's. Every offset is proved at the end of this file.
 */
#ifndef _UAPI_LINUX_SVM_VMCB_H
#define _UAPI_LINUX_SVM_VMCB_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

/*
 * Intercept vector 0: bit n intercepts reads of CRn, bit 16+n writes.
 * Intercept vector 1: the same for DRn. Vector 2: bit n intercepts exception n.
 */
#define SVM_INTERCEPT0_CR_READ(n)	(1u << (n))
#define SVM_INTERCEPT0_CR_WRITE(n)	(1u << (16 + (n)))
#define SVM_INTERCEPT1_DR_READ(n)	(1u << (n))
#define SVM_INTERCEPT1_DR_WRITE(n)	(1u << (16 + (n)))
#define SVM_INTERCEPT2_EXCEPTION(n)	(1u << (n))

/* Intercept vector 3, offset 00Ch */
#define SVM_INTERCEPT3_INTR		(1u << 0)
#define SVM_INTERCEPT3_NMI		(1u << 1)
#define SVM_INTERCEPT3_SMI		(1u << 2)
#define SVM_INTERCEPT3_INIT		(1u << 3)
#define SVM_INTERCEPT3_VINTR		(1u << 4)
#define SVM_INTERCEPT3_CR0_SEL_WRITE	(1u << 5)
#define SVM_INTERCEPT3_IDTR_READ	(1u << 6)
#define SVM_INTERCEPT3_GDTR_READ	(1u << 7)
#define SVM_INTERCEPT3_LDTR_READ	(1u << 8)
#define SVM_INTERCEPT3_TR_READ		(1u << 9)
#define SVM_INTERCEPT3_IDTR_WRITE	(1u << 10)
#define SVM_INTERCEPT3_GDTR_WRITE	(1u << 11)
#define SVM_INTERCEPT3_LDTR_WRITE	(1u << 12)
#define SVM_INTERCEPT3_TR_WRITE		(1u << 13)
#define SVM_INTERCEPT3_RDTSC		(1u << 14)
#define SVM_INTERCEPT3_RDPMC		(1u << 15)
#define SVM_INTERCEPT3_PUSHF		(1u << 16)
#define SVM_INTERCEPT3_POPF		(1u << 17)
#define SVM_INTERCEPT3_CPUID		(1u << 18)
#define SVM_INTERCEPT3_RSM		(1u << 19)
#define SVM_INTERCEPT3_IRET		(1u << 20)
#define SVM_INTERCEPT3_SWINT		(1u << 21)
#define SVM_INTERCEPT3_INVD		(1u << 22)
#define SVM_INTERCEPT3_PAUSE		(1u << 23)
#define SVM_INTERCEPT3_HLT		(1u << 24)
#define SVM_INTERCEPT3_INVLPG		(1u << 25)
#define SVM_INTERCEPT3_INVLPGA		(1u << 26)
#define SVM_INTERCEPT3_IOIO		(1u << 27)
#define SVM_INTERCEPT3_MSR		(1u << 28)
#define SVM_INTERCEPT3_TASK_SWITCH	(1u << 29)
#define SVM_INTERCEPT3_FERR_FREEZE	(1u << 30)
#define SVM_INTERCEPT3_SHUTDOWN		(1u << 31)

/* Intercept vector 4, offset 010h */
#define SVM_INTERCEPT4_VMRUN		(1u << 0)
#define SVM_INTERCEPT4_VMMCALL		(1u << 1)
#define SVM_INTERCEPT4_VMLOAD		(1u << 2)
#define SVM_INTERCEPT4_VMSAVE		(1u << 3)
#define SVM_INTERCEPT4_STGI		(1u << 4)
#define SVM_INTERCEPT4_CLGI		(1u << 5)
#define SVM_INTERCEPT4_SKINIT		(1u << 6)
#define SVM_INTERCEPT4_RDTSCP		(1u << 7)
#define SVM_INTERCEPT4_ICEBP		(1u << 8)
#define SVM_INTERCEPT4_WBINVD		(1u << 9)
#define SVM_INTERCEPT4_MONITOR		(1u << 10)
#define SVM_INTERCEPT4_MWAIT		(1u << 11)
#define SVM_INTERCEPT4_MWAIT_ARMED	(1u << 12)
#define SVM_INTERCEPT4_XSETBV		(1u << 13)
#define SVM_INTERCEPT4_RDPRU		(1u << 14)
#define SVM_INTERCEPT4_EFER_WRITE_TRAP	(1u << 15)
#define SVM_INTERCEPT4_CR_WRITE_TRAP(n)	(1u << (16 + (n)))

/* Intercept vector 5, offset 014h */
#define SVM_INTERCEPT5_INVLPGB		(1u << 0)
#define SVM_INTERCEPT5_INVLPGB_ILLEGAL	(1u << 1)
#define SVM_INTERCEPT5_INVPCID		(1u << 2)
#define SVM_INTERCEPT5_MCOMMIT		(1u << 3)
#define SVM_INTERCEPT5_TLBSYNC		(1u << 4)
#define SVM_INTERCEPT5_BUS_LOCK		(1u << 5)
#define SVM_INTERCEPT5_IDLE_HLT		(1u << 6)

/* TLB_CONTROL, offset 05Ch (APM 15.16.2) */
#define SVM_TLB_CONTROL_NOTHING			0
#define SVM_TLB_CONTROL_FLUSH_ALL		1
#define SVM_TLB_CONTROL_FLUSH_GUEST		3
#define SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL	7

/* Virtual interrupt control, offset 060h (APM 15.21) */
#define SVM_VINTR_V_TPR_MASK		0xffull
#define SVM_VINTR_V_IRQ			(1ull << 8)
#define SVM_VINTR_VGIF			(1ull << 9)
#define SVM_VINTR_V_NMI			(1ull << 11)
#define SVM_VINTR_V_NMI_MASK		(1ull << 12)
#define SVM_VINTR_V_INTR_PRIO_SHIFT	16
#define SVM_VINTR_V_INTR_PRIO_MASK	(0xfull << 16)
#define SVM_VINTR_V_IGN_TPR		(1ull << 20)
#define SVM_VINTR_V_INTR_MASKING	(1ull << 24)
#define SVM_VINTR_VGIF_ENABLE		(1ull << 25)
#define SVM_VINTR_V_NMI_ENABLE		(1ull << 26)
#define SVM_VINTR_X2AVIC_ENABLE		(1ull << 30)
#define SVM_VINTR_AVIC_ENABLE		(1ull << 31)
#define SVM_VINTR_V_INTR_VECTOR_SHIFT	32
#define SVM_VINTR_V_INTR_VECTOR_MASK	(0xffull << 32)

/* Interrupt shadow, offset 068h (APM 15.21.5) */
#define SVM_SHADOW_INTERRUPT_SHADOW	(1ull << 0)
#define SVM_SHADOW_GUEST_INTERRUPT_MASK	(1ull << 1)

/* EVENTINJ (APM 15.20) and EXITINTINFO (APM 15.7.2) */
#define SVM_EVENT_VECTOR_MASK		0xffull
#define SVM_EVENT_TYPE_MASK		(7ull << 8)
#define SVM_EVENT_TYPE_INTR		(0ull << 8)
#define SVM_EVENT_TYPE_NMI		(2ull << 8)
#define SVM_EVENT_TYPE_EXCEPTION	(3ull << 8)
#define SVM_EVENT_TYPE_SOFT_INTERRUPT	(4ull << 8)
#define SVM_EVENT_ERROR_CODE_VALID	(1ull << 11)
#define SVM_EVENT_VALID			(1ull << 31)
#define SVM_EVENT_ERROR_CODE_SHIFT	32

/* Nested paging and SEV control, offset 090h (APM 15.25.3) */
#define SVM_NESTED_NP_ENABLE		(1ull << 0)

/* Virtualization extensions, offset 0B8h (APM 15.23, 15.33.1) */
#define SVM_VIRT_LBR_ENABLE		(1ull << 0)
#define SVM_VIRT_VLS_ENABLE		(1ull << 1)

/* VMCB clean bits, offset 0C0h (APM 15.15.3) */
#define SVM_CLEAN_I	(1u << 0)  /* intercepts, TSC offset, pause filter */
#define SVM_CLEAN_IOPM	(1u << 1)  /* IOPM_BASE_PA, MSRPM_BASE_PA */
#define SVM_CLEAN_ASID	(1u << 2)  /* ASID */
#define SVM_CLEAN_TPR	(1u << 3)  /* virtual interrupt control */
#define SVM_CLEAN_NP	(1u << 4)  /* nested paging: N_CR3, G_PAT */
#define SVM_CLEAN_CRx	(1u << 5)  /* CR0, CR3, CR4, EFER */
#define SVM_CLEAN_DRx	(1u << 6)  /* DR6, DR7 */
#define SVM_CLEAN_DT	(1u << 7)  /* GDTR, IDTR */
#define SVM_CLEAN_SEG	(1u << 8)  /* CS, DS, SS, ES, CPL */
#define SVM_CLEAN_CR2	(1u << 9)  /* CR2 */
#define SVM_CLEAN_LBR	(1u << 10) /* DBGCTL, BR_*, LASTEXCP* */
#define SVM_CLEAN_AVIC	(1u << 11) /* AVIC pointers */
#define SVM_CLEAN_CET	(1u << 12) /* S_CET, SSP, ISST_ADDR */
#define SVM_CLEAN_ALL	0x1fffu

/* CR0 (APM 3.1.1) */
#define SVM_CR0_PE		(1ull << 0)
#define SVM_CR0_MP		(1ull << 1)
#define SVM_CR0_EM		(1ull << 2)
#define SVM_CR0_TS		(1ull << 3)
#define SVM_CR0_ET		(1ull << 4)
#define SVM_CR0_NE		(1ull << 5)
#define SVM_CR0_WP		(1ull << 16)
#define SVM_CR0_AM		(1ull << 18)
#define SVM_CR0_NW		(1ull << 29)
#define SVM_CR0_CD		(1ull << 30)
#define SVM_CR0_PG		(1ull << 31)

/* CR4 (APM 3.1.3) */
#define SVM_CR4_VME		(1ull << 0)
#define SVM_CR4_PVI		(1ull << 1)
#define SVM_CR4_TSD		(1ull << 2)
#define SVM_CR4_DE		(1ull << 3)
#define SVM_CR4_PSE		(1ull << 4)
#define SVM_CR4_PAE		(1ull << 5)
#define SVM_CR4_MCE		(1ull << 6)
#define SVM_CR4_PGE		(1ull << 7)
#define SVM_CR4_PCE		(1ull << 8)
#define SVM_CR4_OSFXSR		(1ull << 9)
#define SVM_CR4_OSXMMEXCPT	(1ull << 10)
#define SVM_CR4_UMIP		(1ull << 11)
#define SVM_CR4_LA57		(1ull << 12)
#define SVM_CR4_FSGSBASE	(1ull << 16)
#define SVM_CR4_PCIDE		(1ull << 17)
#define SVM_CR4_OSXSAVE		(1ull << 18)
#define SVM_CR4_SMEP		(1ull << 20)
#define SVM_CR4_SMAP		(1ull << 21)
#define SVM_CR4_PKE		(1ull << 22)
#define SVM_CR4_CET		(1ull << 23)

/* EFER (APM 3.1.7) */
#define SVM_EFER_SCE		(1ull << 0)
#define SVM_EFER_LME		(1ull << 8)
#define SVM_EFER_LMA		(1ull << 10)
#define SVM_EFER_NXE		(1ull << 11)
#define SVM_EFER_SVME		(1ull << 12)
#define SVM_EFER_LMSLE		(1ull << 13)
#define SVM_EFER_FFXSR		(1ull << 14)
#define SVM_EFER_TCE		(1ull << 15)
#define SVM_EFER_MCOMMIT	(1ull << 17)
#define SVM_EFER_INTWB		(1ull << 18)
#define SVM_EFER_UAIE		(1ull << 20)
#define SVM_EFER_AIBRSE		(1ull << 21)

/* DebugCtl, DBGCTL in the VMCB (APM 13.1.1.6) */
#define SVM_DBGCTL_LBR		(1ull << 0)
#define SVM_DBGCTL_BTF		(1ull << 1)
#define SVM_DBGCTL_BLCKDB	(1ull << 2)

/* Segment attributes as the VMCB holds them: descriptor bits 55:52 and 47:40 */
#define SVM_SEG_TYPE_MASK	0x000f
#define SVM_SEG_S		0x0010
#define SVM_SEG_DPL_SHIFT	5
#define SVM_SEG_DPL_MASK	0x0060
#define SVM_SEG_P		0x0080
#define SVM_SEG_AVL		0x0100
#define SVM_SEG_L		0x0200
#define SVM_SEG_DB		0x0400
#define SVM_SEG_G		0x0800

/**
 * struct svm_seg - a segment register in the state save area (APM 15.5.1)
 * @selector: selector
 * @attrib: SVM_SEG_* bits
 * @limit: limit in bytes, already scaled
 * @base: base; 64 bits for FS, GS, TR, LDTR, GDTR and IDTR, else the low 32
 */
struct svm_seg {
	__u16 selector;
	__u16 attrib;
	__u32 limit;
	__u64 base;
};

/*
 * The control area, APM appendix B, table B-1. Members named reserved_* are
 * reserved by the architecture: svmrun neither reads nor writes them.
 */
struct svm_vmcb_control {
	__u32 intercept[6];
	__u8 reserved_018[0x3c - 0x18];
	__u16 pause_filter_threshold;
	__u16 pause_filter_count;
	__u64 iopm_base_pa;
	__u64 msrpm_base_pa;
	__u64 tsc_offset;
	__u32 asid;
	__u8 tlb_control;
	__u8 reserved_05d[3];
	__u64 vintr;
	__u64 interrupt_shadow;
	__u64 exitcode;
	__u64 exitinfo1;
	__u64 exitinfo2;
	__u64 exitintinfo;
	__u64 nested_ctl;
	__u64 avic_apic_bar;
	__u64 ghcb_pa;
	__u64 eventinj;
	__u64 n_cr3;
	__u64 virt_ext;
	__u32 clean;
	__u32 reserved_0c4;
	__u64 nrip;
	__u8 insn_len;
	__u8 insn_bytes[15];
	__u64 avic_backing_page;
	__u64 reserved_0e8;
	__u64 avic_logical_table;
	__u64 avic_physical_table;
	__u64 reserved_100;
	__u64 vmsa_pa;
	__u8 reserved_110[0x120 - 0x110];
	__u16 bus_lock_counter;
	__u8 reserved_122[0x3e0 - 0x122];
	__u8 software[32]; /* "reserved for host usage": the program's own */
};

/* The state save area, APM appendix B, table B-2; offsets from 400h. */
struct svm_vmcb_save {
	struct svm_seg es;
	struct svm_seg cs;
	struct svm_seg ss;
	struct svm_seg ds;
	struct svm_seg fs;
	struct svm_seg gs;
	struct svm_seg gdtr;
	struct svm_seg ldtr;
	struct svm_seg idtr;
	struct svm_seg tr;
	__u8 reserved_0a0[0xcb - 0xa0];
	__u8 cpl;
	__u8 reserved_0cc[4];
	__u64 efer;
	__u8 reserved_0d8[0x148 - 0xd8];
	__u64 cr4;
	__u64 cr3;
	__u64 cr0;
	__u64 dr7;
	__u64 dr6;
	__u64 rflags;
	__u64 rip;
	__u8 reserved_180[0x1d8 - 0x180];
	__u64 rsp;
	__u64 s_cet;
	__u64 ssp;
	__u64 isst_addr;
	__u64 rax;
	__u64 star;
	__u64 lstar;
	__u64 cstar;
	__u64 sfmask;
	__u64 kernel_gs_base;
	__u64 sysenter_cs;
	__u64 sysenter_esp;
	__u64 sysenter_eip;
	__u64 cr2;
	__u8 reserved_248[0x268 - 0x248];
	__u64 g_pat;
	__u64 dbgctl;
	__u64 br_from;
	__u64 br_to;
	__u64 last_excp_from;
	__u64 last_excp_to;
	__u8 reserved_298[0xc00 - 0x298];
};

/**
 * struct svm_vmcb - the 4 KiB control block that VMRUN takes (APM 15.5.1)
 * @control: control area, offsets 000h to 3FFh
 * @save: state save area, offsets 400h to FFFh
 */
struct svm_vmcb {
	struct svm_vmcb_control control;
	struct svm_vmcb_save save;
};

/* Exit codes, APM appendix C */
#define VMEXIT_CR_READ(n)		(0x000ull + (n)) /* n: 0 to 15 */
#define VMEXIT_CR_WRITE(n)		(0x010ull + (n))
#define VMEXIT_DR_READ(n)		(0x020ull + (n))
#define VMEXIT_DR_WRITE(n)		(0x030ull + (n))
#define VMEXIT_EXCP(n)			(0x040ull + (n)) /* n: 0 to 31 */
#define VMEXIT_INTR			0x060ull
#define VMEXIT_NMI			0x061ull
#define VMEXIT_SMI			0x062ull
#define VMEXIT_INIT			0x063ull
#define VMEXIT_VINTR			0x064ull
#define VMEXIT_CR0_SEL_WRITE		0x065ull
#define VMEXIT_IDTR_READ		0x066ull
#define VMEXIT_GDTR_READ		0x067ull
#define VMEXIT_LDTR_READ		0x068ull
#define VMEXIT_TR_READ			0x069ull
#define VMEXIT_IDTR_WRITE		0x06aull
#define VMEXIT_GDTR_WRITE		0x06bull
#define VMEXIT_LDTR_WRITE		0x06cull
#define VMEXIT_TR_WRITE			0x06dull
#define VMEXIT_RDTSC			0x06eull
#define VMEXIT_RDPMC			0x06full
#define VMEXIT_PUSHF			0x070ull
#define VMEXIT_POPF			0x071ull
#define VMEXIT_CPUID			0x072ull
#define VMEXIT_RSM			0x073ull
#define VMEXIT_IRET			0x074ull
#define VMEXIT_SWINT			0x075ull
#define VMEXIT_INVD			0x076ull
#define VMEXIT_PAUSE			0x077ull
#define VMEXIT_HLT			0x078ull
#define VMEXIT_INVLPG			0x079ull
#define VMEXIT_INVLPGA			0x07aull
#define VMEXIT_IOIO			0x07bull
#define VMEXIT_MSR			0x07cull
#define VMEXIT_TASK_SWITCH		0x07dull
#define VMEXIT_FERR_FREEZE		0x07eull
#define VMEXIT_SHUTDOWN			0x07full
#define VMEXIT_VMRUN			0x080ull
#define VMEXIT_VMMCALL			0x081ull
#define VMEXIT_VMLOAD			0x082ull
#define VMEXIT_VMSAVE			0x083ull
#define VMEXIT_STGI			0x084ull
#define VMEXIT_CLGI			0x085ull
#define VMEXIT_SKINIT			0x086ull
#define VMEXIT_RDTSCP			0x087ull
#define VMEXIT_ICEBP			0x088ull
#define VMEXIT_WBINVD			0x089ull
#define VMEXIT_MONITOR			0x08aull
#define VMEXIT_MWAIT			0x08bull
#define VMEXIT_MWAIT_CONDITIONAL	0x08cull
#define VMEXIT_XSETBV			0x08dull
#define VMEXIT_RDPRU			0x08eull
#define VMEXIT_EFER_WRITE_TRAP		0x08full
#define VMEXIT_CR_WRITE_TRAP(n)		(0x090ull + (n)) /* n: 0 to 15 */
#define VMEXIT_INVLPGB			0x0a0ull
#define VMEXIT_INVLPGB_ILLEGAL		0x0a1ull
#define VMEXIT_INVPCID			0x0a2ull
#define VMEXIT_MCOMMIT			0x0a3ull
#define VMEXIT_TLBSYNC			0x0a4ull
#define VMEXIT_BUSLOCK			0x0a5ull
#define VMEXIT_IDLE_HLT			0x0a6ull
#define VMEXIT_NPF			0x400ull
#define VMEXIT_AVIC_INCOMPLETE_IPI	0x401ull
#define VMEXIT_AVIC_NOACCEL		0x402ull
#define VMEXIT_VMGEXIT			0x403ull
#define VMEXIT_INVALID			(~0ull)
#define VMEXIT_BUSY			(~0ull - 1)

/* EXITINFO1 of VMEXIT_NPF (APM 15.25.6); EXITINFO2 is the GPA */
#define SVM_NPF_PRESENT			(1ull << 0)
#define SVM_NPF_WRITE			(1ull << 1)
#define SVM_NPF_USER			(1ull << 2)
#define SVM_NPF_RESERVED		(1ull << 3)
#define SVM_NPF_FETCH			(1ull << 4)
#define SVM_NPF_FINAL			(1ull << 32) /* the guest's own access */
#define SVM_NPF_TABLE			(1ull << 33) /* the guest's table walk */

/* EXITINFO1 of VMEXIT_IOIO (APM 15.10.2); EXITINFO2 is the next RIP */
#define SVM_IOIO_IN			(1ull << 0)
#define SVM_IOIO_STR			(1ull << 2)
#define SVM_IOIO_REP			(1ull << 3)
#define SVM_IOIO_SZ8			(1ull << 4)
#define SVM_IOIO_SZ16			(1ull << 5)
#define SVM_IOIO_SZ32			(1ull << 6)
#define SVM_IOIO_A16			(1ull << 7)
#define SVM_IOIO_A32			(1ull << 8)
#define SVM_IOIO_A64			(1ull << 9)
#define SVM_IOIO_SEG_SHIFT		10
#define SVM_IOIO_SEG_MASK		(7ull << 10)
#define SVM_IOIO_PORT_SHIFT		16

/* Proof of the layout, in C11 and in C++11 */
#ifdef __cplusplus
#define SVM_PROVE(expression) static_assert(expression, #expression)
#else
#define SVM_PROVE(expression) _Static_assert(expression, #expression)
#endif
#define SVM_CONTROL_AT(offset, member) \
	SVM_PROVE(offsetof(struct svm_vmcb_control, member) == (offset))
#define SVM_SAVE_AT(offset, member) \
	SVM_PROVE(offsetof(struct svm_vmcb_save, member) == (offset))

SVM_PROVE(sizeof(struct svm_seg) == 16);
SVM_PROVE(sizeof(struct svm_vmcb) == 4096);
SVM_PROVE(offsetof(struct svm_vmcb, save) == 0x400);

SVM_CONTROL_AT(0x000, intercept[0]);
SVM_CONTROL_AT(0x014, intercept[5]);
SVM_CONTROL_AT(0x03c, pause_filter_threshold);
SVM_CONTROL_AT(0x03e, pause_filter_count);
SVM_CONTROL_AT(0x040, iopm_base_pa);
SVM_CONTROL_AT(0x048, msrpm_base_pa);
SVM_CONTROL_AT(0x050, tsc_offset);
SVM_CONTROL_AT(0x058, asid);
SVM_CONTROL_AT(0x05c, tlb_control);
SVM_CONTROL_AT(0x060, vintr);
SVM_CONTROL_AT(0x068, interrupt_shadow);
SVM_CONTROL_AT(0x070, exitcode);
SVM_CONTROL_AT(0x078, exitinfo1);
SVM_CONTROL_AT(0x080, exitinfo2);
SVM_CONTROL_AT(0x088, exitintinfo);
SVM_CONTROL_AT(0x090, nested_ctl);
SVM_CONTROL_AT(0x098, avic_apic_bar);
SVM_CONTROL_AT(0x0a0, ghcb_pa);
SVM_CONTROL_AT(0x0a8, eventinj);
SVM_CONTROL_AT(0x0b0, n_cr3);
SVM_CONTROL_AT(0x0b8, virt_ext);
SVM_CONTROL_AT(0x0c0, clean);
SVM_CONTROL_AT(0x0c8, nrip);
SVM_CONTROL_AT(0x0d0, insn_len);
SVM_CONTROL_AT(0x0d1, insn_bytes);
SVM_CONTROL_AT(0x0e0, avic_backing_page);
SVM_CONTROL_AT(0x0f0, avic_logical_table);
SVM_CONTROL_AT(0x0f8, avic_physical_table);
SVM_CONTROL_AT(0x108, vmsa_pa);
SVM_CONTROL_AT(0x120, bus_lock_counter);
SVM_CONTROL_AT(0x3e0, software);
SVM_PROVE(sizeof(struct svm_vmcb_control) == 0x400);

SVM_SAVE_AT(0x000, es);
SVM_SAVE_AT(0x010, cs);
SVM_SAVE_AT(0x020, ss);
SVM_SAVE_AT(0x030, ds);
SVM_SAVE_AT(0x040, fs);
SVM_SAVE_AT(0x050, gs);
SVM_SAVE_AT(0x060, gdtr);
SVM_SAVE_AT(0x070, ldtr);
SVM_SAVE_AT(0x080, idtr);
SVM_SAVE_AT(0x090, tr);
SVM_SAVE_AT(0x0cb, cpl);
SVM_SAVE_AT(0x0d0, efer);
SVM_SAVE_AT(0x148, cr4);
SVM_SAVE_AT(0x150, cr3);
SVM_SAVE_AT(0x158, cr0);
SVM_SAVE_AT(0x160, dr7);
SVM_SAVE_AT(0x168, dr6);
SVM_SAVE_AT(0x170, rflags);
SVM_SAVE_AT(0x178, rip);
SVM_SAVE_AT(0x1d8, rsp);
SVM_SAVE_AT(0x1e0, s_cet);
SVM_SAVE_AT(0x1e8, ssp);
SVM_SAVE_AT(0x1f0, isst_addr);
SVM_SAVE_AT(0x1f8, rax);
SVM_SAVE_AT(0x200, star);
SVM_SAVE_AT(0x208, lstar);
SVM_SAVE_AT(0x210, cstar);
SVM_SAVE_AT(0x218, sfmask);
SVM_SAVE_AT(0x220, kernel_gs_base);
SVM_SAVE_AT(0x228, sysenter_cs);
SVM_SAVE_AT(0x230, sysenter_esp);
SVM_SAVE_AT(0x238, sysenter_eip);
SVM_SAVE_AT(0x240, cr2);
SVM_SAVE_AT(0x268, g_pat);
SVM_SAVE_AT(0x270, dbgctl);
SVM_SAVE_AT(0x278, br_from);
SVM_SAVE_AT(0x280, br_to);
SVM_SAVE_AT(0x288, last_excp_from);
SVM_SAVE_AT(0x290, last_excp_to);

#undef SVM_CONTROL_AT
#undef SVM_SAVE_AT

#endif /* _UAPI_LINUX_SVM_VMCB_H */
