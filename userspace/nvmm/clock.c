// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sched.h>
#include <time.h>
#include <x86intrin.h>

#include "clock.h"
#include "lib/memories.h"
#include "model/time_page.h"

#define NANOSECONDS 1000000000ull
#define PERIOD_MIN (2 * NANOSECONDS / 1000) /* of a measurement */

static uint64_t host_time(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void clock_init(struct nvmm_machine_private *machine)
{
	machine->clock_start = host_time(CLOCK_MONOTONIC);
	machine->clock_tsc = __rdtsc();
}

bool clock_has_msr(uint32_t msr)
{
	return msr == MSR_WALL_CLOCK || msr == MSR_SYSTEM_TIME;
}

/* Return memory that the guest can write to, or NULL. @view keeps it mapped. */
static void *find_memory(const struct view *view, uint64_t gpa, size_t size)
{
	if (gpa % TIME_PAGE_ALIGNMENT)
		return NULL;
	return memories_at(view->memories, view->count - view->rom_count, gpa,
			   size);
}

static void write_wall_clock(struct nvmm_machine_private *machine, uint64_t gpa)
{
	struct view *view = memory_view_get(&machine->memory);
	void *at = find_memory(view, gpa, WALL_CLOCK_SIZE);
	uint64_t elapsed = host_time(CLOCK_MONOTONIC) - machine->clock_start;

	if (at)
		wall_clock_write(at, host_time(CLOCK_REALTIME) - elapsed);
	memory_view_put(&machine->memory, view);
}

/* Return whether Linux relies on the host's TSC: one reference is then valid for all vCPUs. */
static bool is_trusted(const struct nvmm_machine_private *machine)
{
	return machine->info.out_tsc_khz;
}

/* Measure the frequency of the TSC since the machine was created. */
static struct time_reference
present_reference(const struct nvmm_machine_private *machine)
{
	struct time_reference now;

	do {
		now.tsc = __rdtsc();
		now.time = host_time(CLOCK_MONOTONIC) - machine->clock_start;
	} while (now.time < PERIOD_MIN);
	now.khz = (now.tsc - machine->clock_tsc) * 1e6 / now.time;
	now.stable = false;
	return now;
}

static struct time_reference
get_reference(const struct nvmm_machine_private *machine)
{
	if (!is_trusted(machine))
		return present_reference(machine);
	return (struct time_reference){
		.tsc = machine->clock_tsc,
		.khz = machine->info.out_tsc_khz,
		.stable = true,
	};
}

void clock_update(struct nvmm_vcpu_private *vcpu)
{
	struct nvmm_machine_private *machine = vcpu->machine;
	struct time_reference reference;
	struct view *view;
	void *at;

	if (!(vcpu->system_time & SYSTEM_TIME_ENABLED))
		return;
	view = memory_view_get(&machine->memory);
	at = find_memory(view, vcpu->system_time & ~SYSTEM_TIME_ENABLED,
			 TIME_PAGE_SIZE);
	if (at) {
		reference = get_reference(machine);
		reference.tsc += vcpu->cpu.vmcb->control.tsc_offset;
		time_page_write(at, &reference);
	}
	memory_view_put(&machine->memory, view);
}

void clock_enter(struct nvmm_vcpu_private *vcpu)
{
	int host_cpu;

	if (!(vcpu->system_time & SYSTEM_TIME_ENABLED) ||
	    is_trusted(vcpu->machine))
		return;
	host_cpu = sched_getcpu();
	if (host_cpu == vcpu->clock_cpu)
		return;
	vcpu->clock_cpu = host_cpu;
	clock_update(vcpu);
}

void clock_reset(struct nvmm_vcpu_private *vcpu)
{
	vcpu->system_time = 0;
}

void clock_write_msr(struct nvmm_vcpu_private *vcpu, uint32_t msr,
		     uint64_t value)
{
	if (msr == MSR_WALL_CLOCK) {
		vcpu->wall_clock = value;
		write_wall_clock(vcpu->machine, value);
		return;
	}
	vcpu->system_time = value;
	vcpu->clock_cpu = sched_getcpu();
	clock_update(vcpu);
}

uint64_t clock_read_msr(const struct nvmm_vcpu_private *vcpu, uint32_t msr)
{
	return msr == MSR_WALL_CLOCK ? vcpu->wall_clock : vcpu->system_time;
}
