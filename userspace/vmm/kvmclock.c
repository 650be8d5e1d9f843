// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <x86intrin.h>

#include "common/clock.h"
#include "kvmclock.h"
#include "lib/memories.h"
#include "machine.h"

#define MSR_WALL_CLOCK 0x4b564d00
#define MSR_SYSTEM_TIME 0x4b564d01
#define SYSTEM_TIME_ENABLED 1ull

/* The pages of all processors are based on the same reference. */
#define FLAG_TSC_STABLE 1

/* Each begins with a version, which is odd while the hypervisor writes. */
struct time_page {
	uint32_t version;
	uint32_t padding;
	uint64_t tsc;
	uint64_t time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct time_page) == 32, "layout of Linux");

struct wall_clock {
	uint32_t version;
	uint32_t seconds;
	uint32_t nanoseconds;
};

struct kvmclock_scale kvmclock_scale(uint32_t khz)
{
	struct kvmclock_scale scale = { .shift = 31 };
	double per_tick = 1e6 / khz; /* ns */
	double multiplier = per_tick * 2; /* * 2^32, with a shift of 31 */

	/* The largest multiplier below 2^32 is the most precise one. */
	while (multiplier < 0x1p31 && scale.shift > -31) {
		multiplier *= 2;
		scale.shift--;
	}
	scale.multiplier = multiplier;
	return scale;
}

void kvmclock_init(struct machine *machine)
{
	struct kvmclock *clock = &machine->kvmclock;

	clock->khz = machine->info.out_tsc_khz;
	clock->trusted = clock->khz != 0;
	clock->start = clock_now();
	clock->tsc = __rdtsc();
}

/* Return guest memory that the guest can write to, or NULL. */
static void *find_memory(const struct machine *machine, uint64_t gpa,
			 size_t size)
{
	size_t count = machine->memory_count - machine->rom_count;

	return memories_at(machine->memories, count, gpa, size);
}

/*
 * Write a struct that begins with its version, which is not copied. Do nothing if the
 * guest has no memory there, or if the address is not a multiple of 4.
 */
static void publish(const struct machine *machine, uint64_t gpa,
		    const void *content, size_t size)
{
	char *at = find_memory(machine, gpa, size);
	_Atomic uint32_t *version = (_Atomic uint32_t *)at;

	if (!at || gpa % sizeof(*version))
		return;
	atomic_fetch_or(version, 1);
	memcpy(at + sizeof(*version), (const char *)content + sizeof(*version),
	       size - sizeof(*version));
	atomic_fetch_add(version, 1);
}

static void write_wall_clock(const struct machine *machine)
{
	struct wall_clock content = { 0 };
	struct timespec now;
	uint64_t start;

	clock_gettime(CLOCK_REALTIME, &now);
	start = now.tv_sec * NANOSECONDS + now.tv_nsec -
		(clock_now() - machine->kvmclock.start);
	content.seconds = start / NANOSECONDS;
	content.nanoseconds = start % NANOSECONDS;
	publish(machine, machine->kvmclock.wall_clock, &content,
		sizeof(content));
}

void kvmclock_update(struct cpu *cpu)
{
	const struct kvmclock *clock = &cpu->machine->kvmclock;
	struct time_page content = { .tsc = clock->tsc };
	struct kvmclock_scale scale;

	if (!(cpu->kvmclock & SYSTEM_TIME_ENABLED))
		return;
	if (clock->trusted) {
		scale = kvmclock_scale(clock->khz);
		content.flags = FLAG_TSC_STABLE;
	} else {
		scale = kvmclock_scale(clock_tsc_khz());
		content.tsc = __rdtsc();
		content.time = clock_now() - clock->start;
	}
	content.tsc += cpu_own_tsc_offset(cpu);
	content.multiplier = scale.multiplier;
	content.shift = scale.shift;
	publish(cpu->machine, cpu->kvmclock & ~SYSTEM_TIME_ENABLED, &content,
		sizeof(content));
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
