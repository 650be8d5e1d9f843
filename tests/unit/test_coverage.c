// SPDX-License-Identifier: GPL-2.0
/* Coverage by single steps (fuzz/coverage.h): which instructions are counted, and how often */
#include <string.h>

#include "fuzz/coverage.h"
#include "fuzz/target.h"
#include "lib/x86.h"
#include "suites.h"

#define MAP_SIZE 65536
#define CODE 0x1000
#define CODE_SIZE 0x100

static uint8_t map[MAP_SIZE];
static const struct fuzz_options options = {
	.step = CODE,
	.step_size = CODE_SIZE,
};
static struct svm_vmcb vmcb;
static struct target target;
static struct cpu cpu;

static void set_up(void)
{
	memset(map, 0, sizeof(map));
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&target, 0, sizeof(target));
	target.options = &options;
	target.map.memory.base = map;
	target.map_size = MAP_SIZE;
	target.is_clone = true;
	cpu = (struct cpu){ .machine = &target.machine, .vcpu.vmcb = &vmcb };
}

/* Execute no instruction: a signal ends RUN. */
static void interrupt(uint64_t rip)
{
	vmcb.save.rip = rip;
	coverage_enter(&cpu);
	ck_assert(vmcb.save.rflags & RFLAGS_TF);
	coverage_leave(&cpu);
	ck_assert(!(vmcb.save.rflags & RFLAGS_TF));
}

static void step(uint64_t rip)
{
	interrupt(rip);
	coverage_handled(&cpu);
}

static unsigned int counts(void)
{
	unsigned int i, sum = 0;

	for (i = 0; i < MAP_SIZE; i++)
		sum += map[i];
	return sum;
}

START_TEST(instructions_in_the_range_are_counted)
{
	set_up();
	step(CODE - 1);
	ck_assert_uint_eq(counts(), 0);
	step(CODE);
	step(CODE + CODE_SIZE - 1);
	ck_assert_uint_eq(counts(), 2);
	step(CODE + CODE_SIZE);
	ck_assert_uint_eq(counts(), 2);
}

/* An iteration of a string instruction, or a jump to itself */
START_TEST(an_instruction_is_counted_each_time)
{
	set_up();
	step(CODE);
	step(CODE);
	step(CODE);
	ck_assert_uint_eq(counts(), 3);
}

START_TEST(an_instruction_that_a_signal_delays_is_counted_once)
{
	uint8_t alike[MAP_SIZE];

	set_up();
	step(CODE);
	step(CODE + 1);
	step(CODE + 2);
	memcpy(alike, map, sizeof(map));

	set_up();
	step(CODE);
	interrupt(CODE + 1);
	interrupt(CODE + 1);
	step(CODE + 1);
	step(CODE + 2);
	ck_assert_mem_eq(alike, map, sizeof(map));
}

static const TTest **const tests[] = {
	&instructions_in_the_range_are_counted,
	&an_instruction_is_counted_each_time,
	&an_instruction_that_a_signal_delays_is_counted_once,
};

Suite *coverage_suite(void)
{
	return suite_of("coverage", tests, ARRAY_SIZE(tests));
}
