// SPDX-License-Identifier: LGPL-2.1-or-later
/* Decode assists for L1 (APM 15.8), also for processors without them */
#include <string.h>

#include "nested.h"

static bool is_outs(const struct svm_vmcb_control *control)
{
	return (control->exitinfo1 & (SVM_IOIO_STR | SVM_IOIO_IN)) ==
	       SVM_IOIO_STR;
}

static bool has_info(uint64_t exitcode)
{
	return exitcode <= VMEXIT_DR_WRITE(15) || exitcode == VMEXIT_SWINT ||
	       exitcode == VMEXIT_CR0_SEL_WRITE || exitcode == VMEXIT_INVLPG ||
	       exitcode == VMEXIT_INVLPGA;
}

/* An instruction that cannot be fetched has no bytes. */
void nested_save_bytes(struct svmrun_nested *nested, uint64_t info)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX] = { 0 };
	int count = 0;

	if (!(info & SVM_NPF_FETCH))
		count = svmrun_instruction_bytes(nested->current,
						 nested_code(nested), bytes);
	control->insn_len = count > 0 ? count : 0;
	memcpy(control->insn_bytes, bytes, sizeof(bytes));
}

static void save_info(struct svmrun_nested *nested)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;
	uint64_t info;

	if (!svmrun_instruction_assist(nested->current, nested_code(nested),
				       &info))
		control->exitinfo1 = info;
	else if (control->exitcode != VMEXIT_IOIO)
		control->exitinfo1 = 0;
}

/* The error code of #PF has the same bit for a fetch. */
void nested_complete_assists(struct svmrun_nested *nested, uint64_t exitcode)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	if (nested->config.info->out_svm_features & SVM_FEATURE_DECODE_ASSISTS)
		return;
	control->insn_len = 0;
	if (has_info(exitcode) || (exitcode == VMEXIT_IOIO && is_outs(control)))
		save_info(nested);
	else if (exitcode == VMEXIT_NPF || exitcode == VMEXIT_EXCP(VECTOR_PF))
		nested_save_bytes(nested, control->exitinfo1);
}
