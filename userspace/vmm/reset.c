// SPDX-License-Identifier: GPL-2.0
#include "machine.h"
#include "reset.h"

static void wake_cpus(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
}

bool reset_request(struct machine *machine)
{
	if (machine->options->on_reset == ON_RESET_EXIT)
		return false;
	machine->reset.pending = true;
	wake_cpus(machine);
	return true;
}

/* The next reset may be pending already when this thread continues: look at the count. */
void reset_wait(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	uint64_t count = machine->reset.count;

	machine->reset.stopped++;
	if (reset_is_due(machine))
		console_notify(&machine->console);
	while (machine->reset.count == count && !machine->outcome.ended)
		pthread_cond_wait(&cpu->changed, &machine->lock);
}

bool reset_is_due(const struct machine *machine)
{
	return machine->reset.pending &&
	       machine->reset.stopped == machine->cpu_count;
}

void reset_done(struct machine *machine)
{
	machine->reset.pending = false;
	machine->reset.stopped = 0;
	machine->reset.count++;
	wake_cpus(machine);
}
