// SPDX-License-Identifier: LGPL-2.1-or-later
/* State that L1 and L2 share, because VMRUN and #VMEXIT do not change it */
#include <cpuid.h>
#include <string.h>

#include "nested.h"

void nested_copy_vmload(struct svm_vmcb_save *to,
			const struct svm_vmcb_save *from)
{
	to->fs = from->fs;
	to->gs = from->gs;
	to->ldtr = from->ldtr;
	to->tr = from->tr;
	to->star = from->star;
	to->lstar = from->lstar;
	to->cstar = from->cstar;
	to->sfmask = from->sfmask;
	to->kernel_gs_base = from->kernel_gs_base;
	to->sysenter_cs = from->sysenter_cs;
	to->sysenter_esp = from->sysenter_esp;
	to->sysenter_eip = from->sysenter_eip;
}

void nested_copy_vmrun(struct svm_vmcb_save *to,
		       const struct svm_vmcb_save *from)
{
	to->es = from->es;
	to->cs = from->cs;
	to->ss = from->ss;
	to->ds = from->ds;
	to->gdtr = from->gdtr;
	to->idtr = from->idtr;
	to->cpl = from->cpl;
	to->efer = from->efer;
	to->cr4 = from->cr4;
	to->cr3 = from->cr3;
	to->dr7 = from->dr7;
	to->dr6 = from->dr6;
	to->rflags = from->rflags;
	to->rip = from->rip;
	to->rsp = from->rsp;
	to->s_cet = from->s_cet;
	to->ssp = from->ssp;
	to->isst_addr = from->isst_addr;
	to->rax = from->rax;
	to->cr2 = from->cr2;
}

void nested_copy_lbr(struct svm_vmcb_save *to, const struct svm_vmcb_save *from)
{
	to->dbgctl = from->dbgctl;
	to->br_from = from->br_from;
	to->br_to = from->br_to;
	to->last_excp_from = from->last_excp_from;
	to->last_excp_to = from->last_excp_to;
}

void nested_keep_virtual_interrupt(struct svmrun_nested *nested)
{
	if (!nested->window)
		nested->virtual_interrupt =
			nested->current->vmcb->control.vintr &
			NESTED_VIRTUAL_INTERRUPT;
}

#define COMPONENTS 63
#define LEGACY_SIZE 512
#define HEADER_SIZE 64
#define MXCSR_SIZE 8 /* with its mask */

struct component {
	uint32_t offset;
	uint32_t size;
};

/* Places of the components, by CPUID, which is slow in a VM; the same in all threads */
static const struct component *components(void)
{
	static struct component known[COMPONENTS];
	static _Atomic bool is_known;
	uint32_t eax, ebx, ecx, edx;
	unsigned int i;

	if (is_known)
		return known;
	for (i = 2; i < COMPONENTS; i++)
		if (__get_cpuid_count(CPUID_XSAVE, i, &eax, &ebx, &ecx, &edx))
			known[i] = (struct component){ ebx, eax };
	is_known = true;
	return known;
}

static void copy_component(struct svmrun_vcpu *to,
			   const struct svmrun_vcpu *from, unsigned int number)
{
	const struct component *component = &components()[number];

	if (component->offset + component->size <= to->xsave_size &&
	    component->offset + component->size <= from->xsave_size)
		memcpy(to->xsave + component->offset,
		       from->xsave + component->offset, component->size);
}

/*
 * A component whose bit is clear in XSTATE_BV is not read. MXCSR always is. The rest of the
 * header is zero in the standard format.
 */
static void copy_xsave(struct svmrun_vcpu *to, const struct svmrun_vcpu *from)
{
	uint64_t present;

	if (to->xsave_size < LEGACY_SIZE + HEADER_SIZE ||
	    from->xsave_size < LEGACY_SIZE + HEADER_SIZE)
		return;
	memcpy(&present, from->xsave + XSAVE_XSTATE_BV, sizeof(present));
	if (present & (XCR0_X87 | XCR0_SSE))
		memcpy(to->xsave, from->xsave, LEGACY_SIZE);
	else
		memcpy(to->xsave + XSAVE_MXCSR, from->xsave + XSAVE_MXCSR,
		       MXCSR_SIZE);
	memcpy(to->xsave + XSAVE_XSTATE_BV, &present, sizeof(present));
	for (present &= ~(uint64_t)(XCR0_X87 | XCR0_SSE); present;
	     present &= present - 1)
		copy_component(to, from, __builtin_ctzll(present));
}

/* All members up to XCR0 are the guest's. */
void nested_copy_registers(struct svmrun_vcpu *to,
			   const struct svmrun_vcpu *from)
{
	memcpy(to->regs, from->regs,
	       offsetof(struct svmrun_registers, tsc_ratio));
	to->regs->immediate_exit |= from->regs->immediate_exit;
	copy_xsave(to, from);
}
