// SPDX-License-Identifier: GPL-2.0
#include <svmrun/instruction.h>

#include "lib/x86.h"
#include "memory.h"
#include "pause.h"
#include "step.h"
#include "vmm/bus.h"
#include "watch.h"

#define RFLAGS_TF_BYTE 1
#define PREFIX_OPERAND_SIZE 0x66
#define REX_MASK 0xf0
#define REX 0x40
#define OPCODE_PUSHF 0x9c
#define ALL_DEBUG_REGISTERS 0xffffffffu

bool debug_is_stepping(const struct cpu *cpu)
{
	return cpu->debug->action == DEBUG_STEP && !cpu->debug->returning;
}

void debug_step_done(struct cpu *cpu)
{
	if (debug_is_stepping(cpu))
		debug_stop(cpu,
			   &(struct debug_stop){ .reason = DEBUG_STEPPED });
}

void debug_forget_step(struct cpu *cpu)
{
	cpu->debug->has_tf = false;
	cpu->debug->tf_in_frame = false;
	cpu->debug->returning = false;
}

/* Return whether the instruction is PUSHF, with any operand-size or REX prefix. */
static bool is_pushf(struct cpu *cpu)
{
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	int i, count = bus_instruction_bytes(cpu, bytes);

	for (i = 0; i < count; i++)
		if (bytes[i] != PREFIX_OPERAND_SIZE &&
		    (bytes[i] & REX_MASK) != REX)
			return bytes[i] == OPCODE_PUSHF;
	return false;
}

static void set_tf(struct cpu *cpu)
{
	struct debug_cpu *debug = cpu->debug;
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;

	debug->has_tf = true;
	debug->guest_tf = save->rflags & RFLAGS_TF;
	debug->is_pushf = !debug->guest_tf && is_pushf(cpu);
	debug->rip = save->rip;
	save->rflags |= RFLAGS_TF;
}

static uint32_t exception_intercepts(const struct cpu *cpu)
{
	const struct debug *debug = cpu->machine->debug;
	uint32_t intercept = 0;

	if (debug->breakpoint_count)
		intercept |= SVM_INTERCEPT2_EXCEPTION(VECTOR_BP);
	if (debug->watch_count || cpu->debug->has_tf || cpu->debug->tf_in_frame)
		intercept |= SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	return intercept;
}

/*
 * INT3 is #BP, and intercepted as such (APM 15.12.4); but some processors report it as
 * VMEXIT_SWINT, so that is intercepted too.
 */
static void set_intercepts(struct cpu *cpu)
{
	uint32_t *ours = cpu->debug->intercept;
	uint32_t *intercept = cpu->vcpu.vmcb->control.intercept;
	unsigned int i;

	ours[1] = cpu->machine->debug->watch_count ? ALL_DEBUG_REGISTERS : 0;
	ours[2] = exception_intercepts(cpu);
	ours[3] = cpu->machine->debug->breakpoint_count ? SVM_INTERCEPT3_SWINT :
							  0;
	for (i = 1; i < 4; i++) {
		ours[i] &= ~intercept[i];
		intercept[i] |= ours[i];
	}
}

static void swap_values(__u64 *one, uint64_t *other)
{
	uint64_t value = *one;

	*one = *other;
	*other = value;
}

void debug_swap_registers(struct cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++)
		swap_values(&cpu->vcpu.regs->dr[i], &cpu->debug->dr[i]);
	swap_values(&cpu->vcpu.vmcb->save.dr7, &cpu->debug->dr7);
}

static void set_debug_registers(struct cpu *cpu)
{
	struct debug_cpu *debug = cpu->debug;

	debug->has_dr6 = exception_intercepts(cpu) &
			 SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	if (debug->has_dr6) {
		debug->dr6 = DR6_RESET;
		swap_values(&cpu->vcpu.vmcb->save.dr6, &debug->dr6);
	}
	debug->has_registers = cpu->machine->debug->watch_count;
	if (debug->has_registers) {
		debug_watch_registers(cpu->machine->debug, debug);
		debug_swap_registers(cpu);
	}
}

void debug_enter(struct cpu *cpu)
{
	cpu->debug->has_tf = false;
	if (debug_is_stepping(cpu))
		set_tf(cpu);
	set_intercepts(cpu);
	set_debug_registers(cpu);
	cpu->vcpu.vmcb->control.clean = 0;
}

/*
 * If TF has been cleared, an exception or interrupt has been delivered, and TF is in its
 * frame.
 */
static void clear_tf(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!cpu->debug->has_tf)
		return;
	if (vmcb->save.rflags & RFLAGS_TF) {
		if (!cpu->debug->guest_tf)
			vmcb->save.rflags &= ~RFLAGS_TF;
	} else if (vmcb->control.exitcode != VMEXIT_EXCP(VECTOR_DB)) {
		cpu->debug->tf_in_frame = true;
		cpu->debug->returning = true;
	}
}

static void clear_intercepts(struct cpu *cpu)
{
	uint32_t *intercept = cpu->vcpu.vmcb->control.intercept;
	unsigned int i;

	for (i = 1; i < 4; i++) {
		intercept[i] &= ~cpu->debug->intercept[i];
		cpu->debug->intercept[i] = 0;
	}
}

void debug_leave(struct cpu *cpu)
{
	clear_tf(cpu);
	clear_intercepts(cpu);
	if (cpu->debug->has_registers)
		debug_swap_registers(cpu);
	if (cpu->debug->has_dr6)
		swap_values(&cpu->vcpu.vmcb->save.dr6, &cpu->debug->dr6);
	cpu->vcpu.vmcb->control.clean = 0;
	pthread_cond_signal(&cpu->machine->debug->left);
}

/* Clear the debugger's TF in the flags that PUSHF has just pushed. */
static void clear_pushed_tf(const struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t at = save->ss.base + save->rsp + RFLAGS_TF_BYTE;
	uint8_t byte;

	if (debug_read(cpu, at, &byte, 1)) {
		byte &= ~(RFLAGS_TF >> 8);
		debug_write(cpu, at, &byte, 1);
	}
}

bool debug_take_step(struct cpu *cpu)
{
	struct debug_cpu *debug = cpu->debug;

	if (!debug->has_tf && !debug->tf_in_frame)
		return false;
	if (debug->has_tf) {
		if (debug->is_pushf)
			clear_pushed_tf(cpu);
	} else {
		debug->tf_in_frame = false;
		debug->returning = false;
		debug->guest_tf = false;
		cpu->vcpu.vmcb->save.rflags &= ~RFLAGS_TF;
	}
	debug_step_done(cpu);
	return !debug->guest_tf;
}

/* An instruction that the tool has emulated raises no #DB for TF. */
void debug_handled(struct cpu *cpu)
{
	if (!cpu->debug->has_tf)
		return;
	cpu->debug->has_tf = false;
	if (cpu->halted || cpu->vcpu.vmcb->save.rip != cpu->debug->rip)
		debug_step_done(cpu);
}
