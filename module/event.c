// SPDX-License-Identifier: GPL-2.0
/*
 * Events that an exit interrupted, and exceptions that are the guest's after
 * all: what the module deals with itself must neither lose one nor deliver one
 * twice.
 */
#include "event.h"

#include <linux/svmrun_policy.h>

#define KIND (SVM_EVENT_VALID | SVM_EVENT_TYPE_MASK | SVM_EVENT_VECTOR_MASK)
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))

#define RFLAGS_RF (1ull << 16)
#define DR7_GD (1ull << 13)

/* Does an instruction raise it: INTn, INT3 or INTO? */
static bool is_software(u64 event)
{
	return (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_SOFT_INTERRUPT ||
	       (event & KIND) == EXCEPTION(EXCEPTION_BP) ||
	       (event & KIND) == EXCEPTION(EXCEPTION_OF);
}

/* Does it come from outside, and once only? */
static bool is_external(u64 event)
{
	u64 type = event & SVM_EVENT_TYPE_MASK;

	return (event & SVM_EVENT_VALID) &&
	       (type == SVM_EVENT_TYPE_INTR || type == SVM_EVENT_TYPE_NMI);
}

/**
 * event_resume() - have what an exit interrupted delivered (APM 15.7.2)
 * @hw: the hardware's VMCB after an exit after which the guest goes on
 * @injected: from event_note() before that exit
 *
 * If an instruction raised the event, RIP is still there, and it will raise it
 * again; but if it was injected there may be no such instruction.
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
 * event_reflect() - give the guest an exception that only the module intercepts
 * @hw: the hardware's VMCB after an exit for an exception
 * @requested: intercept vector 2, as the program requested it
 *
 * An exception that it cut short will be raised again, if it still must be; an
 * interrupt or NMI that it cut short comes once, and two events cannot be
 * injected: that exit is the program's.
 *
 * Return: true if the guest can go on; false if the exit is the program's.
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
		/* So has a fault's frame RF (APM 3.1.6). */
		hw->save.rflags |= RFLAGS_RF;
	} else {
		/* The way into the handler clears it (APM 13.1.1.4). */
		hw->save.dr7 &= ~DR7_GD;
		hw->control.clean &= ~SVM_CLEAN_DRx;
	}
	return true;
}
