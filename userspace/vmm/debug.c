// SPDX-License-Identifier: GPL-2.0
/*
 * Standing still and going on. Whatever a debugger needs of the processor - RFLAGS.TF,
 * intercepts, debug registers - is there only while the guest runs: outside of that
 * the VMCB is as the guest has it.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svmrun/instruction.h>

#include "bus.h"
#include "debug_exit.h"
#include "machine.h"

#define RFLAGS_TF (1ull << 8)
#define RFLAGS_TF_BYTE 1
#define PUSHF 0x9c
#define ALL_REGISTERS 0xffffffffu
#define VECTOR_DB 1
#define VECTOR_BP 3

int debug_open(struct machine *machine)
{
	struct debug *debug = &machine->debug;

	debug->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (debug->event < 0)
		return -errno;
	pthread_cond_init(&debug->left, NULL);
	debug->is_open = true;
	debug->paused = true;
	return 0;
}

void debug_close(struct machine *machine)
{
	struct debug *debug = &machine->debug;

	if (!debug->is_open)
		return;
	debug->is_open = false;
	pthread_cond_destroy(&debug->left);
	close(debug->event);
}

void debug_notify(const struct machine *machine)
{
	const uint64_t one = 1;

	/* It can only fail where it is high already. */
	if (machine->debug.is_open &&
	    write(machine->debug.event, &one, sizeof(one)) < 0)
		return;
}

/* ---- all processors ------------------------------------------------------ */

static void stand_still(struct machine *machine)
{
	unsigned int i;

	machine->debug.paused = true;
	for (i = 0; i < machine->cpu_count; i++) {
		machine->cpus[i].debug.go = DEBUG_STAY;
		machine->cpus[i].debug.returning = false;
		cpu_wake(&machine->cpus[i]);
	}
}

static bool any_in_guest(const struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		if (machine->cpus[i].in_guest)
			return true;
	return false;
}

void debug_pause(struct machine *machine)
{
	stand_still(machine);
	while (any_in_guest(machine))
		pthread_cond_wait(&machine->debug.left, &machine->lock);
}

void debug_resume(struct machine *machine)
{
	unsigned int i;

	machine->debug.paused = false;
	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
}

void debug_release(struct machine *machine)
{
	struct debug *debug = &machine->debug;
	unsigned int i;

	debug_pause(machine);
	while (debug->breakpoint_count)
		debug_remove(machine, DEBUG_SOFTWARE, debug->breakpoints[0].gva,
			     1);
	memset(debug->watches, 0, sizeof(debug->watches));
	debug->watch_count = 0;
	for (i = 0; i < machine->cpu_count; i++)
		machine->cpus[i].debug.go = DEBUG_RUN;
	debug_resume(machine);
}

void debug_stop(struct cpu *cpu, const struct debug_stop *stop)
{
	struct debug *debug = &cpu->machine->debug;

	/* The second at a time: what has stopped it is there when it goes on. */
	if (debug->paused)
		return;
	debug->stop = *stop;
	debug->stop.cpu = cpu->id;
	stand_still(cpu->machine);
	debug_notify(cpu->machine);
}

/* ---- a processor --------------------------------------------------------- */

bool debug_holds(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;

	if (!machine->debug.is_open || machine->outcome.ended ||
	    (!machine->debug.paused && cpu->debug.go != DEBUG_STAY))
		return false;
	pthread_cond_wait(&cpu->changed, &machine->lock);
	return true;
}

bool debug_is_stepping(const struct cpu *cpu)
{
	return cpu->machine->debug.is_open && cpu->debug.go == DEBUG_STEP &&
	       !cpu->debug.returning;
}

void debug_step_done(struct cpu *cpu)
{
	if (debug_is_stepping(cpu))
		debug_stop(cpu,
			   &(struct debug_stop){ .reason = DEBUG_STEPPED });
}

/* PUSHF, whatever is before it */
static bool is_pushf(struct cpu *cpu)
{
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	int i, count = bus_instruction_bytes(cpu, bytes);

	for (i = 0; i < count; i++)
		if (bytes[i] != 0x66 && (bytes[i] & 0xf0) != 0x40)
			return bytes[i] == PUSHF;
	return false;
}

static void set_trap(struct cpu *cpu)
{
	struct debug_cpu *debug = &cpu->debug;
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;

	debug->has_trap = true;
	debug->guest_trap = save->rflags & RFLAGS_TF;
	debug->pushes = !debug->guest_trap && is_pushf(cpu);
	debug->rip = save->rip;
	save->rflags |= RFLAGS_TF;
}

static uint32_t exceptions(const struct cpu *cpu)
{
	const struct debug *debug = &cpu->machine->debug;
	uint32_t intercept = 0;

	if (debug->breakpoint_count)
		intercept |= SVM_INTERCEPT2_EXCEPTION(VECTOR_BP);
	if (debug->watch_count || cpu->debug.has_trap || cpu->debug.strayed)
		intercept |= SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	return intercept;
}

/*
 * INT3 is #BP, and intercepted as that (APM 15.12.4); not every processor knows it
 * from INTn.
 */
static void set_intercepts(struct cpu *cpu)
{
	uint32_t *ours = cpu->debug.intercept;
	uint32_t *intercept = cpu->vcpu.vmcb->control.intercept;
	unsigned int i;

	ours[1] = cpu->machine->debug.watch_count ? ALL_REGISTERS : 0;
	ours[2] = exceptions(cpu);
	ours[3] = cpu->machine->debug.breakpoint_count ? SVM_INTERCEPT3_SWINT :
							 0;
	for (i = 1; i < 4; i++) {
		ours[i] &= ~intercept[i];
		intercept[i] |= ours[i];
	}
}

static void swap(__u64 *one, uint64_t *other)
{
	uint64_t value = *one;

	*one = *other;
	*other = value;
}

static void swap_registers(struct cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++)
		swap(&cpu->vcpu.regs->dr[i], &cpu->debug.dr[i]);
	swap(&cpu->vcpu.vmcb->save.dr7, &cpu->debug.dr7);
}

static void set_registers(struct cpu *cpu)
{
	struct debug_cpu *debug = &cpu->debug;

	debug->has_dr6 = exceptions(cpu) & SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	if (debug->has_dr6) {
		debug->dr6 = DR6_NOTHING;
		swap(&cpu->vcpu.vmcb->save.dr6, &debug->dr6);
	}
	debug->has_registers = cpu->machine->debug.watch_count;
	if (debug->has_registers) {
		debug_watch_registers(&cpu->machine->debug, debug);
		swap_registers(cpu);
	}
}

void debug_enter(struct cpu *cpu)
{
	if (!cpu->machine->debug.is_open)
		return;
	cpu->debug.has_trap = false;
	if (debug_is_stepping(cpu))
		set_trap(cpu);
	set_intercepts(cpu);
	set_registers(cpu);
	cpu->vcpu.vmcb->control.clean = 0;
}

/* TF that is no longer there is in the frame of what came between. */
static void take_trap(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (!cpu->debug.has_trap)
		return;
	if (vmcb->save.rflags & RFLAGS_TF) {
		if (!cpu->debug.guest_trap)
			vmcb->save.rflags &= ~RFLAGS_TF;
	} else if (vmcb->control.exitcode != VMEXIT_EXCP(VECTOR_DB)) {
		cpu->debug.strayed = true;
		cpu->debug.returning = true;
	}
}

static void take_intercepts(struct cpu *cpu)
{
	uint32_t *intercept = cpu->vcpu.vmcb->control.intercept;
	unsigned int i;

	for (i = 1; i < 4; i++) {
		intercept[i] &= ~cpu->debug.intercept[i];
		cpu->debug.intercept[i] = 0;
	}
}

void debug_leave(struct cpu *cpu)
{
	if (!cpu->machine->debug.is_open)
		return;
	take_trap(cpu);
	take_intercepts(cpu);
	if (cpu->debug.has_registers)
		swap_registers(cpu);
	if (cpu->debug.has_dr6)
		swap(&cpu->vcpu.vmcb->save.dr6, &cpu->debug.dr6);
	cpu->vcpu.vmcb->control.clean = 0;
	pthread_cond_signal(&cpu->machine->debug.left);
}

/* PUSHF has pushed what the guest is not to see. */
static void mend_pushed(const struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t at = save->ss.base + save->rsp + RFLAGS_TF_BYTE;
	uint8_t byte;

	if (debug_read(cpu, at, &byte, 1)) {
		byte &= ~(RFLAGS_TF >> 8);
		debug_write(cpu, at, &byte, 1);
	}
}

bool debug_takes_step(struct cpu *cpu)
{
	struct debug_cpu *debug = &cpu->debug;

	if (!debug->has_trap && !debug->strayed)
		return false;
	if (debug->has_trap) {
		if (debug->pushes)
			mend_pushed(cpu);
	} else {
		debug->strayed = false;
		debug->returning = false;
		debug->guest_trap = false;
		cpu->vcpu.vmcb->save.rflags &= ~RFLAGS_TF;
	}
	debug_step_done(cpu);
	return !debug->guest_trap;
}

/* What the tool has carried out itself has made no #DB. */
void debug_answered(struct cpu *cpu)
{
	if (!cpu->machine->debug.is_open || !cpu->debug.has_trap)
		return;
	cpu->debug.has_trap = false;
	if (cpu->halted || cpu->vcpu.vmcb->save.rip != cpu->debug.rip)
		debug_step_done(cpu);
}
