// SPDX-License-Identifier: LGPL-2.1-or-later
/* The state of a vCPU as a record */
#include <string.h>

#include <svmrun/saved.h>

#include "lib/array_size.h"

#define VERSION 1

/* The module checks all of it at the next RUN. */
static const struct svmrun_state_member vmcb_members[] = {
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.intercept),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.pause_filter_threshold),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.pause_filter_count),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.tsc_offset),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.vintr),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.interrupt_shadow),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.eventinj),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, control.virt_ext),
	SVMRUN_STATE_MEMBER(struct svm_vmcb, save),
};

static const struct svmrun_state_member register_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rbx),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rcx),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rdx),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rbp),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rsi),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, rdi),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r8),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r9),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r10),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r11),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r12),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r13),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r14),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, r15),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, dr),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, xcr0),
	SVMRUN_STATE_MEMBER(struct svmrun_registers, tsc_ratio),
};

void svmrun_vcpu_save(const struct svmrun_vcpu *vcpu,
		      struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_VCPU, VERSION);
	svmrun_state_put_members(state, vcpu->vmcb, vmcb_members,
				 ARRAY_SIZE(vmcb_members));
	svmrun_state_put_members(state, vcpu->regs, register_members,
				 ARRAY_SIZE(register_members));
	svmrun_state_put(state, vcpu->xsave, vcpu->xsave_size);
	svmrun_state_end(state);
}

/*
 * The areas of two processors differ in size if one has features that the other does not
 * have. Those that the guest uses are common to both.
 */
static void load_xsave(const struct svmrun_vcpu *vcpu,
		       struct svmrun_state *state)
{
	size_t size = svmrun_state_left(state);
	const void *from = svmrun_state_take(state, size);

	if (size > vcpu->xsave_size)
		size = vcpu->xsave_size;
	memset(vcpu->xsave, 0, vcpu->xsave_size);
	if (from)
		memcpy(vcpu->xsave, from, size);
}

int svmrun_vcpu_load(struct svmrun_vcpu *vcpu, struct svmrun_state *state,
		     uint64_t ticks)
{
	svmrun_state_open(state, SVMRUN_STATE_VCPU, VERSION);
	svmrun_state_get_members(state, vcpu->vmcb, vmcb_members,
				 ARRAY_SIZE(vmcb_members));
	svmrun_state_get_members(state, vcpu->regs, register_members,
				 ARRAY_SIZE(register_members));
	load_xsave(vcpu, state);
	vcpu->vmcb->control.tsc_offset -= ticks;
	vcpu->vmcb->control.clean = 0;
	return svmrun_state_close(state, true);
}
