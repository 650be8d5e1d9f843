// SPDX-License-Identifier: LGPL-2.1-or-later
/* nvmm_vcpu_run(): run the guest until an exit that the program has to handle */
#include "call.h"
#include "clock.h"
#include "events.h"
#include "exits.h"
#include "vcpu.h"

/* Run the guest once. @immediate_exit ends the run if it is set already. */
static int enter_guest(struct nvmm_vcpu_private *vcpu)
{
	int ret;

	vcpu->has_next = false;
	/* After an exit MEMORY the program may have mapped the memory instead of an assist. */
	events_reinject(vcpu);
	events_enter(vcpu);
	clock_enter(vcpu);
	ret = svmrun_vcpu_run(&vcpu->cpu);
	/* After an error, EVENTINJ has the event that is still due. */
	if (ret) {
		vcpu->cpu.vmcb->control.exitintinfo = 0;
		return ret;
	}
	vcpu->cpu.vmcb->control.eventinj = 0;
	/* Whatever changes a field from now on clears the bit of its group. */
	vcpu->cpu.vmcb->control.clean = SVM_CLEAN_ALL;
	return 0;
}

static int run_until_exit(struct nvmm_vcpu_private *vcpu)
{
	enum exit_action action;
	int ret;

	do {
		ret = enter_guest(vcpu);
		if (ret == -EINTR) {
			vcpu->exit.reason = vcpu_take_stop(vcpu) ?
						    NVMM_VCPU_EXIT_STOPPED :
						    NVMM_VCPU_EXIT_NONE;
			return 0;
		}
		if (ret)
			return ret;
		action = exits_handle(vcpu);
		if (action == EXIT_HANDLED ||
		    (vcpu->exit.reason != NVMM_VCPU_EXIT_MEMORY &&
		     vcpu->exit.reason != NVMM_VCPU_EXIT_IO))
			events_reinject(vcpu);
	} while (action == EXIT_HANDLED);
	return 0;
}

static void set_exitstate(struct nvmm_vcpu_private *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->cpu.vmcb;
	struct nvmm_vcpu_exit *exit = &vcpu->exit;

	exit->exitstate.rflags = vmcb->save.rflags;
	exit->exitstate.cr8 = vmcb->control.vintr & SVM_VINTR_V_TPR_MASK;
	exit->exitstate.int_shadow = !!(vmcb->control.interrupt_shadow &
					SVM_SHADOW_INTERRUPT_SHADOW);
	exit->exitstate.int_window_exiting = vcpu->int_window;
	exit->exitstate.nmi_window_exiting = vcpu->nmi_window;
	exit->exitstate.evt_pending = !!(vmcb->control.eventinj &
					 SVM_EVENT_VALID);
}

int nvmm_vcpu_run(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	int ret;

	private->thread = pthread_self();
	atomic_store(&private->in_run, true);
	ret = run_until_exit(private);
	atomic_store(&private->in_run, false);
	set_exitstate(private);
	return call_return(ret);
}
