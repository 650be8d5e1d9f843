// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

#include "pause.h"
#include "vmm/guest_svm.h"

void debug_notify(const struct machine *machine)
{
	const uint64_t one = 1;

	/* A write fails only if the event is signalled already. */
	if (write(machine->debug->event, &one, sizeof(one)) < 0)
		return;
}

void debug_end(const struct machine *machine)
{
	pthread_cond_signal(&machine->debug->left);
	debug_notify(machine);
}

static void stop_all(struct machine *machine)
{
	unsigned int i;

	machine->debug->paused = true;
	for (i = 0; i < machine->cpu_count; i++) {
		machine->cpus[i].debug->action = DEBUG_STOP;
		machine->cpus[i].debug->returning = false;
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

static bool awaits_reset(const struct machine *machine)
{
	return stop_is_pending(machine) && !machine->outcome.ended;
}

void debug_pause(struct machine *machine)
{
	stop_all(machine);
	while (any_in_guest(machine) || awaits_reset(machine))
		pthread_cond_wait(&machine->debug->left, &machine->lock);
}

void debug_resume(struct machine *machine)
{
	unsigned int i;

	machine->debug->paused = false;
	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
}

/*
 * If another processor has stopped the machine already, its reason is kept: the event of
 * this one recurs when the machine resumes.
 */
void debug_stop(struct cpu *cpu, const struct debug_stop *stop)
{
	struct debug *debug = cpu->machine->debug;

	if (debug->paused)
		return;
	debug->stop = *stop;
	debug->stop.cpu = cpu->id;
	stop_all(cpu->machine);
	debug_notify(cpu->machine);
}

/* After VMRUN, the next instruction is the first of the guest's guest. */
static void stop_at_svm(struct cpu *cpu)
{
	static const struct debug_stop stop = { .reason = DEBUG_STEPPED };
	const struct debug *debug = cpu->machine->debug;
	bool is_nested = guest_svm_is_active(cpu);

	if (debug->paused || is_nested == cpu->debug->is_nested)
		return;
	cpu->debug->is_nested = is_nested;
	if (debug->stops_at_svm)
		debug_stop(cpu, &stop);
}

bool debug_hold(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;

	stop_at_svm(cpu);
	if (machine->outcome.ended ||
	    (!machine->debug->paused && cpu->debug->action != DEBUG_STOP))
		return false;
	pthread_cond_wait(&cpu->changed, &machine->lock);
	return true;
}
