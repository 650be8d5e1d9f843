// SPDX-License-Identifier: GPL-2.0
/*
 * Events whose delivery an exit interrupted, and exceptions that are intercepted for the
 * module alone. Each event must be delivered, and only once, when the module handles the
 * exit itself.
 */
#include "event.h"

#include <linux/svmrun_policy.h>

#define KIND (SVM_EVENT_VALID | SVM_EVENT_TYPE_MASK | SVM_EVENT_VECTOR_MASK)
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))

#define RFLAGS_RF (1ull << 16)
#define DR7_GD (1ull << 13)

/* Return whether the event is raised by an instruction: INTn, INT3 or INTO. */
static bool is_software(u64 event)
{
	return (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_SOFT_INTERRUPT ||
	       (event & KIND) == EXCEPTION(EXCEPTION_BP) ||
	       (event & KIND) == EXCEPTION(EXCEPTION_OF);
}

/* Return whether the event is an interrupt or NMI, which is not raised again. */
static bool is_external(u64 event)
{
	u64 type = event & SVM_EVENT_TYPE_MASK;

	return (event & SVM_EVENT_VALID) &&
	       (type == SVM_EVENT_TYPE_INTR || type == SVM_EVENT_TYPE_NMI);
}

/**
 * event_resume() - inject an event again whose delivery the exit interrupted (APM 15.7.2)
 * @hw: the hardware's VMCB after an exit that the module handles
 * @injected: from event_note() before that exit
 *
 * If an instruction raised the event, RIP still points to it, and it raises the event
 * again. An event that was injected may have no such instruction.
 */
void event_resume(struct svm_vmcb *hw, const struct event_injection *injected)
{
	u64 event = hw->control.exitintinfo;

	if (!(event & SVM_EVENT_VALID)) {
		event = 0;
	} else if (is_software(event)) {
		if (((event ^ injected->event) & KIND) ||
		    hw->save.rip != injected->rip)
			event = 0;
		else
			hw->control.nrip = injected->nrip;
	}
	hw->control.eventinj = event;
	hw->control.exitintinfo = 0;
}

/**
 * event_reflect() - inject an exception that only the module intercepts
 * @hw: the hardware's VMCB after an exit for an exception
 * @requested: intercept vector 2, as the program requested it
 *
 * If the exception interrupted the delivery of another exception, that one is raised
 * again if it still applies. An interrupt or NMI is not, and two events cannot be
 * injected: such an exit is returned to the program.
 *
 * Return: true if the guest can be entered again; false if the exit is the program's.
 */
bool event_reflect(struct svm_vmcb *hw, u32 requested)
{
	unsigned int vector = hw->control.exitcode - VMEXIT_EXCP(0);
	u32 intercept = SVM_INTERCEPT2_EXCEPTION(vector);

	if (!(intercept & SVMRUN_POLICY_REFLECTED & ~requested) ||
	    is_external(hw->control.exitintinfo))
		return false;
	hw->control.eventinj = EXCEPTION(vector);
	hw->control.exitintinfo = 0;
	if (vector == EXCEPTION_AC) {
		/* The error code is always 0 (APM 8.2.18). */
		hw->control.eventinj |= SVM_EVENT_ERROR_CODE_VALID;
		/* The frame of a fault has RF set (APM 3.1.6). */
		hw->save.rflags |= RFLAGS_RF;
	} else {
		/* Delivery of #DB clears GD (APM 13.1.1.4). */
		hw->save.dr7 &= ~DR7_GD;
		hw->control.clean &= ~SVM_CLEAN_DRx;
	}
	return true;
}
