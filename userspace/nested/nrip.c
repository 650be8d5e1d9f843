// SPDX-License-Identifier: LGPL-2.1-or-later
/* The address of the next instruction, also for processors without NRIP save */
#include "nested.h"

/* NRIP is saved for instructions, INT3 and INTO included (APM 15.7.1). */
static bool has_next_rip(uint64_t exitcode)
{
	return exitcode <= VMEXIT_DR_WRITE(15) ||
	       (exitcode >= VMEXIT_CR0_SEL_WRITE &&
		exitcode < VMEXIT_TASK_SWITCH) ||
	       (exitcode >= VMEXIT_VMRUN && exitcode <= VMEXIT_RDPRU) ||
	       (exitcode >= VMEXIT_INVLPGB && exitcode <= VMEXIT_TLBSYNC);
}

uint64_t nested_next_rip(const struct svmrun_nested *nested,
			 unsigned int length)
{
	const struct svm_vmcb *vmcb = nested->current->vmcb;
	int found;

	if (nested->config.info->out_svm_features & SVM_FEATURE_NRIP_SAVE)
		return vmcb->control.nrip;
	found = svmrun_instruction_length(nested->current, nested_code(nested));
	return vmcb->save.rip + (found > 0 ? (unsigned int)found : length);
}

/* Without NRIP save, the exit of L1's VMCB gets the address nevertheless. */
void nested_complete_nrip(struct svmrun_nested *nested, uint64_t exitcode)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	if (nested->config.info->out_svm_features & SVM_FEATURE_NRIP_SAVE)
		return;
	if (exitcode == VMEXIT_IOIO)
		control->nrip = control->exitinfo2;
	else if (has_next_rip(exitcode))
		control->nrip = nested_next_rip(nested, 0);
	else
		control->nrip = 0;
}
