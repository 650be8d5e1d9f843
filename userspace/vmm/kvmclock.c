// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <x86intrin.h>

#include "common/clock.h"
#include "kvmclock.h"
#include "lib/memories.h"
#include "machine.h"
#include "model/time_page.h"

void kvmclock_init(struct machine *machine)
{
	struct kvmclock *clock = &machine->kvmclock;

	clock->khz = machine->info.out_tsc_khz;
	clock->trusted = clock->khz != 0;
	clock->start = clock_now();
	clock->tsc = __rdtsc();
}

/*
 * Return guest memory that the guest can write to. NULL if there is none, or if the address is not
 * aligned.
 */
static void *find_memory(const struct machine *machine, uint64_t gpa,
			 size_t size)
{
	size_t count = machine->memory_count - machine->rom_count;

	if (gpa % TIME_PAGE_ALIGNMENT)
		return NULL;
	return memories_at(machine->memories, count, gpa, size);
}

static void write_wall_clock(const struct machine *machine)
{
	void *at = find_memory(machine, machine->kvmclock.wall_clock,
			       WALL_CLOCK_SIZE);
	struct timespec now;

	if (!at)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	wall_clock_write(at, now.tv_sec * NANOSECONDS + now.tv_nsec -
				     (clock_now() - machine->kvmclock.start));
}

void kvmclock_update(struct cpu *cpu)
{
	const struct kvmclock *clock = &cpu->machine->kvmclock;
	struct time_reference reference = {
		.tsc = clock->tsc,
		.khz = clock->khz,
		.stable = clock->trusted,
	};
	void *at = find_memory(cpu->machine,
			       cpu->kvmclock & ~SYSTEM_TIME_ENABLED,
			       TIME_PAGE_SIZE);

	if (!(cpu->kvmclock & SYSTEM_TIME_ENABLED) || !at)
		return;
	if (!clock->trusted) {
		reference.khz = clock_tsc_khz();
		reference.tsc = __rdtsc();
		reference.time = clock_now() - clock->start;
	}
	reference.tsc += cpu_own_tsc_offset(cpu);
	time_page_write(at, &reference);
}

void kvmclock_enter(struct cpu *cpu)
{
	int host_cpu;

	if (!(cpu->kvmclock & SYSTEM_TIME_ENABLED) ||
	    cpu->machine->kvmclock.trusted)
		return;
	host_cpu = sched_getcpu();
	if (host_cpu == cpu->kvmclock_cpu)
		return;
	cpu->kvmclock_cpu = host_cpu;
	kvmclock_update(cpu);
}

static bool has_kvmclock(const struct cpu *cpu)
{
	return cpu->machine->options->hypervisor == HYPERVISOR_KVM;
}

bool kvmclock_write_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	if (!has_kvmclock(cpu))
		return false;
	switch (msr) {
	case MSR_WALL_CLOCK:
		cpu->machine->kvmclock.wall_clock = value;
		write_wall_clock(cpu->machine);
		return true;
	case MSR_SYSTEM_TIME:
		cpu->kvmclock = value;
		cpu->kvmclock_cpu = sched_getcpu();
		kvmclock_update(cpu);
		return true;
	default:
		return false;
	}
}

bool kvmclock_read_msr(const struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	if (!has_kvmclock(cpu))
		return false;
	switch (msr) {
	case MSR_WALL_CLOCK:
		*value = cpu->machine->kvmclock.wall_clock;
		return true;
	case MSR_SYSTEM_TIME:
		*value = cpu->kvmclock;
		return true;
	default:
		return false;
	}
}
