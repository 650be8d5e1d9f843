// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC in xAPIC and x2APIC mode (APM chapter 16): priorities, interprocessor
 * interrupts, INIT and startup, destinations, errors, and the timer in all modes.
 */
#include <string.h>

#include <svmrun/lapic.h>

#include "suites.h"
#include "xorshift.h"

#define CPUS 4

#define BASE_MSR 0x1b
#define DEADLINE_MSR 0x6e0

#define ID 0x020
#define TPR 0x080
#define PPR 0x0a0
#define END 0x0b0
#define LDR 0x0d0
#define DFR 0x0e0
#define SVR 0x0f0
#define ISR 0x100
#define TMR 0x180
#define IRR 0x200
#define ESR 0x280
#define ICR 0x300
#define ICR2 0x310
#define TIMER 0x320
#define LINT0 0x350
#define LINT1 0x360
#define ERROR 0x370
#define INITIAL 0x380
#define CURRENT 0x390
#define DIVIDE 0x3e0

#define MASKED 0x10000
#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define BY_1 0xb
#define BY_2 0x0
#define BY_16 0x3

#define SELF 0x40000
#define ALL 0x80000
#define OTHERS 0xc0000
#define LOGICAL 0x800

/* A machine whose processors share one TSC. It records wakeups and ends of interrupt. */
static struct svmrun_lapic cpus[CPUS];
static struct svmrun_apics apics;
static unsigned int wakes[CPUS];
static int ended;
static uint64_t tsc;

static void wake(void *owner, unsigned int id)
{
	ck_assert_ptr_eq(owner, &apics);
	wakes[id]++;
}

static uint64_t read_tsc(void *owner, unsigned int id)
{
	ck_assert_ptr_eq(owner, &apics);
	ck_assert_uint_lt(id, CPUS);
	return tsc;
}

static void end(void *owner, uint8_t vector)
{
	ck_assert_ptr_eq(owner, &apics);
	ended = vector;
}

static uint32_t rate;

static uint32_t read_rate(void *owner)
{
	ck_assert_ptr_eq(owner, &apics);
	return rate;
}

static void start(uint32_t tsc_khz)
{
	const struct svmrun_apics_owner owner = {
		.wake = wake,
		.tsc = read_tsc,
		.tsc_khz = tsc_khz ? read_rate : NULL,
		.eoi = end,
		.owner = &apics,
	};

	svmrun_apics_init(&apics, cpus, CPUS, &owner);
	rate = tsc_khz;
	memset(wakes, 0, sizeof(wakes));
	ended = -1;
	tsc = 0;
}

static void set(unsigned int id, unsigned int offset, uint32_t value)
{
	svmrun_lapic_write(&cpus[id], offset, value, 0);
}

static uint32_t get(unsigned int id, unsigned int offset)
{
	return svmrun_lapic_read(&cpus[id], offset, 0);
}

static bool set_msr(unsigned int id, uint32_t msr, uint64_t value)
{
	return svmrun_lapic_write_msr(&cpus[id], msr, value, 0);
}

static uint64_t get_msr(unsigned int id, uint32_t msr)
{
	uint64_t value;

	ck_assert(svmrun_lapic_read_msr(&cpus[id], msr, &value, 0));
	return value;
}

static bool faults(unsigned int id, uint32_t msr)
{
	uint64_t value;

	return !svmrun_lapic_read_msr(&cpus[id], msr, &value, 0);
}

static void start_enabled(void)
{
	start(1000000);
	for (unsigned int i = 0; i < CPUS; i++)
		set(i, SVR, 0x1ff);
}

static void start_x2apic(void)
{
	start_enabled();
	for (unsigned int i = 0; i < CPUS; i++)
		ck_assert(set_msr(i, BASE_MSR, get_msr(i, BASE_MSR) | 0xc00));
}

/* Set of processors whose next interrupt is @vector */
static unsigned int cpus_with_next(int vector)
{
	unsigned int who = 0;

	for (unsigned int i = 0; i < CPUS; i++)
		who |= (svmrun_lapic_pending(&cpus[i]) == vector) << i;
	return who;
}

static void accept(unsigned int id, int vector)
{
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[id]), vector);
	svmrun_lapic_acknowledge(&cpus[id], vector);
}

static bool fixed(uint32_t destination, uint8_t vector, bool level)
{
	return svmrun_apics_message(&apics, destination, false,
				    SVMRUN_APIC_FIXED, vector, level);
}

START_TEST(bootstrap_processor_is_in_virtual_wire_mode)
{
	start(0);
	ck_assert_uint_eq(get_msr(0, BASE_MSR), 0xfee00900);
	ck_assert_uint_eq(get(0, SVR), 0x1ff);
	ck_assert_uint_eq(get(0, LINT0), 0x700);
	ck_assert_uint_eq(get(0, LINT1), 0x400);
	ck_assert(!svmrun_lapic_waits_for_sipi(&cpus[0]));
	ck_assert(!svmrun_lapic_extint(&cpus[0]));
	svmrun_lapic_set_extint(&cpus[0], 0, true);
	ck_assert(svmrun_lapic_extint(&cpus[0]));
	ck_assert_uint_eq(wakes[0], 1);
	svmrun_lapic_set_extint(&cpus[0], 0, false);
	ck_assert(!svmrun_lapic_extint(&cpus[0]));
	svmrun_lapic_set_nmi(&cpus[0], 0, true);
	ck_assert(svmrun_lapic_take_nmi(&cpus[0]));
	svmrun_lapic_set_nmi(&cpus[0], 0, true);
	ck_assert(!svmrun_lapic_take_nmi(&cpus[0]));
}

START_TEST(others_are_reset_and_wait)
{
	start(0);
	ck_assert_uint_eq(get_msr(1, BASE_MSR), 0xfee00800);
	ck_assert_uint_eq(get(1, ID), 1u << 24);
	ck_assert_uint_eq(get(1, SVR), 0xff);
	ck_assert_uint_eq(get(1, DFR), 0xffffffff);
	for (unsigned int offset = TIMER; offset <= ERROR; offset += 0x10)
		ck_assert_uint_eq(get(1, offset), MASKED);
	ck_assert(svmrun_lapic_waits_for_sipi(&cpus[1]));
	ck_assert_int_eq(svmrun_lapic_take_sipi(&cpus[1]), -1);
	ck_assert(!svmrun_lapic_take_init(&cpus[1]));
	svmrun_lapic_set_extint(&cpus[1], 0, true);
	ck_assert(!svmrun_lapic_extint(&cpus[1]));
}

START_TEST(version_and_sizes_of_accesses)
{
	start(0);
	ck_assert_uint_eq(get(0, 0x30), 0x00050014);
	ck_assert_uint_eq(get(0, 0x32), 0x0005);
	ck_assert_uint_eq(get(0, 0x34), 0);
	set(0, TPR + 1, 0x55);
	set(0, TPR + 4, 0x55);
	ck_assert_uint_eq(get(0, TPR), 0);
	ck_assert_uint_eq(get(0, ESR), 0);
}

START_TEST(registers_keep_implemented_bits)
{
	static const struct {
		unsigned int offset;
		uint32_t all;
	} table[] = {
		{ ID, 2u << 24 },     { TPR, 0xff },	  { LDR, 0xff000000 },
		{ DFR, 0xffffffff },  { SVR, 0x3ff },	  { TIMER, 0x700ff },
		{ 0x330, 0x107ff },   { 0x340, 0x107ff }, { LINT0, 0x1a7ff },
		{ LINT1, 0x1a7ff },   { ERROR, 0x100ff }, { DIVIDE, 0xb },
		{ ICR2, 0xff000000 }, { 0x30, 0x50014 },  { 0x90, 0 },
		{ 0xc0, 0 },
	};

	start_enabled();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		set(2, table[i].offset, 0xffffffff);
		ck_assert_uint_eq(get(2, table[i].offset), table[i].all);
	}
}

START_TEST(highest_vector_first_unless_priority_blocks_it)
{
	start_enabled();
	ck_assert(fixed(0, 0x31, false));
	ck_assert(fixed(0, 0x52, false));
	ck_assert(fixed(0, 0x55, false));
	ck_assert_uint_eq(wakes[0], 3);
	ck_assert_uint_eq(get(0, IRR + 0x20), 1 << 0x12 | 1 << 0x15);
	accept(0, 0x55);
	ck_assert_uint_eq(get(0, ISR + 0x20), 1 << 0x15);
	ck_assert_uint_eq(get(0, PPR), 0x50);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	ck_assert(fixed(0, 0x60, false));
	accept(0, 0x60);
	set(0, END, 0);
	ck_assert_uint_eq(get(0, PPR), 0x50);
	set(0, END, 0);
	accept(0, 0x52);
	set(0, END, 0);
	svmrun_lapic_set_tpr(&cpus[0], 0x3f);
	ck_assert_uint_eq(get(0, PPR), 0x3f);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	set(0, TPR, 0x2f);
	ck_assert_uint_eq(svmrun_lapic_tpr(&cpus[0]), 0x2f);
	accept(0, 0x31);
	set(0, END, 0);
	set(0, END, 0);
	ck_assert_int_eq(ended, -1);
}

START_TEST(only_requests_are_acknowledged)
{
	start_enabled();
	svmrun_lapic_acknowledge(&cpus[0], 0x40);
	ck_assert_uint_eq(get(0, ISR + 0x20), 0);
}

START_TEST(eoi_of_level_triggered_is_forwarded)
{
	start_enabled();
	fixed(0, 0x61, true);
	ck_assert_uint_eq(get(0, TMR + 0x30), 2);
	accept(0, 0x61);
	set(0, END, 0);
	ck_assert_int_eq(ended, 0x61);
	fixed(0, 0x61, false);
	ck_assert_uint_eq(get(0, TMR + 0x30), 0);
	ended = -1;
	accept(0, 0x61);
	set(0, END, 0);
	ck_assert_int_eq(ended, -1);
}

START_TEST(disabled_by_software)
{
	start_enabled();
	set(0, LINT0, 0x700);
	fixed(0, 0x40, false);
	set(0, SVR, 0xff);
	ck_assert_uint_eq(get(0, LINT0), 0x700 | MASKED);
	set(0, LINT0, 0x700);
	ck_assert_uint_eq(get(0, LINT0), 0x700 | MASKED);
	ck_assert(!fixed(0, 0x41, false));
	accept(0, 0x40);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	ck_assert(svmrun_apics_message(&apics, 0, false, SVMRUN_APIC_NMI, 0,
				       false));
	ck_assert(svmrun_lapic_take_nmi(&cpus[0]));
}

START_TEST(disabled_by_hardware)
{
	start_enabled();
	set(0, TPR, 0x20);
	set(0, LINT0, MASKED);
	svmrun_lapic_set_extint(&cpus[0], 0, true);
	ck_assert(!svmrun_lapic_extint(&cpus[0]));
	ck_assert(set_msr(0, BASE_MSR, 0xfee00100));
	ck_assert(svmrun_lapic_extint(&cpus[0]));
	ck_assert(!svmrun_lapic_is_at(&cpus[0], SVMRUN_LAPIC_GPA));
	ck_assert_uint_eq(get(0, TPR), 0xffffffff);
	ck_assert(!fixed(0, 0x40, false));
	svmrun_lapic_set_nmi(&cpus[0], 0, true);
	ck_assert(svmrun_lapic_take_nmi(&cpus[0]));
	ck_assert(set_msr(0, BASE_MSR, 0xfee00900));
	ck_assert_uint_eq(get(0, TPR), 0);
	ck_assert_uint_eq(get(0, SVR), 0xff);
}

START_TEST(base_has_legal_transitions)
{
	/* [from][to]: disabled, invalid, xAPIC, x2APIC */
	static const bool legal[4][4] = {
		[0] = { true, false, true, false },
		[2] = { true, false, true, true },
		[3] = { true, false, false, true },
	};

	for (unsigned int from = 0; from < 4; from++) {
		for (unsigned int to = 0; to < 4 && from != 1; to++) {
			start(0);
			ck_assert(set_msr(1, BASE_MSR,
					  0xfee00000 | (from == 3 ? 2 : from)
							       << 10));
			ck_assert(from != 3 ||
				  set_msr(1, BASE_MSR, 0xfee00c00));
			ck_assert_int_eq(set_msr(1, BASE_MSR,
						 0xfee00000 | to << 10),
					 legal[from][to]);
		}
	}
}

START_TEST(base_moves_the_page)
{
	start_enabled();
	ck_assert(svmrun_lapic_is_at(&cpus[0], 0xfee00fff));
	ck_assert(!svmrun_lapic_is_at(&cpus[0], 0xfee01000));
	ck_assert(set_msr(0, BASE_MSR, 0xfe00000800));
	ck_assert_uint_eq(get_msr(0, BASE_MSR), 0xfe00000900);
	ck_assert(svmrun_lapic_is_at(&cpus[0], 0xfe00000020));
	ck_assert(!svmrun_lapic_is_at(&cpus[0], 0xfee00000));
	ck_assert(svmrun_lapic_is_at(&cpus[1], 0xfee00000));
	ck_assert(!set_msr(0, BASE_MSR, 0xfee00a00));
	ck_assert(!set_msr(0, BASE_MSR, 0xfff00000fee00800));
}

START_TEST(init_and_startup)
{
	start_enabled();
	svmrun_lapic_take_sipi(&cpus[1]);
	set(1, TPR, 0x20);
	set(0, ICR2, 1u << 24);
	set(0, ICR, 0xc500);
	set(0, ICR, 0x8500); /* de-assert */
	ck_assert_uint_eq(wakes[1], 1);
	ck_assert(svmrun_lapic_take_init(&cpus[1]));
	ck_assert(!svmrun_lapic_take_init(&cpus[1]));
	ck_assert_uint_eq(get(1, TPR), 0);
	ck_assert_uint_eq(get(1, SVR), 0xff);
	ck_assert(svmrun_lapic_waits_for_sipi(&cpus[1]));
	set(0, ICR, 0x4400); /* NMI */
	ck_assert(!svmrun_lapic_take_nmi(&cpus[1]));
	set(0, ICR, 0x4698);
	set(0, ICR, 0x4699);
	ck_assert_int_eq(svmrun_lapic_take_sipi(&cpus[1]), 0x99);
	ck_assert(!svmrun_lapic_waits_for_sipi(&cpus[1]));
	set(0, ICR, 0x469a);
	ck_assert_int_eq(svmrun_lapic_take_sipi(&cpus[1]), -1);
	ck_assert_uint_eq(get(0, ICR), 0x469a);
	ck_assert(svmrun_lapic_waits_for_sipi(&cpus[2]));
}

START_TEST(init_cancels_startup)
{
	start_enabled();
	set(0, ICR, OTHERS | 0x4698);
	set(0, ICR, OTHERS | 0x4500);
	ck_assert_int_eq(svmrun_lapic_take_sipi(&cpus[3]), -1);
	ck_assert(svmrun_lapic_take_init(&cpus[3]));
	ck_assert(!svmrun_lapic_take_init(&cpus[0]));
}

START_TEST(init_of_the_bootstrap_processor_lets_it_run)
{
	start_enabled();
	set(1, ICR, 0x4500);
	ck_assert(svmrun_lapic_take_init(&cpus[0]));
	ck_assert(!svmrun_lapic_waits_for_sipi(&cpus[0]));
	ck_assert_uint_eq(get(0, LINT0), MASKED);
	ck_assert_uint_eq(get_msr(0, BASE_MSR), 0xfee00900);
}

START_TEST(shorthands)
{
	static const struct {
		uint32_t command;
		unsigned int who;
	} table[] = {
		{ SELF | 0x40, 0x4 },
		{ ALL | 0x40, 0xf },
		{ OTHERS | 0x40, 0xb },
		{ OTHERS | 0x140, 0x1 },
		{ SELF | 0x140, 0 },
		{ ALL | 0x140, 0 },
		{ 0x40, 0x2 },
		{ 0x140, 0x2 },
		{ 0x340, 0 },
		{ 0x740, 0 },
		{ SELF | LOGICAL | 0x40, 0x4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		start_enabled();
		set(2, ICR2, 1u << 24);
		set(2, ICR, table[i].command);
		ck_assert_uint_eq(cpus_with_next(0x40), table[i].who);
	}
}

START_TEST(nmi_goes_to_others)
{
	start_enabled();
	for (unsigned int i = 1; i < 3; i++) {
		set(0, ICR2, i << 24);
		set(0, ICR, 0x4600);
		ck_assert_int_eq(svmrun_lapic_take_sipi(&cpus[i]), 0);
	}
	set(1, ICR, OTHERS | 0x4400);
	ck_assert(svmrun_lapic_take_nmi(&cpus[0]));
	ck_assert(!svmrun_lapic_take_nmi(&cpus[1]));
	ck_assert(svmrun_lapic_take_nmi(&cpus[2]));
	set(1, ICR, SELF | 0x4400);
	ck_assert(!svmrun_lapic_take_nmi(&cpus[1]));
}

START_TEST(logical_destinations_by_memory)
{
	static const struct {
		uint32_t dfr;
		uint8_t ldr[CPUS];
		uint8_t destination;
		unsigned int who;
	} table[] = {
		{ 0xf0000000, { 1, 2, 4, 8 }, 0x05, 0x5 },
		{ 0xf0000000, { 1, 2, 4, 8 }, 0xff, 0xf },
		{ 0xf0000000, { 1, 2, 4, 8 }, 0x10, 0x0 },
		{ 0x00000000, { 0x11, 0x12, 0x21, 0x22 }, 0x11, 0x1 },
		{ 0x00000000, { 0x11, 0x12, 0x21, 0x22 }, 0x23, 0xc },
		{ 0x00000000, { 0x11, 0x12, 0x21, 0x22 }, 0xf2, 0xa },
		{ 0x00000000, { 0x11, 0x12, 0x21, 0x22 }, 0x0f, 0x0 },
		{ 0x00000000, { 0x11, 0x12, 0x21, 0x22 }, 0xff, 0xf },
		{ 0x50000000, { 1, 2, 4, 8 }, 0x05, 0x0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		start_enabled();
		for (unsigned int id = 0; id < CPUS; id++) {
			set(id, DFR, table[i].dfr);
			set(id, LDR, (uint32_t)table[i].ldr[id] << 24);
		}
		set(3, ICR2, (uint32_t)table[i].destination << 24);
		set(3, ICR, LOGICAL | 0x40);
		ck_assert_uint_eq(cpus_with_next(0x40), table[i].who);
		svmrun_apics_message(&apics, table[i].destination, true,
				     SVMRUN_APIC_FIXED, 0x50, false);
		ck_assert_uint_eq(cpus_with_next(0x50), table[i].who);
	}
}

START_TEST(physical_broadcast)
{
	start_enabled();
	set(1, ICR2, 0xff000000);
	set(1, ICR, 0x40);
	ck_assert_uint_eq(cpus_with_next(0x40), 0xf);
	ck_assert(fixed(0xff, 0x50, false));
	ck_assert_uint_eq(cpus_with_next(0x50), 0xf);
	ck_assert(!fixed(CPUS, 0x60, false));
}

START_TEST(lowest_priority)
{
	start_enabled();
	for (unsigned int i = 0; i < 2 * CPUS; i++) {
		svmrun_apics_message(&apics, 0xff, false, SVMRUN_APIC_LOWEST,
				     0x40 + i, false);
		ck_assert_uint_eq(cpus_with_next(0x40 + i), 1u << i % CPUS);
	}
	set(0, TPR, 0x10);
	set(1, TPR, 0x20);
	set(2, SVR, 0xff);
	set(3, TPR, 0x18);
	for (unsigned int i = 0; i < CPUS; i++) {
		set(1, ICR2, 0xff000000);
		set(1, ICR, 0x1a0 + i);
		ck_assert_uint_eq(cpus_with_next(0xa0 + i), 0x1);
	}
}

START_TEST(x2apic_ids_and_destinations)
{
	start_x2apic();
	ck_assert(!svmrun_lapic_is_at(&cpus[3], SVMRUN_LAPIC_GPA));
	ck_assert_uint_eq(get(3, ID), 0xffffffff);
	ck_assert_uint_eq(get_msr(3, 0x802), 3);
	ck_assert_uint_eq(get_msr(3, 0x80d), 1 << 3);
	ck_assert(set_msr(0, 0x830, 2ull << 32 | 0x40));
	ck_assert_uint_eq(cpus_with_next(0x40), 0x4);
	ck_assert_uint_eq(get_msr(0, 0x830), 2ull << 32 | 0x40);
	ck_assert(set_msr(0, 0x830, 0xaull << 32 | LOGICAL | 0x50));
	ck_assert_uint_eq(cpus_with_next(0x50), 0xa);
	ck_assert(set_msr(0, 0x830, 0x1000full << 32 | LOGICAL | 0x60));
	ck_assert_uint_eq(cpus_with_next(0x60), 0);
	ck_assert(set_msr(0, 0x830, 0xffffffffull << 32 | 0x70));
	ck_assert_uint_eq(cpus_with_next(0x70), 0xf);
	ck_assert(set_msr(0, 0x830, 0xffull << 32 | 0x80));
	ck_assert_uint_eq(cpus_with_next(0x80), 0);
	ck_assert(set_msr(1, 0x83f, 0x90));
	ck_assert_uint_eq(cpus_with_next(0x90), 0x2);
}

START_TEST(switch_to_x2apic_keeps_all_except_the_destination)
{
	start_enabled();
	set(1, TPR, 0x30);
	set(1, LINT0, 0x41);
	set(1, ICR2, 2u << 24);
	set(1, ICR, 0x40);
	fixed(1, 0x50, false);
	ck_assert(set_msr(1, BASE_MSR, 0xfee00c00));
	ck_assert_uint_eq(get_msr(1, 0x808), 0x30);
	ck_assert_uint_eq(get_msr(1, 0x835), 0x41);
	ck_assert_uint_eq(get_msr(1, 0x830), 0x40);
	accept(1, 0x50);
}

START_TEST(x2apic_clusters_of_sixteen)
{
	static struct svmrun_lapic many[40];
	const struct svmrun_apics_owner owner = { 0 };
	uint64_t value;

	svmrun_apics_init(&apics, many, ARRAY_SIZE(many), &owner);
	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++) {
		svmrun_lapic_write_msr(&many[i], BASE_MSR, 0xfee00c00, 0);
		svmrun_lapic_write_msr(&many[i], 0x80f, 0x1ff, 0);
	}
	ck_assert(svmrun_lapic_read_msr(&many[35], 0x80d, &value, 0));
	ck_assert_uint_eq(value, 0x20008);
	svmrun_lapic_write_msr(&many[0], 0x830, 0x2000cull << 32 | 0x840, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		ck_assert_int_eq(svmrun_lapic_pending(&many[i]),
				 i == 34 || i == 35 ? 0x40 : -1);
}

START_TEST(x2apic_faults)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} writes[] = {
		{ 0x802, 0 }, { 0x803, 0 },	{ 0x808, 0x100 },
		{ 0x809, 0 }, { 0x80a, 0 },	{ 0x80b, 1 },
		{ 0x80d, 0 }, { 0x80e, 0 },	{ 0x80f, 0x1000 },
		{ 0x810, 0 }, { 0x828, 1 },	{ 0x830, 0x2000 },
		{ 0x831, 0 }, { 0x832, 0x800 }, { 0x838, 1ull << 32 },
		{ 0x839, 0 }, { 0x83e, 4 },	{ 0x83f, 0x100 },
		{ 0x840, 0 }, { 0x8ff, 0 },
	};
	static const uint32_t reads[] = { 0x800, 0x809, 0x80b, 0x80e,
					  0x831, 0x83f, 0x840, 0x8ff };

	start_enabled();
	ck_assert(faults(0, 0x802));
	ck_assert(!set_msr(0, 0x80b, 0));
	ck_assert(faults(0, 0x17));
	start_x2apic();
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		ck_assert_msg(!set_msr(0, writes[i].msr, writes[i].value),
			      "write of %#x", writes[i].msr);
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		ck_assert_msg(faults(0, reads[i]), "read of %#x", reads[i]);
	ck_assert(set_msr(0, 0x80b, 0));
	ck_assert(set_msr(0, 0x828, 0));
}

START_TEST(errors)
{
	start_enabled();
	set(0, ERROR, 0xfe);
	set(0, ICR, SELF | 0x0f);
	ck_assert_uint_eq(get(0, ESR), 0);
	accept(0, 0xfe);
	set(0, END, 0);
	set(0, ICR, SELF | 0x0f);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	fixed(0, 0x0f, false);
	accept(0, 0xfe);
	get(0, 0x400);
	set(0, 0x3f0, 0);
	set(0, ESR, 0);
	ck_assert_uint_eq(get(0, ESR), 0xe0);
	set(0, ESR, 0);
	ck_assert_uint_eq(get(0, ESR), 0);
	set(0, ERROR, 0x00); /* its own vector is illegal */
	set(0, ICR, SELF | 0x0f);
	set(0, ESR, 0);
	ck_assert_uint_eq(get(0, ESR), 0x60);
}

START_TEST(one_shot)
{
	struct svmrun_lapic *lapic = &cpus[0];

	start_enabled();
	set(0, TIMER, 0x40);
	set(0, DIVIDE, BY_16);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), SVMRUN_NEVER);
	svmrun_lapic_write(lapic, INITIAL, 100, 1000);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 2600);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 1000), 100);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 1015), 100);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 1016), 99);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 2599), 1);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 9999), 0);
	svmrun_lapic_advance(lapic, 2599);
	ck_assert_int_eq(svmrun_lapic_pending(lapic), -1);
	svmrun_lapic_advance(lapic, 2600);
	accept(0, 0x40);
	ck_assert_uint_eq(wakes[0], 1);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), SVMRUN_NEVER);
	ck_assert_uint_eq(get(0, INITIAL), 100);
	svmrun_lapic_write(lapic, INITIAL, 100, 3000);
	svmrun_lapic_write(lapic, INITIAL, 0, 3001);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), SVMRUN_NEVER);
}

START_TEST(divisors)
{
	static const struct {
		uint32_t divide;
		unsigned int by;
	} table[] = { { 0x0, 2 },  { 0x1, 4 },	{ 0x2, 8 },   { 0x3, 16 },
		      { 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		start_enabled();
		set(0, DIVIDE, table[i].divide);
		set(0, INITIAL, 0xffffffff);
		ck_assert_uint_eq(svmrun_lapic_deadline(&cpus[0]),
				  0xffffffffull * table[i].by);
	}
}

START_TEST(divisor_changes_under_way)
{
	start_enabled();
	set(0, DIVIDE, BY_2);
	set(0, INITIAL, 100);
	svmrun_lapic_write(&cpus[0], DIVIDE, BY_1, 100);
	ck_assert_uint_eq(svmrun_lapic_read(&cpus[0], CURRENT, 100), 50);
	ck_assert_uint_eq(svmrun_lapic_deadline(&cpus[0]), 150);
}

START_TEST(periodic_neither_drifts_nor_storms)
{
	struct svmrun_lapic *lapic = &cpus[0];

	start_enabled();
	set(0, TIMER, PERIODIC | 0x40);
	set(0, DIVIDE, BY_1);
	set(0, INITIAL, 100000);
	svmrun_lapic_advance(lapic, 100700);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 200000);
	accept(0, 0x40);
	set(0, END, 0);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 200100), 99900);
	svmrun_lapic_advance(lapic, 700050000);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 700100000);
	ck_assert_uint_eq(wakes[0], 2);
	svmrun_lapic_advance(lapic, 700050000);
	ck_assert_uint_eq(wakes[0], 2);
	svmrun_lapic_advance(lapic, 700100000);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 700200000);
}

START_TEST(short_periods_let_the_guest_run)
{
	struct svmrun_lapic *lapic = &cpus[0];

	start_enabled();
	set(0, TIMER, PERIODIC | 0x40);
	set(0, DIVIDE, BY_1);
	set(0, INITIAL, 3);
	svmrun_lapic_advance(lapic, 3);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 6 + 10002 - 3);
	ck_assert_uint_eq(svmrun_lapic_read(lapic, CURRENT, 7), 2);
}

START_TEST(masked_timer_counts_without_interrupt)
{
	start_enabled();
	set(0, TIMER, MASKED | 0x40);
	set(0, DIVIDE, BY_1);
	set(0, INITIAL, 1000);
	svmrun_lapic_advance(&cpus[0], 1000);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	ck_assert_uint_eq(wakes[0], 0);
}

START_TEST(tsc_deadline)
{
	struct svmrun_lapic *lapic = &cpus[0];

	start(2000000); /* 2 TSC ticks per nanosecond */
	set(0, TIMER, DEADLINE | 0x40);
	tsc = 1000;
	ck_assert(svmrun_lapic_write_msr(lapic, DEADLINE_MSR, 3001, 50));
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 50 + 1001);
	ck_assert_uint_eq(get(0, CURRENT), 0);
	tsc = 2999; /* the TSC decides, not the time */
	svmrun_lapic_advance(lapic, 1051);
	ck_assert_int_eq(svmrun_lapic_pending(lapic), -1);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), 1052);
	tsc = 3001;
	svmrun_lapic_advance(lapic, 1052);
	accept(0, 0x40);
	ck_assert_uint_eq(get_msr(0, DEADLINE_MSR), 0);
	ck_assert_uint_eq(svmrun_lapic_deadline(lapic), SVMRUN_NEVER);
	set(0, END, 0);
	ck_assert(set_msr(0, DEADLINE_MSR, 3000)); /* in the past */
	accept(0, 0x40);
}

START_TEST(tsc_deadline_can_be_cancelled)
{
	start(1000000);
	set(0, TIMER, DEADLINE | 0x40);
	ck_assert(set_msr(0, DEADLINE_MSR, 1000));
	ck_assert_uint_eq(get_msr(0, DEADLINE_MSR), 1000);
	ck_assert(set_msr(0, DEADLINE_MSR, 0));
	ck_assert_uint_eq(svmrun_lapic_deadline(&cpus[0]), SVMRUN_NEVER);
	ck_assert(set_msr(0, DEADLINE_MSR, UINT64_MAX));
	ck_assert_uint_gt(svmrun_lapic_deadline(&cpus[0]), 1ull << 61);
	set(0, INITIAL, 5);
	ck_assert_uint_eq(get(0, INITIAL), 0);
	set(0, TIMER, 0x40);
	ck_assert_uint_eq(svmrun_lapic_deadline(&cpus[0]), SVMRUN_NEVER);
	ck_assert(set_msr(0, DEADLINE_MSR, 1000));
	ck_assert_uint_eq(get_msr(0, DEADLINE_MSR), 0);
}

START_TEST(no_tsc_no_deadline)
{
	start(0);
	set(0, TIMER, DEADLINE | 0x40);
	ck_assert_uint_eq(get(0, TIMER), 0x40);
	ck_assert(faults(0, DEADLINE_MSR));
	ck_assert(!set_msr(0, DEADLINE_MSR, 1));
	ck_assert(set_msr(0, BASE_MSR, 0xfee00c00));
	ck_assert(!set_msr(0, 0x832, DEADLINE));
}

START_TEST(fixed_pin_by_edge)
{
	start_enabled();
	set(0, LINT0, 0x40);
	svmrun_lapic_set_extint(&cpus[0], 0, true);
	ck_assert(!svmrun_lapic_extint(&cpus[0]));
	accept(0, 0x40);
	set(0, END, 0);
	svmrun_lapic_set_extint(&cpus[0], 0, true);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	ck_assert_int_eq(ended, -1);
}

START_TEST(fixed_pin_by_level)
{
	start_enabled();
	svmrun_lapic_set_extint(&cpus[0], 0, true);
	set(0, LINT0, 0x8040);
	ck_assert_uint_eq(get(0, LINT0), 0xc040);
	accept(0, 0x40);
	set(0, END, 0);
	accept(0, 0x40);
	svmrun_lapic_set_extint(&cpus[0], 0, false);
	set(0, END, 0);
	ck_assert_int_eq(svmrun_lapic_pending(&cpus[0]), -1);
	ck_assert_uint_eq(get(0, LINT0), 0x8040);
}

START_TEST(extint_by_message)
{
	start_enabled();
	ck_assert(svmrun_apics_message(&apics, 2, false, SVMRUN_APIC_EXTINT, 0,
				       false));
	ck_assert(svmrun_lapic_extint(&cpus[2]));
	ck_assert(!svmrun_lapic_extint(&cpus[0]));
	svmrun_lapic_acknowledge_extint(&cpus[2]);
	ck_assert(!svmrun_lapic_extint(&cpus[2]));
}

START_TEST(reserved_delivery_modes_send_nothing)
{
	for (unsigned int mode = 0; mode < 300; mode++) {
		bool is_sent = mode <= SVMRUN_APIC_LOWEST ||
			       mode == SVMRUN_APIC_NMI ||
			       mode == SVMRUN_APIC_INIT ||
			       mode == SVMRUN_APIC_EXTINT;

		start_enabled();
		ck_assert_int_eq(svmrun_apics_message(&apics, 0, false, mode,
						      0x40, false),
				 is_sent);
	}
}

/* Carry out one access or event, all of it chosen by @random. */
START_TEST(nmi_that_lint0_can_send)
{
	for (unsigned int mode = 0; mode < 8; mode++) {
		bool expected = mode == SVMRUN_APIC_NMI ||
				mode == SVMRUN_APIC_INIT;

		start(0);
		ck_assert(!svmrun_lapic_sends_nmi(&cpus[0]));
		set(0, LINT0, mode << 8);
		ck_assert(svmrun_lapic_sends_nmi(&cpus[0]) == expected);
		set(0, LINT0, mode << 8 | MASKED);
		ck_assert(!svmrun_lapic_sends_nmi(&cpus[0]));
	}
}

static void do_anything(struct svmrun_lapic *lapic, uint64_t random,
			uint64_t now)
{
	uint32_t value = random >> 32;
	unsigned int what = random & 0xf;
	unsigned int low = random >> 4 & 0xfff;
	uint64_t read;

	if (what < 4)
		svmrun_lapic_write(lapic, low & ~0xfu, value, now);
	else if (what < 5)
		svmrun_lapic_write(lapic, low, value, now);
	else if (what < 7)
		svmrun_lapic_read(lapic, low & (value & 1 ? ~0u : ~0xfu), now);
	else if (what < 9)
		svmrun_lapic_write_msr(lapic, 0x800 + (low & 0xff),
				       value & 0xf ? value & 0xff : value, now);
	else if (what < 10)
		svmrun_lapic_read_msr(lapic, 0x800 + (low & 0xff), &read, now);
	else if (what < 11)
		svmrun_lapic_write_msr(lapic, DEADLINE_MSR, tsc + low, now);
	else if (what < 12 && low < 64)
		svmrun_lapic_write_msr(lapic, BASE_MSR,
				       0xfee00000 | (value & 0xf00), now);
	else if (what < 13)
		svmrun_apics_message(&apics, low & 0xff, value >> 31, value & 7,
				     value >> 8, value & 0x10000);
	else if (what < 14)
		svmrun_lapic_set_extint(lapic, 0, value & 1);
	else if (what < 15)
		svmrun_lapic_set_nmi(lapic, 0, value & 1);
	else
		svmrun_lapic_take_sipi(lapic);
}

/* Check what must hold after any access. */
static void check(struct svmrun_lapic *lapic, uint64_t now)
{
	int vector = svmrun_lapic_pending(lapic);

	svmrun_lapic_advance(lapic, now);
	if (svmrun_lapic_deadline(lapic) <= now)
		ck_abort_msg("a deadline is in the past");
	if (vector >= 0 && vector < 16)
		ck_abort_msg("vector %d", vector);
	if (vector < 0)
		return;
	svmrun_lapic_acknowledge(lapic, vector);
	if (svmrun_lapic_pending(lapic) >= vector)
		ck_abort_msg("still pending after it was acknowledged");
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);
	uint64_t now = 0;

	start_enabled();
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t random = xorshift(&state);
		struct svmrun_lapic *lapic = &cpus[random >> 62];

		now += random >> 50 & 0x3ff;
		tsc = now;
		do_anything(lapic, random, now);
		check(lapic, now);
		if (!(i % 65536))
			start_enabled();
	}
}

static const TTest **const tests[] = {
	&bootstrap_processor_is_in_virtual_wire_mode,
	&others_are_reset_and_wait,
	&version_and_sizes_of_accesses,
	&registers_keep_implemented_bits,
	&highest_vector_first_unless_priority_blocks_it,
	&only_requests_are_acknowledged,
	&eoi_of_level_triggered_is_forwarded,
	&disabled_by_software,
	&disabled_by_hardware,
	&base_has_legal_transitions,
	&base_moves_the_page,
	&init_and_startup,
	&init_cancels_startup,
	&init_of_the_bootstrap_processor_lets_it_run,
	&shorthands,
	&nmi_goes_to_others,
	&logical_destinations_by_memory,
	&physical_broadcast,
	&lowest_priority,
	&x2apic_ids_and_destinations,
	&switch_to_x2apic_keeps_all_except_the_destination,
	&x2apic_clusters_of_sixteen,
	&x2apic_faults,
	&errors,
	&one_shot,
	&divisors,
	&divisor_changes_under_way,
	&periodic_neither_drifts_nor_storms,
	&short_periods_let_the_guest_run,
	&masked_timer_counts_without_interrupt,
	&tsc_deadline,
	&tsc_deadline_can_be_cancelled,
	&no_tsc_no_deadline,
	&fixed_pin_by_edge,
	&fixed_pin_by_level,
	&extint_by_message,
	&reserved_delivery_modes_send_nothing,
	&nmi_that_lint0_can_send,
	&ten_million_accesses,
};

Suite *lapic_suite(void)
{
	return suite_of("lapic", tests, ARRAY_SIZE(tests));
}
