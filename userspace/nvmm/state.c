// SPDX-License-Identifier: LGPL-2.1-or-later
/* State of a vCPU: struct nvmm_x64_state is converted from and to the VMCB and the registers */
#include <string.h>

#include <svmrun/instruction.h>

#include "call.h"
#include "clock.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "model/vmcb_msr.h"
#include "vcpu.h"

/* Parts of the XSAVE area that struct nvmm_x64_state_fpu has: all up to XMM15 */
#define FPU_SIZE offsetof(struct nvmm_x64_state_fpu, fx_rsvd)

_Static_assert(sizeof(struct nvmm_x64_state_fpu) == 512, "FXSAVE");
_Static_assert(offsetof(struct nvmm_x64_state_fpu, fx_mxcsr) == XSAVE_MXCSR,
	       "FXSAVE");
_Static_assert(offsetof(struct nvmm_x64_state_fpu, fx_xmm) == XSAVE_XMM,
	       "FXSAVE");

/* Segment registers of the VMCB by NVMM_X64_SEG_* */
#define AT(member) offsetof(struct svm_vmcb_save, member)
static const uint16_t segments[NVMM_X64_NSEG] = {
	[NVMM_X64_SEG_ES] = AT(es),    [NVMM_X64_SEG_CS] = AT(cs),
	[NVMM_X64_SEG_SS] = AT(ss),    [NVMM_X64_SEG_DS] = AT(ds),
	[NVMM_X64_SEG_FS] = AT(fs),    [NVMM_X64_SEG_GS] = AT(gs),
	[NVMM_X64_SEG_GDT] = AT(gdtr), [NVMM_X64_SEG_IDT] = AT(idtr),
	[NVMM_X64_SEG_LDT] = AT(ldtr), [NVMM_X64_SEG_TR] = AT(tr),
};

/* MSRs of the VMCB by NVMM_X64_MSR_*, except for EFER and the TSC */
static const uint16_t msrs[] = {
	[NVMM_X64_MSR_STAR] = AT(star),
	[NVMM_X64_MSR_LSTAR] = AT(lstar),
	[NVMM_X64_MSR_CSTAR] = AT(cstar),
	[NVMM_X64_MSR_SFMASK] = AT(sfmask),
	[NVMM_X64_MSR_KERNELGSBASE] = AT(kernel_gs_base),
	[NVMM_X64_MSR_SYSENTER_CS] = AT(sysenter_cs),
	[NVMM_X64_MSR_SYSENTER_ESP] = AT(sysenter_esp),
	[NVMM_X64_MSR_SYSENTER_EIP] = AT(sysenter_eip),
	[NVMM_X64_MSR_PAT] = AT(g_pat),
};
#undef AT

static void *save_at(struct svm_vmcb_save *save, uint16_t offset)
{
	return (char *)save + offset;
}

static uint16_t pack_attributes(const struct nvmm_x64_state_seg *seg)
{
	return seg->attrib.type | (seg->attrib.s ? SVM_SEG_S : 0) |
	       seg->attrib.dpl << SVM_SEG_DPL_SHIFT |
	       (seg->attrib.p ? SVM_SEG_P : 0) |
	       (seg->attrib.avl ? SVM_SEG_AVL : 0) |
	       (seg->attrib.l ? SVM_SEG_L : 0) |
	       (seg->attrib.def ? SVM_SEG_DB : 0) |
	       (seg->attrib.g ? SVM_SEG_G : 0);
}

static void unpack_segment(struct nvmm_x64_state_seg *seg,
			   const struct svm_seg *from)
{
	*seg = (struct nvmm_x64_state_seg){
		.selector = from->selector,
		.limit = from->limit,
		.base = from->base,
		.attrib = {
			.type = from->attrib & SVM_SEG_TYPE_MASK,
			.s = !!(from->attrib & SVM_SEG_S),
			.dpl = (from->attrib & SVM_SEG_DPL_MASK) >>
			       SVM_SEG_DPL_SHIFT,
			.p = !!(from->attrib & SVM_SEG_P),
			.avl = !!(from->attrib & SVM_SEG_AVL),
			.l = !!(from->attrib & SVM_SEG_L),
			.def = !!(from->attrib & SVM_SEG_DB),
			.g = !!(from->attrib & SVM_SEG_G),
		},
	};
}

/* The interface has no CPL: it is DPL of SS. */
static void set_segs(struct nvmm_vcpu_private *vcpu,
		     const struct nvmm_x64_state *state)
{
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	unsigned int i;

	for (i = 0; i < NVMM_X64_NSEG; i++) {
		struct svm_seg *seg = save_at(save, segments[i]);

		seg->selector = state->segs[i].selector;
		seg->attrib = pack_attributes(&state->segs[i]);
		seg->limit = state->segs[i].limit;
		seg->base = state->segs[i].base;
	}
	save->cpl = state->segs[NVMM_X64_SEG_SS].attrib.dpl;
}

static void get_segs(struct nvmm_vcpu_private *vcpu,
		     struct nvmm_x64_state *state)
{
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	unsigned int i;

	for (i = 0; i < NVMM_X64_NSEG; i++)
		unpack_segment(&state->segs[i], save_at(save, segments[i]));
	state->segs[NVMM_X64_SEG_SS].attrib.dpl = save->cpl;
}

/*
 * A new RIP ends the interrupt shadow. If it completes the instruction that the program had
 * to execute, a single step ends, too.
 */
static void set_rip(struct nvmm_vcpu_private *vcpu, uint64_t rip)
{
	struct svm_vmcb *vmcb = vcpu->cpu.vmcb;

	if (vmcb->save.rip == rip)
		return;
	if (vcpu->has_next && rip == vcpu->next_rip) {
		svmrun_instruction_complete(&vcpu->cpu, rip);
	} else {
		vmcb->save.rip = rip;
		vmcb->control.interrupt_shadow = 0;
	}
	vcpu->has_next = false;
}

/* General-purpose registers have the order of enum svmrun_gpr. */
static void set_gprs(struct nvmm_vcpu_private *vcpu,
		     const struct nvmm_x64_state *state)
{
	unsigned int i;

	for (i = NVMM_X64_GPR_RAX; i <= NVMM_X64_GPR_R15; i++)
		svmrun_vcpu_set_gpr(&vcpu->cpu, i, state->gprs[i]);
	vcpu->cpu.vmcb->save.rflags = state->gprs[NVMM_X64_GPR_RFLAGS] |
				      RFLAGS_ALWAYS_1;
	set_rip(vcpu, state->gprs[NVMM_X64_GPR_RIP]);
}

static void get_gprs(struct nvmm_vcpu_private *vcpu,
		     struct nvmm_x64_state *state)
{
	unsigned int i;

	for (i = NVMM_X64_GPR_RAX; i <= NVMM_X64_GPR_R15; i++)
		state->gprs[i] = svmrun_vcpu_get_gpr(&vcpu->cpu, i);
	state->gprs[NVMM_X64_GPR_RIP] = vcpu->cpu.vmcb->save.rip;
	state->gprs[NVMM_X64_GPR_RFLAGS] = vcpu->cpu.vmcb->save.rflags;
}

/* Another ASID has no translations. */
static void flush_translations(struct nvmm_vcpu_private *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->cpu.vmcb->control;

	control->asid = control->asid == UINT32_MAX ? 1 : control->asid + 1;
}

static void set_crs(struct nvmm_vcpu_private *vcpu,
		    const struct nvmm_x64_state *state)
{
	const struct svmrun_info *info = &vcpu->machine->info;
	struct svm_vmcb *vmcb = vcpu->cpu.vmcb;
	uint64_t cr0 = state->crs[NVMM_X64_CR_CR0] & info->out_cr0;
	uint64_t cr4 = state->crs[NVMM_X64_CR_CR4] & info->out_cr4;

	if (vmcb->save.cr0 != cr0 || vmcb->save.cr4 != cr4 ||
	    vmcb->save.cr3 != state->crs[NVMM_X64_CR_CR3])
		flush_translations(vcpu);
	vmcb->save.cr0 = cr0;
	vmcb->save.cr2 = state->crs[NVMM_X64_CR_CR2];
	vmcb->save.cr3 = state->crs[NVMM_X64_CR_CR3];
	vmcb->save.cr4 = cr4;
	vmcb->control.vintr &= ~SVM_VINTR_V_TPR_MASK;
	vmcb->control.vintr |= state->crs[NVMM_X64_CR_CR8] & 0xf;
	vcpu->cpu.regs->xcr0 = state->crs[NVMM_X64_CR_XCR0];
}

static void get_crs(struct nvmm_vcpu_private *vcpu,
		    struct nvmm_x64_state *state)
{
	const struct svm_vmcb *vmcb = vcpu->cpu.vmcb;

	state->crs[NVMM_X64_CR_CR0] = vmcb->save.cr0;
	state->crs[NVMM_X64_CR_CR2] = vmcb->save.cr2;
	state->crs[NVMM_X64_CR_CR3] = vmcb->save.cr3;
	state->crs[NVMM_X64_CR_CR4] = vmcb->save.cr4;
	state->crs[NVMM_X64_CR_CR8] = vmcb->control.vintr &
				      SVM_VINTR_V_TPR_MASK;
	state->crs[NVMM_X64_CR_XCR0] = vcpu->cpu.regs->xcr0;
}

static void set_drs(struct nvmm_vcpu_private *vcpu,
		    const struct nvmm_x64_state *state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vcpu->cpu.regs->dr); i++)
		vcpu->cpu.regs->dr[i] = state->drs[NVMM_X64_DR_DR0 + i];
	vcpu->cpu.vmcb->save.dr6 = state->drs[NVMM_X64_DR_DR6];
	vcpu->cpu.vmcb->save.dr7 = state->drs[NVMM_X64_DR_DR7];
}

static void get_drs(struct nvmm_vcpu_private *vcpu,
		    struct nvmm_x64_state *state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vcpu->cpu.regs->dr); i++)
		state->drs[NVMM_X64_DR_DR0 + i] = vcpu->cpu.regs->dr[i];
	state->drs[NVMM_X64_DR_DR6] = vcpu->cpu.vmcb->save.dr6;
	state->drs[NVMM_X64_DR_DR7] = vcpu->cpu.vmcb->save.dr7;
}

/* VMRUN requires SVME (APM 15.5.1), which guests do not have. */
static void set_msrs(struct nvmm_vcpu_private *vcpu,
		     const struct nvmm_x64_state *state)
{
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	uint64_t efer = (state->msrs[NVMM_X64_MSR_EFER] & GUEST_EFER &
			 vcpu->machine->info.out_efer) |
			SVM_EFER_SVME;
	unsigned int i;

	if (save->efer != efer)
		flush_translations(vcpu);
	save->efer = efer;
	for (i = NVMM_X64_MSR_STAR; i < ARRAY_SIZE(msrs); i++)
		memcpy(save_at(save, msrs[i]), &state->msrs[i],
		       sizeof(state->msrs[i]));
	/* A program that sets what it has read does not mean to stop the clock. */
	if (state->msrs[NVMM_X64_MSR_TSC] != vcpu->tsc_read) {
		vcpu_set_tsc(vcpu, state->msrs[NVMM_X64_MSR_TSC]);
		clock_reset(vcpu);
	}
}

static void get_msrs(struct nvmm_vcpu_private *vcpu,
		     struct nvmm_x64_state *state)
{
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	unsigned int i;

	state->msrs[NVMM_X64_MSR_EFER] = save->efer & ~SVM_EFER_SVME;
	for (i = NVMM_X64_MSR_STAR; i < ARRAY_SIZE(msrs); i++)
		memcpy(&state->msrs[i], save_at(save, msrs[i]),
		       sizeof(state->msrs[i]));
	vcpu->tsc_read = vcpu_tsc(vcpu);
	state->msrs[NVMM_X64_MSR_TSC] = vcpu->tsc_read;
}

static void set_intr(struct nvmm_vcpu_private *vcpu,
		     const struct nvmm_x64_state *state)
{
	vcpu->cpu.vmcb->control.interrupt_shadow =
		state->intr.int_shadow ? SVM_SHADOW_INTERRUPT_SHADOW : 0;
	vcpu->int_window = state->intr.int_window_exiting;
	vcpu->nmi_window = state->intr.nmi_window_exiting;
}

static void get_intr(struct nvmm_vcpu_private *vcpu,
		     struct nvmm_x64_state *state)
{
	const struct svm_vmcb_control *control = &vcpu->cpu.vmcb->control;

	state->intr = (struct nvmm_x64_state_intr){
		.int_shadow = !!(control->interrupt_shadow &
				 SVM_SHADOW_INTERRUPT_SHADOW),
		.int_window_exiting = vcpu->int_window,
		.nmi_window_exiting = vcpu->nmi_window,
		.evt_pending = !!(control->eventinj & SVM_EVENT_VALID),
	};
}

static uint64_t *xstate_bv(struct nvmm_vcpu_private *vcpu)
{
	return (uint64_t *)(vcpu->cpu.xsave + XSAVE_XSTATE_BV);
}

static void set_fpu(struct nvmm_vcpu_private *vcpu,
		    const struct nvmm_x64_state *state)
{
	memcpy(vcpu->cpu.xsave, &state->fpu, FPU_SIZE);
	*xstate_bv(vcpu) |= XCR0_X87 | XCR0_SSE;
}

/* A component that XSTATE_BV does not have is in its initial state (APM 11.5.6). */
static void get_fpu(struct nvmm_vcpu_private *vcpu,
		    struct nvmm_x64_state *state)
{
	struct nvmm_x64_state_fpu *fpu = &state->fpu;
	uint32_t mxcsr;

	memcpy(fpu, vcpu->cpu.xsave, FPU_SIZE);
	memset(fpu->fx_rsvd, 0, sizeof(fpu->fx_rsvd));
	mxcsr = fpu->fx_mxcsr;
	if (!(*xstate_bv(vcpu) & XCR0_X87)) {
		memset(fpu, 0, XSAVE_XMM);
		fpu->fx_cw = FCW_INIT;
	}
	if (!(*xstate_bv(vcpu) & XCR0_SSE))
		memset(fpu->fx_xmm, 0, sizeof(fpu->fx_xmm));
	fpu->fx_mxcsr = mxcsr;
	fpu->fx_mxcsr_mask = MXCSR_MASK;
}

/* @changed: clean bits of the fields that @set may change; nvmm_vcpu_setstate() clears them */
static const struct part {
	uint64_t flag;
	uint32_t changed;
	void (*set)(struct nvmm_vcpu_private *vcpu,
		    const struct nvmm_x64_state *state);
	void (*get)(struct nvmm_vcpu_private *vcpu,
		    struct nvmm_x64_state *state);
} parts[] = {
	{ NVMM_X64_STATE_SEGS, SVM_CLEAN_SEG | SVM_CLEAN_DT, set_segs,
	  get_segs },
	{ NVMM_X64_STATE_GPRS, 0, set_gprs, get_gprs },
	{ NVMM_X64_STATE_CRS,
	  SVM_CLEAN_CRx | SVM_CLEAN_CR2 | SVM_CLEAN_TPR | SVM_CLEAN_ASID,
	  set_crs, get_crs },
	{ NVMM_X64_STATE_DRS, SVM_CLEAN_DRx, set_drs, get_drs },
	{ NVMM_X64_STATE_MSRS,
	  SVM_CLEAN_CRx | SVM_CLEAN_NP | SVM_CLEAN_I | SVM_CLEAN_ASID, set_msrs,
	  get_msrs },
	{ NVMM_X64_STATE_INTR, 0, set_intr, get_intr },
	{ NVMM_X64_STATE_FPU, 0, set_fpu, get_fpu },
};

static bool is_valid_state(const struct nvmm_vcpu_private *vcpu, uint64_t flags)
{
	const struct nvmm_x64_state *state = &vcpu->state;

	if (flags & ~(uint64_t)NVMM_X64_STATE_ALL)
		return false;
	if ((flags & NVMM_X64_STATE_CRS) &&
	    !vcpu_is_xcr0(vcpu, state->crs[NVMM_X64_CR_XCR0]))
		return false;
	if ((flags & NVMM_X64_STATE_MSRS) &&
	    !vmcb_msr_is_pat(state->msrs[NVMM_X64_MSR_PAT]))
		return false;
	return !(flags & NVMM_X64_STATE_FPU) ||
	       !(state->fpu.fx_mxcsr & ~MXCSR_MASK);
}

int nvmm_vcpu_setstate(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		       uint64_t flags)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	unsigned int i;

	if (!is_valid_state(private, flags))
		return call_return(-EINVAL);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!(flags & parts[i].flag))
			continue;
		parts[i].set(private, &private->state);
		private->cpu.vmcb->control.clean &= ~parts[i].changed;
	}
	return 0;
}

int nvmm_vcpu_getstate(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		       uint64_t flags)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	unsigned int i;

	if (flags & ~(uint64_t)NVMM_X64_STATE_ALL)
		return call_return(-EINVAL);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (flags & parts[i].flag)
			parts[i].get(private, &private->state);
	return 0;
}
