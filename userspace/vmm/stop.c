// SPDX-License-Identifier: GPL-2.0
#include "machine.h"
#include "stop.h"

static void wake_cpus(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
}

bool stop_for_reset(struct machine *machine)
{
	if (machine->options->on_reset == ON_RESET_EXIT)
		return false;
	machine->stop.reset = true;
	wake_cpus(machine);
	return true;
}

void stop_to_save(struct machine *machine)
{
	machine->stop.save = true;
	wake_cpus(machine);
}

bool stop_is_pending(const struct machine *machine)
{
	return machine->stop.reset || machine->stop.save;
}

/* The next stop may be pending already when this thread continues: look at the count. */
void stop_wait(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	uint64_t count = machine->stop.count;

	machine->stop.stopped++;
	if (stop_is_complete(machine))
		console_notify(&machine->console);
	while (machine->stop.count == count && !machine->outcome.ended)
		pthread_cond_wait(&cpu->changed, &machine->lock);
}

bool stop_is_complete(const struct machine *machine)
{
	return stop_is_pending(machine) &&
	       machine->stop.stopped == machine->cpu_count;
}

void stop_reset_done(struct machine *machine)
{
	machine->stop.reset = false;
	machine->stop.resets++;
}

void stop_end(struct machine *machine)
{
	if (stop_is_pending(machine))
		return;
	machine->stop.stopped = 0;
	machine->stop.count++;
	wake_cpus(machine);
}
