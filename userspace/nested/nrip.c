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

static int translate(void *owner, uint64_t gpa, uint32_t access,
		     uint64_t *physical)
{
	return svmrun_nested_translate(owner, gpa, access, physical);
}

uint64_t nested_next_rip(const struct svmrun_nested *nested,
			 unsigned int length)
{
	const struct svmrun_nested_config *config = &nested->config;
	const struct svm_vmcb *vmcb = nested->current->vmcb;
	const struct svmrun_bus bus = {
		.memories = config->memories,
		.memory_count = config->memory_count,
		.translate = is_active(nested) ? translate : NULL,
		.owner = (void *)nested,
	};
	int found;

	if (config->info->out_svm_features & SVM_FEATURE_NRIP_SAVE)
		return vmcb->control.nrip;
	found = svmrun_instruction_length(nested->current, &bus);
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
