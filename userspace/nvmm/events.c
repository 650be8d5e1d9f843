// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events. The interface lets a program inject an interrupt at any time that the guest can take
 * it, but EVENTINJ holds one event: an exception that an emulated instruction has raised, or
 * an event whose delivery an exit has interrupted, comes first, and the interrupt waits.
 */
#include "call.h"
#include "events.h"
#include "lib/array_size.h"
#include "lib/vmcb_change.h"
#include "lib/x86.h"

/* Exceptions with an error code (APM 8.2): #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP */
#define WITH_ERROR_CODE                                                        \
	(1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 |      \
	 1u << 17 | 1u << 21)

static bool in_shadow(const struct nvmm_vcpu_private *vcpu)
{
	return vcpu->cpu.vmcb->control.interrupt_shadow &
	       SVM_SHADOW_INTERRUPT_SHADOW;
}

static bool can_interrupt(const struct nvmm_vcpu_private *vcpu)
{
	return (vcpu->cpu.vmcb->save.rflags & RFLAGS_IF) && !in_shadow(vcpu);
}

static bool has_event(const struct nvmm_vcpu_private *vcpu)
{
	return vcpu->cpu.vmcb->control.eventinj & SVM_EVENT_VALID;
}

/* Return the waiting interrupt with the highest vector, or -1. */
static int waiting_vector(const struct nvmm_vcpu_private *vcpu)
{
	int i;

	for (i = ARRAY_SIZE(vcpu->waiting) - 1; i >= 0; i--)
		if (vcpu->waiting[i])
			return i * 64 + 63 - __builtin_clzll(vcpu->waiting[i]);
	return -1;
}

bool events_pending(const struct nvmm_vcpu_private *vcpu)
{
	return has_event(vcpu) || vcpu->nmi_waiting ||
	       (can_interrupt(vcpu) && waiting_vector(vcpu) >= 0);
}

/* Keep an event until it can be injected. Return false for a type that is never kept. */
static bool let_wait(struct nvmm_vcpu_private *vcpu, uint64_t event)
{
	unsigned int vector = event & SVM_EVENT_VECTOR_MASK;

	if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_NMI)
		vcpu->nmi_waiting = true;
	else if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_INTR)
		vcpu->waiting[vector / 64] |= 1ull << vector % 64;
	else
		return false;
	return true;
}

/* Until the guest executes IRET, it takes no NMI. */
static void set_event(struct nvmm_vcpu_private *vcpu, uint64_t event)
{
	vcpu->cpu.vmcb->control.eventinj = event;
	if ((event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_NMI)
		vcpu->nmi_window = true;
}

void events_inject(struct nvmm_vcpu_private *vcpu, uint64_t event)
{
	uint64_t pending = vcpu->cpu.vmcb->control.eventinj;

	if (!has_event(vcpu))
		set_event(vcpu, event);
	else if (!let_wait(vcpu, event) && let_wait(vcpu, pending))
		vcpu->cpu.vmcb->control.eventinj = event;
}

void events_reinject(struct nvmm_vcpu_private *vcpu)
{
	uint64_t event = vcpu->cpu.vmcb->control.exitintinfo;

	if (!(event & SVM_EVENT_VALID))
		return;
	vcpu->cpu.vmcb->control.exitintinfo = 0;
	events_inject(vcpu, event);
}

static void inject_waiting(struct nvmm_vcpu_private *vcpu)
{
	int vector = waiting_vector(vcpu);

	if (has_event(vcpu))
		return;
	if (vcpu->nmi_waiting) {
		vcpu->nmi_waiting = false;
		set_event(vcpu,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | VECTOR_NMI);
	} else if (vector >= 0 && can_interrupt(vcpu)) {
		vcpu->waiting[vector / 64] &= ~(1ull << vector % 64);
		set_event(vcpu, SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | vector);
	}
}

/*
 * Open or close the window: a virtual interrupt of the highest priority exits as soon as the guest
 * can take one (APM 15.21.4). It ignores CR8, because the program compares priorities itself.
 */
static void set_window(struct nvmm_vcpu_private *vcpu, bool open)
{
	const uint64_t bits = SVM_VINTR_V_IRQ | SVM_VINTR_V_IGN_TPR |
			      SVM_VINTR_V_INTR_PRIO_MASK;
	struct svm_vmcb *vmcb = vcpu->cpu.vmcb;

	vmcb_set_vintr(vmcb, bits, open ? bits : 0);
	vmcb_set_intercept(vmcb, 3, SVM_INTERCEPT3_VINTR, open);
}

void events_enter(struct nvmm_vcpu_private *vcpu)
{
	bool waits;

	inject_waiting(vcpu);
	waits = vcpu->nmi_waiting || waiting_vector(vcpu) >= 0;
	set_window(vcpu, vcpu->int_window || waits);
	vmcb_set_intercept(vcpu->cpu.vmcb, 3, SVM_INTERCEPT3_IRET,
			   vcpu->nmi_window);
}

/* Convert an exception, with its error code if it has one. */
static int exception_event(const struct nvmm_vcpu_event *event, uint64_t *value)
{
	uint64_t error = event->u.excp.error << SVM_EVENT_ERROR_CODE_SHIFT;

	if (event->vector >= 32 || event->vector == VECTOR_NMI)
		return -EINVAL;
	*value = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | event->vector;
	if (WITH_ERROR_CODE >> event->vector & 1)
		*value |= SVM_EVENT_ERROR_CODE_VALID | error;
	return 0;
}

/* Convert an event of the program to EVENTINJ (APM 15.20). */
static int event_of(const struct nvmm_vcpu_event *event, uint64_t *value)
{
	if (event->type == NVMM_VCPU_EVENT_EXCP)
		return exception_event(event, value);
	if (event->type != NVMM_VCPU_EVENT_INTR)
		return -EINVAL;
	*value = SVM_EVENT_VALID | event->vector;
	if (event->vector == VECTOR_NMI)
		*value |= SVM_EVENT_TYPE_NMI;
	return 0;
}

int nvmm_vcpu_inject(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	uint64_t event;
	int ret = event_of(&private->event, &event);

	if (!ret)
		events_inject(private, event);
	return call_return(ret);
}
