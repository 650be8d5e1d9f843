// SPDX-License-Identifier: GPL-2.0
/* Exits that a debugger has made: is it what was asked for, or the guest's own? */
#include <string.h>

#include <svmrun/instruction.h>

#include "bus.h"
#include "common/feature.h"
#include "debug_exit.h"
#include "machine.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4

#define DR6_REGISTERS 0xfull
#define DR6_BS (1ull << 14)
#define DR6_EVENTS (DR6_REGISTERS | 7ull << 13)
#define DR6_ALWAYS_0 (1ull << 12)
#define DR7_GD (1ull << 13)
#define DR7_ALWAYS (1ull << 10)
#define CS_L SVM_SEG_L

/* ---- #DB ----------------------------------------------------------------- */

/* As if it had come to the guest right away (APM 13.1.1.4, 15.12.2) */
static void reflect(struct cpu *cpu, uint64_t events)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	vmcb->save.dr6 |= events;
	vmcb->save.dr7 &= ~DR7_GD;
	vmcb->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				 VECTOR_DB;
}

static bool is_watched(struct cpu *cpu, uint64_t events)
{
	const struct debug_watch *watch;
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++) {
		watch = &cpu->machine->debug.watches[i];
		if (!watch->used || !(events & 1u << i))
			continue;
		debug_stop(cpu,
			   &(struct debug_stop){ .reason = DEBUG_HIT,
						 .kind = watch->kind,
						 .address = watch->address });
		return true;
	}
	return false;
}

void cpu_debug(struct cpu *cpu)
{
	struct debug_cpu *debug = &cpu->debug;
	uint64_t events = debug->has_dr6 ? debug->dr6 & DR6_EVENTS : 0;
	bool ours = false;

	if (debug->has_registers) {
		ours = is_watched(cpu, events);
		events &= ~DR6_REGISTERS;
	}
	if ((events & DR6_BS) && debug_takes_step(cpu)) {
		ours = true;
		events &= ~DR6_BS;
	}
	if (events || !ours)
		reflect(cpu, events);
}

/* ---- INT3 and INTn ------------------------------------------------------- */

/*
 * The processor saves the address behind the instruction as the one to return to:
 * NRIP, or RIP if it has none (APM 15.20).
 */
static void inject_software(struct cpu *cpu, uint64_t event)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!(cpu->machine->info.out_svm_features & FEATURE_NRIPS))
		vmcb->save.rip += bus_instruction_length(cpu);
	vmcb->control.eventinj = SVM_EVENT_VALID | event;
}

/*
 * gdb knows its breakpoint by the address of the instruction, which is what RIP is
 * where CS begins at 0. Elsewhere, and where the same memory is at another address,
 * it is told no more than that there was a trap.
 */
static struct debug_stop stop_at(const struct debug_breakpoint *breakpoint,
				 uint64_t rip)
{
	if (breakpoint->gva != rip)
		return (struct debug_stop){ .reason = DEBUG_STEPPED };
	return (struct debug_stop){ .reason = DEBUG_HIT,
				    .kind = DEBUG_SOFTWARE };
}

void cpu_breakpoint(struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	const struct debug_breakpoint *breakpoint;
	struct debug_stop stop;

	breakpoint = debug_breakpoint_at(cpu, save->cs.base + save->rip);
	if (!breakpoint) {
		inject_software(cpu, SVM_EVENT_TYPE_EXCEPTION | VECTOR_BP);
		return;
	}
	stop = stop_at(breakpoint, save->rip);
	debug_stop(cpu, &stop);
}

/* Without its prefixes */
static int instruction(struct cpu *cpu, uint8_t bytes[SVMRUN_INSTRUCTION_MAX],
		       const uint8_t **opcode)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
					    0x66, 0x67, 0xf0, 0xf2, 0xf3 };
	bool is_64 = (cpu->vcpu.vmcb->save.efer & SVM_EFER_LMA) &&
		     (cpu->vcpu.vmcb->save.cs.attrib & CS_L);
	int i, count = bus_instruction_bytes(cpu, bytes);

	for (i = 0; i < count; i++)
		if (!memchr(prefixes, bytes[i], sizeof(prefixes)) &&
		    !(is_64 && (bytes[i] & 0xf0) == 0x40))
			break;
	*opcode = bytes + i;
	return count - i;
}

void cpu_software_interrupt(struct cpu *cpu)
{
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	const uint8_t *opcode;
	int count = instruction(cpu, bytes, &opcode);

	if (count >= 1 && *opcode == 0xcc)
		cpu_breakpoint(cpu);
	else if (count >= 1 && *opcode == 0xce)
		inject_software(cpu, SVM_EVENT_TYPE_EXCEPTION | VECTOR_OF);
	else if (count >= 2 && *opcode == 0xcd)
		inject_software(cpu, SVM_EVENT_TYPE_SOFT_INTERRUPT | opcode[1]);
}

/* ---- MOV from and to debug registers ------------------------------------- */

/* DR4 and DR5 are DR6 and DR7 by other names (APM 13.1.1.3). */
static __u64 *debug_register(struct cpu *cpu, unsigned int number)
{
	if (number < DEBUG_REGISTERS)
		return &cpu->vcpu.regs->dr[number];
	return number & 1 ? &cpu->vcpu.vmcb->save.dr7 :
			    &cpu->vcpu.vmcb->save.dr6;
}

static void write_register(struct cpu *cpu, unsigned int number, uint64_t value)
{
	if (number >= DEBUG_REGISTERS && value >> 32) {
		cpu_inject_gp(cpu);
		return;
	}
	if (number >= DEBUG_REGISTERS)
		value |= number & 1 ? DR7_ALWAYS : DR6_NOTHING;
	if (number >= DEBUG_REGISTERS && !(number & 1))
		value &= ~DR6_ALWAYS_0;
	*debug_register(cpu, number) = value;
	cpu_skip(cpu, bus_instruction_length(cpu));
}

/* The processor has checked all but the value (APM 15.8.1). */
void cpu_debug_register(struct cpu *cpu)
{
	unsigned int number = cpu->vcpu.vmcb->control.exitcode & 7, gpr;
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	const uint8_t *opcode;
	uint64_t value;
	bool is_64;

	if (instruction(cpu, bytes, &opcode) < 3)
		return;
	is_64 = (save->efer & SVM_EFER_LMA) && (save->cs.attrib & CS_L);
	gpr = opcode[2] & 7;
	if (is_64 && opcode > bytes && (opcode[-1] & 0xf1) == 0x41)
		gpr |= 8;
	if (cpu->vcpu.vmcb->control.exitcode < VMEXIT_DR_WRITE(0)) {
		svmrun_vcpu_set_gpr(&cpu->vcpu, gpr,
				    *debug_register(cpu, number));
		cpu_skip(cpu, bus_instruction_length(cpu));
		return;
	}
	value = svmrun_vcpu_get_gpr(&cpu->vcpu, gpr);
	write_register(cpu, number, is_64 ? value : (uint32_t)value);
}
