// SPDX-License-Identifier: LGPL-2.1-or-later
/* #VMEXIT to L1 (APM 15.6) */
#include <string.h>

#include "nested.h"

static void save_control(struct svmrun_nested *nested,
			 const struct svm_vmcb_control *from)
{
	struct svm_vmcb_control *to = &nested->vmcb12->control;

	to->interrupt_shadow = from->interrupt_shadow;
	to->vintr = (to->vintr & ~(SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ)) |
		    (nested->virtual_interrupt & SVM_VINTR_V_IRQ) |
		    (from->vintr & SVM_VINTR_V_TPR_MASK);
	to->exitintinfo = from->exitintinfo;
	to->eventinj = nested->control.eventinj & ~SVM_EVENT_VALID;
	to->nrip = from->nrip;
	to->insn_len = from->insn_len;
	memcpy(to->insn_bytes, from->insn_bytes, sizeof(to->insn_bytes));
}

static void save_state(struct svmrun_nested *nested,
		       const struct svm_vmcb_save *from, bool lbr)
{
	struct svm_vmcb_save *to = &nested->vmcb12->save;

	nested_copy_vmrun(to, from);
	to->cr0 = from->cr0 | (to->cr0 & NESTED_CR0_CACHE);
	if (uses_nested_paging(&nested->control))
		to->g_pat = from->g_pat;
	if (lbr)
		nested_copy_lbr(to, from);
}

/*
 * L1's state is still in its vCPU. #VMEXIT does not restore what VMRUN has not saved: CR2,
 * DR6 and what VMLOAD moves. It disables all breakpoints.
 */
static void restore_l1(struct svmrun_nested *nested,
		       const struct svm_vmcb_save *l2)
{
	struct svm_vmcb_save *l1 = &nested->config.vcpu->vmcb->save;
	__u32 *clean = &nested->config.vcpu->vmcb->control.clean;

	nested_copy_vmload(l1, l2);
	if (l1->cr2 != l2->cr2)
		*clean &= ~SVM_CLEAN_CR2;
	if (l1->dr6 != l2->dr6 || l1->dr7 != DR7_RESET)
		*clean &= ~SVM_CLEAN_DRx;
	if (l1->g_pat != l2->g_pat)
		*clean &= ~SVM_CLEAN_NP;
	l1->cr2 = l2->cr2;
	l1->dr6 = l2->dr6;
	l1->dr7 = DR7_RESET;
	l1->rflags &= ~RFLAGS_VM;
	if (!uses_nested_paging(&nested->control))
		l1->g_pat = l2->g_pat;
}

void nested_vmexit(struct svmrun_nested *nested, uint64_t exitcode,
		   uint64_t exitinfo1, uint64_t exitinfo2)
{
	struct svmrun_vcpu *l1 = nested->config.vcpu, *l2 = nested->current;
	const struct svm_vmcb *vmcb = l2->vmcb;

	nested_keep_virtual_interrupt(nested);
	nested->vmcb12->control.exitcode = exitcode;
	nested->vmcb12->control.exitinfo1 = exitinfo1;
	nested->vmcb12->control.exitinfo2 = exitinfo2;
	if (exitcode != VMEXIT_INVALID) {
		save_control(nested, &vmcb->control);
		save_state(nested, &vmcb->save,
			   vmcb->control.virt_ext & SVM_VIRT_LBR_ENABLE);
		restore_l1(nested, &vmcb->save);
		nested_copy_registers(l1, l2);
	}
	if (nested->suspicion)
		nested_remember(nested);
	l1->vmcb->control.exitintinfo = 0;
	nested->current = l1;
	nested->gif = false;
}
