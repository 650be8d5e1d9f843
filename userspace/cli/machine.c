// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "feature.h"
#include "machine.h"

#define VECTOR_GP 13

void machine_end(struct machine *machine, int status, const char *kind,
		 const char *format, ...)
{
	struct outcome *outcome = &machine->outcome;
	va_list arguments;

	outcome->ended = true;
	outcome->status = status;
	outcome->kind = kind;
	va_start(arguments, format);
	vsnprintf(outcome->message, sizeof(outcome->message), format,
		  arguments);
	va_end(arguments);
}

void machine_skip(struct machine *machine, unsigned int length)
{
	struct svm_vmcb *vmcb = machine->vcpu.vmcb;

	if (machine->info.out_svm_features & FEATURE_NRIPS)
		vmcb->save.rip = vmcb->control.nrip;
	else
		vmcb->save.rip += length;
	vmcb->control.interrupt_shadow &= ~SVM_SHADOW_INTERRUPT_SHADOW;
}

void machine_inject_gp(struct machine *machine)
{
	machine->vcpu.vmcb->control.eventinj = SVM_EVENT_VALID |
					       SVM_EVENT_TYPE_EXCEPTION |
					       SVM_EVENT_ERROR_CODE_VALID |
					       VECTOR_GP;
}
