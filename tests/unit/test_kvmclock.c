// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's clock (vmm/kvmclock.h): the conversion of ticks to nanoseconds, and what the guest
 * finds in its page after it has written the MSR.
 */
#include <stdlib.h>
#include <string.h>

#include "pvclock.h"
#include "suites.h"
#include "model/time_page.h"
#include "vmm/kvmclock.h"
#include "vmm/machine.h"

#define MEMORY_SIZE 8192
#define PAGE_GPA 0x100
#define RUBBISH 0xa5
#define TSC 123456789
#define OFFSET 1000

static struct machine machine;
static struct run_options options;
static struct svm_vmcb vmcb;
static struct cpu cpu;
static uint8_t memory[MEMORY_SIZE] __attribute__((aligned(16)));

static void set_up(uint32_t khz)
{
	memset(memory, 0, sizeof(memory));
	memset(&options, 0, sizeof(options));
	memset(&vmcb, 0, sizeof(vmcb));
	machine = (struct machine){
		.options = &options,
		.info.out_tsc_khz = khz,
		.memories = { { .gpa = 0,
				.base = memory,
				.size = sizeof(memory) } },
		.memory_count = 1,
	};
	kvmclock_init(&machine);
	machine.kvmclock.tsc = TSC;
	vmcb.control.tsc_offset = OFFSET;
	cpu = (struct cpu){ .machine = &machine, .vcpu.vmcb = &vmcb };
}

static struct pvclock_page page_at(uint64_t gpa)
{
	struct pvclock_page page;

	memcpy(&page, memory + gpa, sizeof(page));
	return page;
}

START_TEST(scale_is_precise)
{
	static const uint32_t frequencies[] = { 1,	 999,	  1000000,
						2300000, 4200001, 4294967295 };
	struct time_scale scale;
	uint64_t hour;
	uint32_t khz;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
		khz = frequencies[i];
		scale = time_scale(khz);
		hour = pvclock_nanoseconds(3600000ull * khz, scale.multiplier,
					   scale.shift);
		/* Better than 10 microseconds in an hour */
		ck_assert_uint_gt(hour, 3600000000000 - 10000);
		ck_assert_uint_lt(hour, 3600000000000 + 10000);
	}
}

START_TEST(page_has_the_reference)
{
	const struct time_scale scale = time_scale(2300000);
	struct pvclock_page page;

	set_up(2300000);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				     PAGE_GPA | PVCLOCK_ENABLED));
	page = page_at(PAGE_GPA);
	ck_assert_uint_eq(page.version, 2);
	ck_assert_uint_eq(page.tsc, TSC + OFFSET);
	ck_assert_uint_eq(page.time, 0);
	ck_assert_uint_eq(page.multiplier, scale.multiplier);
	ck_assert_int_eq(page.shift, scale.shift);
	ck_assert_uint_eq(page.flags, 1);
}

START_TEST(a_changed_tsc_does_not_change_the_time)
{
	set_up(2300000);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				     PAGE_GPA | PVCLOCK_ENABLED));
	vmcb.control.tsc_offset += 77;
	kvmclock_update(&cpu);
	ck_assert_uint_eq(page_at(PAGE_GPA).tsc, TSC + OFFSET + 77);
	ck_assert_uint_eq(page_at(PAGE_GPA).version, 4);
}

/* Linux does not trust the host's TSC: the reference is new, and not called stable. */
/* The guest's guest has a counter of its own, but the clock is the guest's. */
START_TEST(a_guest_of_the_guest_does_not_change_the_clock)
{
	struct svm_vmcb other = { .control.tsc_offset = OFFSET + 1000 };

	set_up(2300000);
	cpu.own = cpu.vcpu;
	cpu.svm = (struct svmrun_nested *)&other; /* only compared with NULL */
	cpu.vcpu.vmcb = &other;
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				     PAGE_GPA | PVCLOCK_ENABLED));
	ck_assert_uint_eq(page_at(PAGE_GPA).tsc, TSC + OFFSET);
}

START_TEST(without_a_trusted_tsc_the_reference_is_now)
{
	set_up(0);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				     PAGE_GPA | PVCLOCK_ENABLED));
	ck_assert_uint_ne(page_at(PAGE_GPA).tsc, TSC + OFFSET);
	ck_assert_uint_ne(page_at(PAGE_GPA).multiplier, 0);
	ck_assert_uint_eq(page_at(PAGE_GPA).flags, 0);
}

START_TEST(a_move_to_another_cpu_renews_the_reference)
{
	set_up(0);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				     PAGE_GPA | PVCLOCK_ENABLED));
	cpu.kvmclock_cpu = -1;
	kvmclock_enter(&cpu);
	ck_assert_uint_eq(page_at(PAGE_GPA).version, 4);
}

START_TEST(disabled_clock_writes_nothing)
{
	set_up(2300000);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME, PAGE_GPA));
	kvmclock_enter(&cpu);
	ck_assert_uint_eq(page_at(PAGE_GPA).version, 0);
}

/* Not in memory, only partly in memory, and not at a multiple of 4 */
START_TEST(impossible_addresses_are_ignored)
{
	static const uint64_t addresses[] = { MEMORY_SIZE, MEMORY_SIZE - 8,
					      ~0ull - 31, PAGE_GPA + 2 };
	static uint8_t before[MEMORY_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		set_up(2300000);
		memset(memory, RUBBISH, sizeof(memory));
		memcpy(before, memory, sizeof(memory));
		ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
					     addresses[i] | PVCLOCK_ENABLED));
		ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_WALL_CLOCK,
					     addresses[i]));
		ck_assert_mem_eq(before, memory, sizeof(memory));
	}
}

START_TEST(wall_clock_is_written_once)
{
	uint64_t value;
	uint32_t words[3];

	set_up(2300000);
	ck_assert(kvmclock_write_msr(&cpu, PVCLOCK_WALL_CLOCK, PAGE_GPA));
	memcpy(words, memory + PAGE_GPA, sizeof(words));
	ck_assert_uint_eq(words[0], 2);
	ck_assert_uint_gt(words[1], 1700000000);
	ck_assert_uint_lt(words[2], 1000000000);
	ck_assert(kvmclock_read_msr(&cpu, PVCLOCK_WALL_CLOCK, &value));
	ck_assert_uint_eq(value, PAGE_GPA);
}

START_TEST(other_hypervisors_have_no_clock)
{
	uint64_t value;

	set_up(2300000);
	options.hypervisor = HYPERVISOR_SVMRUN;
	ck_assert(!kvmclock_write_msr(&cpu, PVCLOCK_SYSTEM_TIME,
				      PAGE_GPA | PVCLOCK_ENABLED));
	ck_assert(!kvmclock_read_msr(&cpu, PVCLOCK_WALL_CLOCK, &value));
	ck_assert_uint_eq(page_at(PAGE_GPA).version, 0);
}

static const TTest **const tests[] = {
	&scale_is_precise,
	&page_has_the_reference,
	&a_changed_tsc_does_not_change_the_time,
	&a_guest_of_the_guest_does_not_change_the_clock,
	&without_a_trusted_tsc_the_reference_is_now,
	&a_move_to_another_cpu_renews_the_reference,
	&disabled_clock_writes_nothing,
	&impossible_addresses_are_ignored,
	&wall_clock_is_written_once,
	&other_hypervisors_have_no_clock,
};

Suite *kvmclock_suite(void)
{
	return suite_of("kvmclock", tests, ARRAY_SIZE(tests));
}
