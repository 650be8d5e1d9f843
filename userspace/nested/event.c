// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events for L1's processor while L1 or L2 runs (APM 15.13, 15.17, 15.21) */
#include "nested.h"

#define EVENT_WINDOW                                                           \
	(SVM_VINTR_V_IRQ | SVM_VINTR_V_INTR_PRIO_MASK | SVM_VINTR_V_IGN_TPR)

/* The program's window comes first, as a physical interrupt does (APM 15.21.4). */
void svmrun_nested_prepare(struct svmrun_nested *nested, bool window)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;
	const uint32_t *l1 = nested->control.intercept;
	unsigned int i;

	if (!is_active(nested))
		return;
	nested_keep_virtual_interrupt(nested);
	nested_begin_soft_event(nested);
	nested->window = window;
	control->vintr &= ~NESTED_VIRTUAL_INTERRUPT;
	control->vintr |= window ? EVENT_WINDOW : nested->virtual_interrupt;
	control->intercept[3] &= ~SVM_INTERCEPT3_VINTR;
	if (window)
		control->intercept[3] |= SVM_INTERCEPT3_VINTR;
	for (i = 0; i < 4; i++)
		control->intercept[i] |= l1[i];
	control->intercept[4] |= l1[4] & NESTED_INTERCEPTS_4;
	control->intercept[5] |= l1[5] & NESTED_INTERCEPTS_5;
}

/* Return whether RFLAGS.IF or an interrupt shadow of the current vCPU holds interrupts. */
static bool is_masked(const struct svmrun_nested *nested, uint64_t exitcode)
{
	const struct svm_vmcb *vmcb = nested->current->vmcb;

	if (vmcb->control.interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW)
		return exitcode != VMEXIT_INIT;
	return exitcode == VMEXIT_INTR && !(vmcb->save.rflags & RFLAGS_IF);
}

/* With V_INTR_MASKING, L1's RFLAGS.IF masks physical interrupts (APM 15.21.1). */
static bool host_masks(const struct svmrun_nested *nested)
{
	return !(nested->config.vcpu->vmcb->save.rflags & RFLAGS_IF);
}

/* An event that has not been delivered was interrupted by the exit (APM 15.7.2). */
static void exit_for_event(struct svmrun_nested *nested, uint64_t exitcode)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	nested_end_soft_event(nested);
	control->exitintinfo = control->eventinj;
	if (!(control->exitintinfo & SVM_EVENT_VALID))
		control->exitintinfo = 0;
	control->nrip = 0;
	control->insn_len = 0;
	nested_vmexit(nested, exitcode, 0, 0);
}

/* V_INTR_PRIO against V_TPR (APM 15.21.4) */
static bool virtual_interrupt_is_masked(const struct svmrun_nested *nested)
{
	uint64_t vintr = nested->virtual_interrupt;
	unsigned int priority = (vintr & SVM_VINTR_V_INTR_PRIO_MASK) >>
				SVM_VINTR_V_INTR_PRIO_SHIFT;
	uint64_t current = nested->current->vmcb->control.vintr;

	if (is_masked(nested, VMEXIT_INTR))
		return true;
	return !(vintr & SVM_VINTR_V_IGN_TPR) &&
	       priority <= (current & SVM_VINTR_V_TPR_MASK);
}

static enum svmrun_nested_action
virtual_interrupt(const struct svmrun_nested *nested)
{
	if (!is_active(nested) ||
	    !(nested->virtual_interrupt & SVM_VINTR_V_IRQ))
		return SVMRUN_NESTED_HOLD;
	return virtual_interrupt_is_masked(nested) ? SVMRUN_NESTED_WINDOW :
						     SVMRUN_NESTED_DELIVER;
}

enum svmrun_nested_action
svmrun_nested_action(const struct svmrun_nested *nested, uint64_t exitcode)
{
	bool masking = svmrun_nested_virtual_tpr(nested) &&
		       exitcode == VMEXIT_INTR;

	if (exitcode == VMEXIT_VINTR)
		return virtual_interrupt(nested);
	if (!nested->gif || (masking && host_masks(nested)))
		return SVMRUN_NESTED_HOLD;
	if (!masking && is_masked(nested, exitcode))
		return SVMRUN_NESTED_WINDOW;
	return is_active(nested) && nested_intercepts_code(nested, exitcode) ?
		       SVMRUN_NESTED_EXITED :
		       SVMRUN_NESTED_DELIVER;
}

enum svmrun_nested_action svmrun_nested_event(struct svmrun_nested *nested,
					      uint64_t exitcode)
{
	enum svmrun_nested_action action = svmrun_nested_action(nested,
								exitcode);

	if (action == SVMRUN_NESTED_EXITED)
		exit_for_event(nested, exitcode);
	return action;
}
