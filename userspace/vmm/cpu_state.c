// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "cpu_state.h"
#include "guest_svm.h"
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

void cpu_state_save(const struct cpu *cpu, struct svmrun_state *state)
{
	svmrun_state_begin(state, STATE_CPU, VERSION);
	svmrun_state_put_members(state, cpu, cpu_members,
				 ARRAY_SIZE(cpu_members));
	svmrun_state_end(state);
	guest_svm_save(cpu, state);
}

void cpu_state_load(struct cpu *cpu, struct svmrun_state *state, uint64_t ticks)
{
	uint64_t allowed = cpu->machine->info.out_xcr0;

	svmrun_state_open(state, STATE_CPU, VERSION);
	svmrun_state_get_members(state, cpu, cpu_members,
				 ARRAY_SIZE(cpu_members));
	svmrun_state_close(state, true);
	cpu->kvmclock_cpu = -1;
	guest_svm_load(cpu, state, ticks);
	if (!state->error && (cpu->vcpu.regs->xcr0 & ~allowed))
		state->error = -EINVAL;
}
