// SPDX-License-Identifier: LGPL-2.1-or-later
/* Exits of L1's and L2's vCPU */
#include "nested.h"

static void reflect(struct svmrun_nested *nested, uint64_t exitcode)
{
	const struct svm_vmcb_control *control = &nested->current->vmcb->control;

	if (exitcode == VMEXIT_INVALID) {
		nested_explain_invalid(nested);
	} else {
		nested_complete_nrip(nested, exitcode);
		nested_complete_assists(nested, exitcode);
	}
	nested_vmexit(nested, exitcode, control->exitinfo1, control->exitinfo2);
}

static bool is_svm_instruction(uint64_t exitcode)
{
	return exitcode == VMEXIT_VMRUN || exitcode == VMEXIT_INVLPGA ||
	       (exitcode >= VMEXIT_VMLOAD && exitcode <= VMEXIT_SKINIT);
}

static void close_window(struct svmrun_nested *nested)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	nested->window = false;
	control->vintr &= ~NESTED_VIRTUAL_INTERRUPT;
	control->vintr |= nested->virtual_interrupt;
}

static int exit_l2(struct svmrun_nested *nested, uint64_t exitcode)
{
	if (exitcode == VMEXIT_VINTR && nested->window) {
		close_window(nested);
		return SVMRUN_NESTED_HANDLED;
	}
	if (exitcode == VMEXIT_NPF && uses_nested_paging(&nested->control))
		return nested_page_fault(nested);
	if (!nested_intercepts(nested, &exitcode)) {
		nested->space->is_l2s = false;
		nested->current->vmcb->control.clean = 0;
		return SVMRUN_NESTED_NOT_HANDLED;
	}
	reflect(nested, exitcode);
	return SVMRUN_NESTED_HANDLED;
}

bool svmrun_nested_shutdown(struct svmrun_nested *nested)
{
	struct svm_vmcb_control *control = &nested->current->vmcb->control;

	if (!is_active(nested) ||
	    !nested_intercepts_code(nested, VMEXIT_SHUTDOWN))
		return false;
	control->nrip = 0;
	control->insn_len = 0;
	nested_vmexit(nested, VMEXIT_SHUTDOWN, 0, 0);
	return true;
}

int svmrun_nested_exit(struct svmrun_nested *nested)
{
	uint64_t exitcode = nested->current->vmcb->control.exitcode;
	int ret = SVMRUN_NESTED_NOT_HANDLED;

	nested->faulted = false;
	if (is_active(nested)) {
		nested_keep_virtual_interrupt(nested);
		nested_end_soft_event(nested);
		nested->space->is_l2s = exitcode != VMEXIT_INVALID;
		ret = exit_l2(nested, exitcode);
	}
	if (ret == SVMRUN_NESTED_NOT_HANDLED && is_svm_instruction(exitcode)) {
		nested_instruction(nested, exitcode);
		ret = SVMRUN_NESTED_HANDLED;
	}
	return ret;
}
