// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <svmrun/instruction.h>

#include "common/feature.h"
#include "exit.h"
#include "lib/x86.h"
#include "memory.h"
#include "pause.h"
#include "step.h"
#include "vmm/bus.h"
#include "vmm/exits.h"

#define REX_MASK 0xf0
#define REX 0x40
#define REX_B 0x01
#define OPCODE_INT3 0xcc
#define OPCODE_INT 0xcd
#define OPCODE_INTO 0xce

#define MOV_DR_LENGTH 3

#define DR6_ALWAYS_0 (1ull << 12)

/* ---- #DB ----------------------------------------------------------------- */

static bool stop_at_watch(struct cpu *cpu, uint64_t events)
{
	const struct debug_watch *watch;
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++) {
		watch = &cpu->machine->debug->watches[i];
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

void exit_db(struct cpu *cpu)
{
	struct debug_cpu *debug = cpu->debug;
	uint64_t events = debug->has_dr6 ? debug->dr6 & DR6_EVENTS : 0;
	bool ours = nmi_take_step(cpu, &events);

	if (debug->has_registers) {
		ours |= stop_at_watch(cpu, events);
		events &= ~DR6_BREAKPOINTS;
	}
	if ((events & DR6_BS) && debug_take_step(cpu)) {
		ours = true;
		events &= ~DR6_BS;
	}
	if (events || !ours)
		cpu_inject_db(cpu, events);
}

/* ---- instructions that are emulated ------------------------------------- */

/*
 * The emulator has injected #DB for these events. Keep that only for the guest's own, which
 * can be a single step.
 */
static void take_emulated_events(struct cpu *cpu, uint64_t events)
{
	if (!(events & DR6_BREAKPOINTS))
		return;
	stop_at_watch(cpu, events);
	cpu->vcpu.vmcb->control.eventinj = 0;
	if (events & DR6_BS)
		cpu_inject_db(cpu, DR6_BS);
}

static void emulate_watched(struct cpu *cpu, void (*emulate)(struct cpu *cpu))
{
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t dr6 = save->dr6, events;

	if (!cpu->debug->has_registers) {
		emulate(cpu);
		return;
	}
	debug_swap_registers(cpu);
	save->dr6 = DR6_RESET;
	emulate(cpu);
	events = save->dr6 & DR6_EVENTS;
	save->dr6 = dr6 | (events & ~DR6_BREAKPOINTS);
	debug_swap_registers(cpu);
	take_emulated_events(cpu, events);
}

void exit_watched_ioio(struct cpu *cpu)
{
	emulate_watched(cpu, bus_execute);
}

void exit_watched_fault(struct cpu *cpu)
{
	emulate_watched(cpu, exit_nested_fault);
}

/* ---- INT3 and INTn ------------------------------------------------------- */

/*
 * Inject a software interrupt. The return address is behind the instruction: in NRIP, or,
 * if the processor does not have that, in RIP (APM 15.20).
 */
static void inject_software_interrupt(struct cpu *cpu, uint64_t event)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!(cpu->machine->info.out_svm_features & FEATURE_NRIPS))
		vmcb->save.rip += bus_instruction_length(cpu);
	vmcb->control.eventinj = SVM_EVENT_VALID | event;
}

void debug_inject_bp(struct cpu *cpu)
{
	inject_software_interrupt(cpu, SVM_EVENT_TYPE_EXCEPTION | VECTOR_BP);
}

/*
 * gdb identifies a breakpoint by RIP, so the breakpoint's linear address has to be equal
 * to it: the base of CS must be 0. Otherwise, and if the memory is mapped at another
 * address, report only a trap.
 */
static struct debug_stop
breakpoint_stop(const struct debug_breakpoint *breakpoint, uint64_t rip)
{
	if (breakpoint->gva != rip)
		return (struct debug_stop){ .reason = DEBUG_STEPPED };
	return (struct debug_stop){ .reason = DEBUG_HIT,
				    .kind = DEBUG_SOFTWARE };
}

void exit_bp(struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	const struct debug_breakpoint *breakpoint;
	struct debug_stop stop;

	breakpoint = debug_breakpoint_at(cpu, save->cs.base + save->rip);
	if (!breakpoint) {
		debug_inject_bp(cpu);
		return;
	}
	stop = breakpoint_stop(breakpoint, save->rip);
	debug_stop(cpu, &stop);
}

/*
 * Read the instruction, and find its opcode behind the prefixes. Return the number of
 * bytes from there on.
 */
static int read_opcode(struct cpu *cpu, uint8_t bytes[SVMRUN_INSTRUCTION_MAX],
		       const uint8_t **opcode)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
					    0x66, 0x67, 0xf0, 0xf2, 0xf3 };
	bool is_64 = is_64_bit(&cpu->vcpu.vmcb->save);
	int i, count = bus_instruction_bytes(cpu, bytes);

	for (i = 0; i < count; i++)
		if (!memchr(prefixes, bytes[i], sizeof(prefixes)) &&
		    !(is_64 && (bytes[i] & REX_MASK) == REX))
			break;
	*opcode = bytes + i;
	return count - i;
}

/* Handle INT3 once more as the #BP that it is. */
static void exit_int3(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.exitcode = VMEXIT_EXCP(VECTOR_BP);
	exit_handle(cpu);
}

void exit_swint(struct cpu *cpu)
{
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	const uint8_t *opcode;
	int count = read_opcode(cpu, bytes, &opcode);

	if (count >= 1 && *opcode == OPCODE_INT3)
		exit_int3(cpu);
	else if (count >= 1 && *opcode == OPCODE_INTO)
		inject_software_interrupt(cpu,
					  SVM_EVENT_TYPE_EXCEPTION | VECTOR_OF);
	else if (count >= 2 && *opcode == OPCODE_INT)
		inject_software_interrupt(cpu, SVM_EVENT_TYPE_SOFT_INTERRUPT |
						       opcode[1]);
}

/* ---- MOV from and to debug registers ------------------------------------- */

/* DR4 and DR5 are aliases of DR6 and DR7 (APM 13.1.1.3). */
static __u64 *debug_register(struct cpu *cpu, unsigned int number)
{
	if (number < DEBUG_REGISTERS)
		return &cpu->vcpu.regs->dr[number];
	return number & 1 ? &cpu->vcpu.vmcb->save.dr7 :
			    &cpu->vcpu.vmcb->save.dr6;
}

static void write_debug_register(struct cpu *cpu, unsigned int number,
				 uint64_t value)
{
	if (number >= DEBUG_REGISTERS && value >> 32) {
		cpu_inject_gp(cpu);
		return;
	}
	if (number >= DEBUG_REGISTERS)
		value |= number & 1 ? DR7_RESET : DR6_RESET;
	if (number >= DEBUG_REGISTERS && !(number & 1))
		value &= ~DR6_ALWAYS_0;
	*debug_register(cpu, number) = value;
	bus_complete(cpu, MOV_DR_LENGTH);
}

/* The processor has made all checks except that of the value (APM 15.8.1). */
void exit_dr(struct cpu *cpu)
{
	unsigned int number = cpu->vcpu.vmcb->control.exitcode & 7, gpr;
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	const uint8_t *opcode;
	uint64_t value;
	bool is_64;

	if (read_opcode(cpu, bytes, &opcode) < 3)
		return;
	is_64 = is_64_bit(&cpu->vcpu.vmcb->save);
	gpr = opcode[2] & 7;
	if (is_64 && opcode > bytes &&
	    (opcode[-1] & (REX_MASK | REX_B)) == (REX | REX_B))
		gpr |= 8;
	if (cpu->vcpu.vmcb->control.exitcode < VMEXIT_DR_WRITE(0)) {
		svmrun_vcpu_set_gpr(&cpu->vcpu, gpr,
				    *debug_register(cpu, number));
		bus_complete(cpu, MOV_DR_LENGTH);
		return;
	}
	value = svmrun_vcpu_get_gpr(&cpu->vcpu, gpr);
	write_debug_register(cpu, number, is_64 ? value : (uint32_t)value);
}
