// SPDX-License-Identifier: LGPL-2.1-or-later
/* The end of an instruction: completion, interruption between iterations, or a fault */
#include "execution.h"

static void inject_exception(struct svm_vmcb *vmcb, const struct fault *fault)
{
	uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
			 fault->vector;

	if (fault->has_error_code && (vmcb->save.cr0 & SVM_CR0_PE))
		event |= SVM_EVENT_ERROR_CODE_VALID |
			 (uint64_t)fault->error_code
				 << SVM_EVENT_ERROR_CODE_SHIFT;
	vmcb->control.eventinj = event;
	if (fault->vector != VECTOR_PF)
		return;
	vmcb->save.cr2 = fault->address;
	vmcb->control.clean &= ~SVM_CLEAN_CR2;
}

/*
 * Inject #DB for breakpoints and a single step (APM 13.1.4), and clear DR7.GD for its
 * handler (13.1.1.4).
 */
static void inject_debug_trap(struct svm_vmcb *vmcb, uint64_t events)
{
	const struct fault trap = { .vector = VECTOR_DB };

	if (vmcb->save.rflags & RFLAGS_TF)
		events |= DR6_BS;
	if (!events)
		return;
	vmcb->save.dr6 |= events;
	vmcb->save.dr7 &= ~DR7_GD;
	vmcb->control.clean &= ~SVM_CLEAN_DRx;
	inject_exception(vmcb, &trap);
}

static void end_interrupt_shadow(struct svm_vmcb *vmcb)
{
	vmcb->control.interrupt_shadow &= ~SVM_SHADOW_INTERRUPT_SHADOW;
}

void complete_instruction(struct svm_vmcb *vmcb, uint64_t next, uint64_t hits)
{
	struct svm_vmcb_save *save = &vmcb->save;

	save->rip = is_64_bit(save) ? next : (uint32_t)next;
	save->rflags &= ~RFLAGS_RF;
	end_interrupt_shadow(vmcb);
	inject_debug_trap(vmcb, hits);
}

/* Set RF for an interrupted instruction, whose breakpoint has already been reported. */
static void complete_iteration(struct svm_vmcb *vmcb, uint64_t hits)
{
	vmcb->save.rflags |= RFLAGS_RF;
	end_interrupt_shadow(vmcb);
	inject_debug_trap(vmcb, hits);
}

/* Set RF, as the processor pushes it for a fault (APM 8.4). */
static void complete_fault(struct svm_vmcb *vmcb, const struct fault *fault)
{
	vmcb->save.rflags |= RFLAGS_RF;
	end_interrupt_shadow(vmcb);
	inject_exception(vmcb, fault);
}

int execution_finish(struct execution *execution, int ret)
{
	struct svm_vmcb *vmcb = execution->vcpu->vmcb;

	switch (ret) {
	case EXECUTION_DONE:
		complete_instruction(vmcb,
				     vmcb->save.rip +
					     execution->instruction.length,
				     execution->hits);
		return 0;
	case EXECUTION_RESUME:
		complete_iteration(vmcb, execution->hits);
		return 0;
	case -EINTR:
		complete_iteration(vmcb, execution->hits);
		return ret;
	case -EFAULT:
		complete_fault(vmcb, &execution->fault);
		return 0;
	case -EAGAIN: /* the guest executes the instruction that is there now */
		return 0;
	default:
		return ret;
	}
}

void svmrun_instruction_complete(struct svmrun_vcpu *vcpu, uint64_t next)
{
	complete_instruction(vcpu->vmcb, next, 0);
}

void svmrun_instruction_fault(struct svmrun_vcpu *vcpu, unsigned int vector,
			      uint32_t error_code)
{
	struct fault fault;

	fault_set(&fault, vector);
	fault.error_code = error_code;
	complete_fault(vcpu->vmcb, &fault);
}
