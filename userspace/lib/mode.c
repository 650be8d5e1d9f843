// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Initial states of a vCPU: after RESET# (APM volume 2, 14.1.3), and in the modes that
 * loaders need. VMRUN requires EFER.SVME in all of them (15.5.1).
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include <svmrun.h>

#include "segment.h"
#include "x86.h"

#define FLAT_CODE	0x08 /* selectors, as in a usual GDT */
#define FLAT_DATA	0x10

#define LARGE_PAGE	(2ull << 20)
#define ENTRIES 512 /* of a page table */

static struct svm_seg segment(uint16_t selector, uint16_t attrib,
			      uint32_t limit, uint64_t base)
{
	return (struct svm_seg){
		.selector = selector,
		.attrib = attrib,
		.limit = limit,
		.base = base,
	};
}

static void set_data_segments(struct svm_vmcb_save *save, struct svm_seg data)
{
	save->ds = data;
	save->es = data;
	save->ss = data;
	save->fs = data;
	save->gs = data;
}

static void reset_control(struct svm_vmcb_control *control)
{
	/* The software field and what follows belong to the program. */
	memset(control, 0, offsetof(struct svm_vmcb_control, software));
	control->intercept[3] = SVM_INTERCEPT3_HLT | SVM_INTERCEPT3_CPUID |
				SVM_INTERCEPT3_SHUTDOWN;
	control->asid = 1;
	control->nested_ctl = SVM_NESTED_NP_ENABLE;
}

static void reset_segments(struct svm_vmcb_save *save)
{
	set_data_segments(save, segment(0, DATA_16, 0xffff, 0));
	save->cs = segment(0xf000, CODE_16, 0xffff, 0xffff0000);
	save->gdtr = segment(0, 0, 0xffff, 0);
	save->idtr = segment(0, 0, 0xffff, 0);
	save->ldtr = segment(0, LDT, 0xffff, 0);
	save->tr = segment(0, BUSY_TSS, 0xffff, 0);
}

static void reset_save(struct svm_vmcb_save *save)
{
	memset(save, 0, sizeof(*save));
	reset_segments(save);
	/* RESET# also sets CD and NW, which no VMCB may have. */
	save->cr0 = SVM_CR0_ET;
	save->efer = SVM_EFER_SVME;
	save->rflags = RFLAGS_ALWAYS_1;
	save->rip = 0xfff0;
	save->dr6 = DR6_RESET;
	save->dr7 = DR7_RESET;
	save->g_pat = PAT_RESET;
}

/* RESET# sets EDX to the processor's signature. */
static uint32_t processor_signature(void)
{
	uint32_t eax, ebx, ecx, edx;

	__cpuid(CPUID_FEATURES, eax, ebx, ecx, edx);
	return eax;
}

/* General-purpose and debug registers */
static void reset_gprs(struct svmrun_registers *regs)
{
	memset(regs, 0, offsetof(struct svmrun_registers, xcr0));
	regs->rdx = processor_signature();
}

static void reset_registers(struct svmrun_registers *regs)
{
	reset_gprs(regs);
	regs->xcr0 = XCR0_X87;
}

/*
 * Clear XSTATE_BV, so that every component is in its initial state, and set x87 to its
 * state after FNINIT. MXCSR belongs to no component; it is always loaded from the area.
 */
static void reset_xsave(uint8_t *xsave, uint32_t size)
{
	const uint16_t fcw = FCW_INIT;
	const uint32_t mxcsr = MXCSR_INIT;

	memset(xsave, 0, size);
	memcpy(xsave + XSAVE_FCW, &fcw, sizeof(fcw));
	memcpy(xsave + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

void svmrun_mode_reset(struct svmrun_vcpu *vcpu)
{
	reset_control(&vcpu->vmcb->control);
	reset_save(&vcpu->vmcb->save);
	reset_registers(vcpu->regs);
	reset_xsave(vcpu->xsave, vcpu->xsave_size);
}

/* Keep intercepts, permissions and the TSC's offset; another ASID has no translations. */
static void init_control(struct svm_vmcb_control *control)
{
	control->asid = control->asid == UINT32_MAX ? 1 : control->asid + 1;
	control->vintr &= ~(SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ);
	control->interrupt_shadow = 0;
	control->exitintinfo = 0;
	control->eventinj = 0;
	control->clean = 0;
}

static void init_save(struct svm_vmcb_save *save)
{
	const struct svm_vmcb_save old = *save;

	reset_save(save);
	save->g_pat = old.g_pat;
	save->star = old.star;
	save->lstar = old.lstar;
	save->cstar = old.cstar;
	save->sfmask = old.sfmask;
	save->kernel_gs_base = old.kernel_gs_base;
	save->sysenter_cs = old.sysenter_cs;
	save->sysenter_esp = old.sysenter_esp;
	save->sysenter_eip = old.sysenter_eip;
}

void svmrun_mode_init(struct svmrun_vcpu *vcpu)
{
	init_control(&vcpu->vmcb->control);
	init_save(&vcpu->vmcb->save);
	reset_gprs(vcpu->regs);
}

void svmrun_mode_real(struct svmrun_vcpu *vcpu, uint16_t paragraph, uint16_t ip)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;
	uint64_t base = paragraph * 16ull;

	svmrun_mode_reset(vcpu);
	set_data_segments(save, segment(paragraph, DATA_16, 0xffff, base));
	save->cs = segment(paragraph, CODE_16, 0xffff, base);
	save->rip = ip;
}

/* With an empty IDT, an exception becomes a shutdown instead of a wild jump. */
static void set_flat(struct svm_vmcb_save *save, uint16_t code)
{
	set_data_segments(save, segment(FLAT_DATA, DATA_32, ~0u, 0));
	save->cs = segment(FLAT_CODE, code, ~0u, 0);
	save->gdtr.limit = 0;
	save->idtr.limit = 0;
}

void svmrun_mode_protected(struct svmrun_vcpu *vcpu, uint32_t eip, uint32_t esp)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	svmrun_mode_reset(vcpu);
	set_flat(save, CODE_32);
	save->cr0 = SVM_CR0_PE | SVM_CR0_ET | SVM_CR0_NE;
	save->rip = eip;
	save->rsp = esp;
}

/* Write a PML4, one PDPT and four page directories of 2 MiB pages. */
static void write_page_tables(uint64_t *table, uint64_t gpa)
{
	uint64_t *pointers = table + ENTRIES;
	uint64_t *directories = table + 2 * ENTRIES;
	uint64_t i;

	memset(table, 0, SVMRUN_LONG_TABLES_SIZE);
	table[0] = (gpa + PAGE_SIZE) | PTE_P | PTE_W;
	for (i = 0; i < 4; i++)
		pointers[i] = (gpa + (2 + i) * PAGE_SIZE) | PTE_P | PTE_W;
	for (i = 0; i < 4 * ENTRIES; i++)
		directories[i] = i * LARGE_PAGE | PTE_P | PTE_W | PTE_PS;
}

static void set_long(struct svm_vmcb_save *save, uint64_t tables)
{
	set_flat(save, CODE_64);
	save->cr0 = SVM_CR0_PG | SVM_CR0_PE | SVM_CR0_MP | SVM_CR0_ET |
		    SVM_CR0_NE;
	save->cr3 = tables;
	save->cr4 = SVM_CR4_PAE | SVM_CR4_OSFXSR | SVM_CR4_OSXMMEXCPT;
	save->efer = SVM_EFER_SVME | SVM_EFER_LME | SVM_EFER_LMA;
}

int svmrun_mode_long(struct svmrun_vcpu *vcpu, struct svmrun_memory *memory,
		     uint64_t tables, uint64_t rip, uint64_t rsp)
{
	void *at;

	if (tables % PAGE_SIZE)
		return -EINVAL;
	at = svmrun_memory_at(memory, tables, SVMRUN_LONG_TABLES_SIZE);
	if (!at || !is_canonical(rip, LINEAR_BITS_4_LEVELS))
		return -ERANGE;
	write_page_tables(at, tables);
	svmrun_mode_reset(vcpu);
	set_long(&vcpu->vmcb->save, tables);
	vcpu->vmcb->save.rip = rip;
	vcpu->vmcb->save.rsp = rsp;
	return 0;
}
