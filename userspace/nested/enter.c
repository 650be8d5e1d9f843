// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMRUN in L1 (APM 15.5), and #VMEXIT to it (APM 15.6) */
#include <string.h>

#include <svmrun/saved.h>

#include "nested.h"

/* Intercepts that the program uses to wait for an interrupt window of L1's */
#define WINDOW_3 (SVM_INTERCEPT3_VINTR | SVM_INTERCEPT3_IRET)
#define WINDOW_0 SVM_INTERCEPT0_CR_WRITE(8)

static void merge_intercepts(struct svmrun_nested *nested,
			     struct svm_vmcb_control *to)
{
	const uint32_t *l1 = nested->control.intercept;
	const uint32_t *program = nested->config.vcpu->vmcb->control.intercept;

	to->intercept[0] = l1[0] | (program[0] & ~WINDOW_0);
	to->intercept[1] = l1[1] | program[1];
	to->intercept[2] = l1[2] | program[2];
	to->intercept[3] = l1[3] | (program[3] & ~WINDOW_3);
	to->intercept[4] = (l1[4] & NESTED_INTERCEPTS_4) | program[4];
	to->intercept[5] = (l1[5] & NESTED_INTERCEPTS_5) | program[5];
}

/* Find the words of the program's map that permit an access. */
static void find_permitted(struct svmrun_nested *nested)
{
	const uint64_t *program = (const void *)nested->config.vcpu->msrpm;
	size_t i;

	nested->knows_permitted = true;
	nested->permitted_count = 0;
	for (i = 0; i < MSRPM_SIZE / sizeof(*program); i++)
		if (~program[i] && nested->permitted_count < NESTED_PERMITTED)
			nested->permitted[nested->permitted_count++] = i;
}

/*
 * Both maps must permit an access; all other bits of L2's vCPU stay ones. Return whether the
 * map has changed.
 */
static bool merge_msrpm(struct svmrun_nested *nested, struct svmrun_vcpu *vcpu)
{
	bool intercepts = nested->control.intercept[3] & SVM_INTERCEPT3_MSR;
	const uint64_t *program = (const void *)nested->config.vcpu->msrpm;
	uint64_t *to = (void *)vcpu->msrpm, bits;
	const uint64_t *l1;
	bool changed = false;
	size_t i;

	if (!nested->knows_permitted)
		find_permitted(nested);
	if (!nested->permitted_count)
		return false;
	l1 = (const void *)nested_msrpm(nested);
	for (i = 0; i < nested->permitted_count; i++) {
		size_t at = nested->permitted[i];

		bits = program[at];
		if (intercepts)
			bits |= l1 ? l1[at] : ~0ull;
		changed |= to[at] != bits;
		to[at] = bits;
	}
	return changed;
}

/* An offset may be negative; a ratio has 40 bits. */
static uint64_t scale(int64_t value, int64_t ratio)
{
	return (__int128_t)value * ratio >> 32;
}

/*
 * L2's counter is L1's, scaled by TSC_RATIO, plus TSC_OFFSET (APM 15.30.5). 0 in the
 * registers page means 1.0, and so does it without the feature.
 */
static void set_tsc(struct svmrun_nested *nested, struct svmrun_vcpu *vcpu)
{
	const struct svmrun_vcpu *l1 = nested->config.vcpu;
	uint64_t offset = l1->vmcb->control.tsc_offset;
	uint64_t ratio = l1->regs->tsc_ratio;

	if (nested->tsc_ratio != TSC_RATIO_ONE) {
		offset = scale(offset, nested->tsc_ratio);
		ratio = scale(ratio ? ratio : TSC_RATIO_ONE, nested->tsc_ratio);
	}
	vcpu->vmcb->control.tsc_offset = offset + nested->control.tsc_offset;
	vcpu->regs->tsc_ratio = ratio;
}

static uint8_t tlb_control(const struct svmrun_nested *nested)
{
	return nested->config.info->out_svm_features &
			       SVM_FEATURE_FLUSH_BY_ASID ?
		       SVM_TLB_CONTROL_FLUSH_GUEST :
		       SVM_TLB_CONTROL_FLUSH_ALL;
}

/* Clean bits of fields that the library sets itself */
#define CLEAN_OWN                                                              \
	(SVM_CLEAN_I | SVM_CLEAN_IOPM | SVM_CLEAN_ASID | SVM_CLEAN_TPR |       \
	 SVM_CLEAN_AVIC)

/*
 * Return the clean bits for L2's vCPU, after its controls have changed from @old. L1's bits
 * say what L1 has not changed since the same VMCB12 ran (APM 15.15).
 */
static uint32_t clean_bits(const struct svmrun_nested *nested,
			   const struct space *space,
			   const struct svm_vmcb_control *old)
{
	const struct svm_vmcb_control *new = &space->vcpu.vmcb->control;
	uint32_t clean = (nested->control.clean & SVM_CLEAN_ALL) | CLEAN_OWN;

	if (!space->is_l2s || space->vmcb12_gpa != nested->vmcb12_gpa)
		return 0;
	if (memcmp(old->intercept, new->intercept, sizeof(old->intercept)) ||
	    old->tsc_offset != new->tsc_offset ||
	    old->pause_filter_count != new->pause_filter_count ||
	    old->pause_filter_threshold != new->pause_filter_threshold)
		clean &= ~SVM_CLEAN_I;
	if (old->asid != new->asid)
		clean &= ~SVM_CLEAN_ASID;
	if (old->vintr != new->vintr)
		clean &= ~SVM_CLEAN_TPR;
	if (old->virt_ext != new->virt_ext)
		clean &= ~SVM_CLEAN_LBR;
	return uses_nested_paging(&nested->control) ? clean :
						      clean & ~SVM_CLEAN_NP;
}

static void load_control(struct svmrun_nested *nested, struct space *space)
{
	const struct svm_vmcb_control *from = &nested->control;
	struct svm_vmcb_control *to = &space->vcpu.vmcb->control;
	bool lbr = nested->features & SVM_FEATURE_LBR_VIRT;

	merge_intercepts(nested, to);
	if (nested->features & SVM_FEATURE_PAUSE_FILTER)
		to->pause_filter_count = from->pause_filter_count;
	if (nested->features & SVM_FEATURE_PAUSE_FILTER_THRESHOLD)
		to->pause_filter_threshold = from->pause_filter_threshold;
	to->asid = from->asid;
	to->tlb_control = space->flush ? tlb_control(nested) :
					 SVM_TLB_CONTROL_NOTHING;
	space->flush = false;
	nested->virtual_interrupt = from->vintr & NESTED_VIRTUAL_INTERRUPT;
	nested->window = false;
	to->vintr = nested->virtual_interrupt | SVM_VINTR_V_INTR_MASKING |
		    (from->vintr & SVM_VINTR_V_TPR_MASK);
	to->interrupt_shadow = from->interrupt_shadow &
			       (SVM_SHADOW_INTERRUPT_SHADOW |
				SVM_SHADOW_GUEST_INTERRUPT_MASK);
	to->exitintinfo = 0;
	to->nested_ctl = SVM_NESTED_NP_ENABLE;
	to->eventinj = from->eventinj;
	to->virt_ext = lbr ? from->virt_ext & SVM_VIRT_LBR_ENABLE : 0;
	to->nrip = from->nrip;
}

/*
 * VMRUN does not load the registers of VMLOAD, PAT without nested paging, nor DBGCTL without
 * LBR virtualization: L2 continues with those of L1. VMRUN refuses no value of DBGCTL, but the
 * module does.
 */
static void load_state(struct svmrun_nested *nested, struct space *space)
{
	const struct svm_vmcb_save *l1 = &nested->config.vcpu->vmcb->save;
	const struct svm_vmcb_control *control = &space->vcpu.vmcb->control;
	const struct svm_vmcb_save *l2 = &nested->save;
	struct svm_vmcb_save *to = &space->vcpu.vmcb->save;

	nested_copy_vmrun(to, l2);
	to->cr0 = l2->cr0 & ~NESTED_CR0_CACHE;
	nested_copy_vmload(to, l1);
	to->g_pat = (uses_nested_paging(&nested->control) ? l2 : l1)->g_pat;
	if (control->virt_ext & SVM_VIRT_LBR_ENABLE)
		nested_copy_lbr(to, &nested->vmcb12->save);
	else
		to->dbgctl = l1->dbgctl;
	to->dbgctl &= nested->processor.dbgctl;
}

/* Another processor of L1 may be changing VMCB12: read it once. */
static void copy_vmcb12(struct svmrun_nested *nested)
{
	const struct svm_vmcb *vmcb12 = nested->vmcb12;

	memcpy(&nested->control, &vmcb12->control,
	       offsetof(struct svm_vmcb_control, insn_len));
	nested_copy_vmrun(&nested->save, &vmcb12->save);
	nested->save.cr0 = vmcb12->save.cr0;
	nested->save.g_pat = vmcb12->save.g_pat;
}

/* After a refusal, only EXITCODE is written to VMCB12 (APM 15.5.1). */
static void end_refused(struct svmrun_nested *nested)
{
	nested->vmcb12->control.exitcode = VMEXIT_INVALID;
	nested->gif = false;
}

void nested_vmrun(struct svmrun_nested *nested, uint64_t gpa,
		  struct svm_vmcb *vmcb12)
{
	struct svm_vmcb_control old;
	struct space *space;
	uint32_t clean;

	nested->vmcb12 = vmcb12;
	nested->vmcb12_gpa = gpa;
	copy_vmcb12(nested);
	nested->runs++;
	if (!nested_check(nested)) {
		end_refused(nested);
		return;
	}
	if (nested->suspicion)
		nested_suspect(nested, vmcb12);
	space = nested_choose_space(nested);
	memcpy(&old, &space->vcpu.vmcb->control,
	       offsetof(struct svm_vmcb_control, exitcode));
	old.virt_ext = space->vcpu.vmcb->control.virt_ext;
	load_control(nested, space);
	load_state(nested, space);
	nested_copy_registers(&space->vcpu, nested->config.vcpu);
	set_tsc(nested, &space->vcpu);
	clean = clean_bits(nested, space, &old);
	if (merge_msrpm(nested, &space->vcpu))
		clean &= ~SVM_CLEAN_IOPM;
	space->vcpu.vmcb->control.clean = clean;
	space->vmcb12_gpa = gpa;
	space->is_l2s = false;
	nested->space = space;
	nested->current = &space->vcpu;
	nested_note_soft_event(nested);
	nested->gif = true;
}

/* Intercepts, permissions and TSC are derived again from those of L1. */
void nested_resume(struct svmrun_nested *nested, struct svmrun_state *state,
		   uint64_t ticks)
{
	struct space *space = nested_choose_space(nested);
	struct svm_vmcb_control *control = &space->vcpu.vmcb->control;

	svmrun_vcpu_load(&space->vcpu, state, ticks);
	merge_intercepts(nested, control);
	merge_msrpm(nested, &space->vcpu);
	set_tsc(nested, &space->vcpu);
	control->asid = nested->control.asid;
	control->tlb_control = tlb_control(nested);
	control->nested_ctl = SVM_NESTED_NP_ENABLE;
	control->exitintinfo = 0;
	space->flush = false;
	space->vmcb12_gpa = nested->vmcb12_gpa;
	space->is_l2s = false;
	nested->space = space;
	nested->current = &space->vcpu;
}
