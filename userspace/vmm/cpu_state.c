// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cpu_state.h"
#include "lib/array_size.h"
#include "machine_state.h"

#define VERSION 1

/*
 * The state of a processor besides the VMCB and registers. Other members of struct cpu belong to
 * the tool, or have no meaning while the processor is stopped.
 */
static const struct svmrun_state_member cpu_members[] = {
	SVMRUN_STATE_BOOL(struct cpu, window),
	SVMRUN_STATE_BOOL(struct cpu, halted),
	SVMRUN_STATE_BOOL(struct cpu, frozen),
	SVMRUN_STATE_BOOL(struct cpu, nmi.masked),
	SVMRUN_STATE_BOOL(struct cpu, nmi.at_iret),
	SVMRUN_STATE_BOOL(struct cpu, nmi.steps),
	SVMRUN_STATE_BOOL(struct cpu, nmi.trapped),
	SVMRUN_STATE_BOOL(struct cpu, nmi.guest_tf),
	SVMRUN_STATE_BOOL(struct cpu, nmi.waits),
	SVMRUN_STATE_MEMBER(struct cpu, nmi.rip),
	SVMRUN_STATE_MEMBER(struct cpu, nmi.dr6),
	SVMRUN_STATE_MEMBER(struct cpu, nmi.events),
	SVMRUN_STATE_MEMBER(struct cpu, nmi.exceptions),
	SVMRUN_STATE_MEMBER(struct cpu, deferred),
	SVMRUN_STATE_MEMBER(struct cpu, kvmclock),
	SVMRUN_STATE_MEMBER(struct cpu, tsc_aux),
	SVMRUN_STATE_MEMBER(struct cpu, mtrr),
	SVMRUN_STATE_MEMBER(struct cpu, check),
	SVMRUN_STATE_MEMBER(struct cpu, model_msrs),
};

/* The module checks all of it at the next RUN, as it does for any program. */
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

void cpu_state_save(const struct cpu *cpu, struct svmrun_state *state)
{
	const struct svmrun_vcpu *vcpu = &cpu->vcpu;

	svmrun_state_begin(state, STATE_CPU, VERSION);
	svmrun_state_put_members(state, cpu, cpu_members,
				 ARRAY_SIZE(cpu_members));
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

void cpu_state_load(struct cpu *cpu, struct svmrun_state *state, uint64_t ticks)
{
	const struct svmrun_vcpu *vcpu = &cpu->vcpu;
	uint64_t allowed = cpu->machine->info.out_xcr0;

	svmrun_state_open(state, STATE_CPU, VERSION);
	svmrun_state_get_members(state, cpu, cpu_members,
				 ARRAY_SIZE(cpu_members));
	svmrun_state_get_members(state, vcpu->vmcb, vmcb_members,
				 ARRAY_SIZE(vmcb_members));
	svmrun_state_get_members(state, vcpu->regs, register_members,
				 ARRAY_SIZE(register_members));
	load_xsave(vcpu, state);
	vcpu->vmcb->control.tsc_offset -= ticks;
	vcpu->vmcb->control.clean = 0;
	cpu->kvmclock_cpu = -1;
	svmrun_state_close(state, !(vcpu->regs->xcr0 & ~allowed));
}
