// SPDX-License-Identifier: LGPL-2.1-or-later
/* Software interrupts and exceptions whose delivery is interrupted (APM 15.20) */
#include "nested.h"

/* INT3 and INTO are exceptions in EVENTINJ. */
static bool is_soft_event(uint64_t event)
{
	unsigned int vector = event & SVM_EVENT_VECTOR_MASK;

	if (!(event & SVM_EVENT_VALID))
		return false;
	if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_SOFT_INTERRUPT)
		return true;
	return (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_EXCEPTION &&
	       (vector == VECTOR_BP || vector == VECTOR_OF);
}

void nested_note_soft_event(struct svmrun_nested *nested)
{
	nested->has_soft_event = is_soft_event(nested->control.eventinj);
	nested->soft_rip = nested->current->vmcb->save.rip;
}

void nested_begin_soft_event(struct svmrun_nested *nested)
{
	struct svm_vmcb *vmcb = nested->current->vmcb;

	if (!nested->has_soft_event || !is_soft_event(vmcb->control.eventinj) ||
	    vmcb->save.rip != nested->soft_rip)
		return;
	if (nested->config.info->out_svm_features & SVM_FEATURE_NRIP_SAVE)
		vmcb->control.nrip = nested->control.nrip;
	else
		vmcb->save.rip = nested->control.nrip;
}

void nested_end_soft_event(struct svmrun_nested *nested)
{
	struct svm_vmcb *vmcb = nested->current->vmcb;

	if (!nested->has_soft_event)
		return;
	if (!is_soft_event(vmcb->control.exitintinfo) &&
	    !is_soft_event(vmcb->control.eventinj))
		nested->has_soft_event = false;
	else if (vmcb->save.rip == nested->control.nrip)
		vmcb->save.rip = nested->soft_rip;
}

void nested_drop_soft_event(struct svmrun_nested *nested)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	if (!nested->has_soft_event && is_soft_event(control->exitintinfo))
		control->exitintinfo = 0;
}
