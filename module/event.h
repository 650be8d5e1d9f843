/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_EVENT_H
#define SVMRUN_EVENT_H

#include <linux/svmrun.h>
#include <linux/types.h>

#define EXCEPTION_DB 1
#define EXCEPTION_BP 3
#define EXCEPTION_OF 4
#define EXCEPTION_NM 7
#define EXCEPTION_AC 17
#define EXCEPTION_MC 18

/**
 * struct event_injection - the event that VMRUN injected
 * @event: EVENTINJ
 * @rip: RIP at VMRUN
 * @nrip: return address of a software interrupt (APM 15.20)
 */
struct event_injection {
	u64 event;
	u64 rip;
	u64 nrip;
};

void event_resume(struct svm_vmcb *hw, const struct event_injection *injected);
bool event_reflect(struct svm_vmcb *hw, u32 requested);

/**
 * event_note() - save the event that VMRUN is about to inject
 * @injected: filled in
 * @hw: the hardware's VMCB, about to be run
 */
static inline void event_note(struct event_injection *injected,
			      const struct svm_vmcb *hw)
{
	injected->event = hw->control.eventinj;
	if (!(injected->event & SVM_EVENT_VALID))
		return;
	injected->rip = hw->save.rip;
	injected->nrip = hw->control.nrip;
}

#endif /* SVMRUN_EVENT_H */
