/* SPDX-License-Identifier: GPL-2.0 */
/* KVM's paravirtual clock (model/time_page.h) */
#ifndef KVMCLOCK_H
#define KVMCLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct machine;

/**
 * struct kvmclock - the machine's reference for all pages
 * @khz: frequency of the host's TSC
 * @trusted: Linux uses the host's TSC as a clock: one reference is valid for all
 *	processors and for the whole run. Otherwise each processor's page gets a new one
 *	when its thread has moved to another CPU.
 * @start: clock_now() at the beginning of the run, which is 0 for the guest
 * @tsc: the host's TSC at @start
 * @wall_clock: value of the guest's MSR
 */
struct kvmclock {
	uint32_t khz;
	bool trusted;
	uint64_t start;
	uint64_t tsc;
	uint64_t wall_clock;
};

/* Begin the guest's time. The members @info and @options of the machine are set. */
void kvmclock_init(struct machine *machine);

/*
 * The guest's accesses to the MSRs of the clock. Return false if there is no such MSR, or
 * if the guest does not have the clock.
 */
bool kvmclock_write_msr(struct cpu *cpu, uint32_t msr, uint64_t value);
bool kvmclock_read_msr(const struct cpu *cpu, uint32_t msr, uint64_t *value);

/* Write the page of the processor again after the guest has changed its TSC. */
void kvmclock_update(struct cpu *cpu);

/* Call this before each entry into the guest: the thread may have moved to another CPU. */
void kvmclock_enter(struct cpu *cpu);

#endif /* KVMCLOCK_H */
