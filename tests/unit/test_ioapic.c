// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O APIC: edge- and level-triggered pins, masks, end of interrupt, and delivery to
 * local APICs.
 */
#include <svmrun/ioapic.h>

#include "suites.h"
#include "xorshift.h"

#define CPUS 2

#define TABLE 0x10
#define REMOTE_IRR 0x4000
#define STATUS 0x1000
#define LEVEL 0x8000
#define MASKED 0x10000

static struct svmrun_lapic cpus[CPUS];
static struct svmrun_apics apics;
static struct svmrun_ioapic ioapic;

static void end(void *owner, uint8_t vector)
{
	svmrun_ioapic_eoi(owner, vector);
}

static void start(void)
{
	const struct svmrun_apics_owner owner = { .eoi = end,
						  .owner = &ioapic };

	svmrun_apics_init(&apics, cpus, CPUS, &owner);
	svmrun_ioapic_init(&ioapic, &apics);
	for (unsigned int i = 0; i < CPUS; i++)
		svmrun_lapic_write(&cpus[i], 0xf0, 0x1ff, 0);
}

static void set(unsigned int reg, uint32_t value)
{
	svmrun_ioapic_write(&ioapic, 0, reg);
	svmrun_ioapic_write(&ioapic, 0x10, value);
}

static uint32_t get(unsigned int reg)
{
	svmrun_ioapic_write(&ioapic, 0, reg);
	return svmrun_ioapic_read(&ioapic, 0x10);
}

static void set_entry(unsigned int pin, uint8_t destination, uint32_t low)
{
	set(TABLE + 2 * pin + 1, (uint32_t)destination << 24);
	set(TABLE + 2 * pin, low);
}

static uint32_t entry(unsigned int pin)
{
	return get(TABLE + 2 * pin);
}

static void pin_is(unsigned int pin, bool level)
{
	svmrun_ioapic_set(&ioapic, pin, level);
}

static bool takes(unsigned int cpu, uint8_t vector)
{
	if (svmrun_lapic_pending(&cpus[cpu]) != vector)
		return false;
	svmrun_lapic_acknowledge(&cpus[cpu], vector);
	return true;
}

static bool is_idle(unsigned int cpu)
{
	return svmrun_lapic_pending(&cpus[cpu]) < 0;
}

static void finish(unsigned int cpu)
{
	svmrun_lapic_write(&cpus[cpu], 0xb0, 0, 0);
}

START_TEST(registers_after_reset)
{
	start();
	ck_assert_uint_eq(get(0), 0);
	ck_assert_uint_eq(get(1), 0x00170020);
	for (unsigned int pin = 0; pin < SVMRUN_IOAPIC_PINS; pin++) {
		ck_assert_uint_eq(entry(pin), MASKED);
		ck_assert_uint_eq(get(TABLE + 2 * pin + 1), 0);
	}
}

START_TEST(registers_keep_implemented_bits)
{
	start();
	for (unsigned int reg = 0; reg < 0x100; reg++)
		set(reg, 0xffffffff);
	ck_assert_uint_eq(get(0), 0x0f000000);
	ck_assert_uint_eq(get(1), 0x00170020);
	ck_assert_uint_eq(get(2), 0x0f000000);
	ck_assert_uint_eq(get(3), 0);
	ck_assert_uint_eq(entry(23), 0x1afff);
	ck_assert_uint_eq(get(TABLE + 47), 0xff000000);
	ck_assert_uint_eq(get(TABLE + 48), 0);
}

START_TEST(offsets_in_the_page)
{
	start();
	svmrun_ioapic_write(&ioapic, 0, 0x101);
	ck_assert_uint_eq(svmrun_ioapic_read(&ioapic, 0), 0x01);
	ck_assert_uint_eq(svmrun_ioapic_read(&ioapic, 0x12), 0x0017);
	ck_assert_uint_eq(svmrun_ioapic_read(&ioapic, 0x14), 0);
	ck_assert_uint_eq(svmrun_ioapic_read(&ioapic, 0x40), 0);
	svmrun_ioapic_write(&ioapic, 1, 0x05);
	ck_assert_uint_eq(svmrun_ioapic_read(&ioapic, 0), 0x01);
}

START_TEST(edge)
{
	start();
	set_entry(4, 1, 0x44);
	pin_is(4, true);
	ck_assert(takes(1, 0x44));
	pin_is(4, true);
	ck_assert(is_idle(1));
	finish(1);
	ck_assert(is_idle(1));
	pin_is(4, false);
	ck_assert(is_idle(1));
	pin_is(4, true);
	ck_assert(takes(1, 0x44));
	ck_assert(is_idle(0));
	ck_assert_uint_eq(entry(4), 0x44);
}

START_TEST(masked_edge_is_lost)
{
	start();
	set_entry(4, 0, MASKED | 0x44);
	pin_is(4, true);
	set_entry(4, 0, 0x44);
	ck_assert(is_idle(0));
}

START_TEST(nmi_that_a_pin_can_send)
{
	for (unsigned int mode = 0; mode < 8; mode++) {
		bool expected = mode == SVMRUN_APIC_NMI ||
				mode == SVMRUN_APIC_INIT;

		start();
		ck_assert(!svmrun_ioapic_sends_nmi(&ioapic));
		set_entry(23, 0, mode << 8 | 0x44);
		ck_assert(svmrun_ioapic_sends_nmi(&ioapic) == expected);
		set_entry(23, 0, MASKED | mode << 8 | 0x44);
		ck_assert(!svmrun_ioapic_sends_nmi(&ioapic));
	}
}

START_TEST(level_is_sent_until_it_falls)
{
	start();
	set_entry(9, 0, LEVEL | 0x59);
	pin_is(9, true);
	ck_assert(takes(0, 0x59));
	ck_assert_uint_eq(entry(9), LEVEL | REMOTE_IRR | 0x59);
	pin_is(9, false);
	pin_is(9, true);
	ck_assert(is_idle(0));
	finish(0);
	ck_assert(takes(0, 0x59));
	pin_is(9, false);
	finish(0);
	ck_assert(is_idle(0));
	ck_assert_uint_eq(entry(9), LEVEL | 0x59);
}

START_TEST(masked_level_stays_pending)
{
	start();
	set_entry(9, 0, MASKED | LEVEL | 0x59);
	pin_is(9, true);
	ck_assert(is_idle(0));
	ck_assert_uint_eq(entry(9), MASKED | LEVEL | 0x59);
	set_entry(9, 0, LEVEL | 0x59);
	ck_assert(takes(0, 0x59));
	set_entry(9, 0, MASKED | LEVEL | 0x59);
	ck_assert_uint_eq(entry(9), MASKED | LEVEL | REMOTE_IRR | 0x59);
	finish(0);
	ck_assert(is_idle(0));
}

START_TEST(polarity_is_of_no_account)
{
	start();
	set_entry(9, 0, LEVEL | 0x2000 | 0x59);
	ck_assert(is_idle(0));
	pin_is(9, true);
	ck_assert(takes(0, 0x59));
}

START_TEST(eoi_register)
{
	start();
	set_entry(9, 0, LEVEL | 0x59);
	set_entry(10, 0, LEVEL | 0x5a);
	pin_is(9, true);
	pin_is(10, true);
	pin_is(9, false);
	svmrun_ioapic_write(&ioapic, 0x40, 0x59);
	ck_assert_uint_eq(entry(9), LEVEL | 0x59);
	ck_assert_uint_eq(entry(10), LEVEL | REMOTE_IRR | 0x5a);
}

START_TEST(edge_mode_ends_it_too)
{
	start();
	set_entry(9, 0, LEVEL | 0x59);
	pin_is(9, true);
	ck_assert(takes(0, 0x59));
	set(TABLE + 18, MASKED | 0x59);
	ck_assert_uint_eq(entry(9), MASKED | 0x59);
	set(TABLE + 18, MASKED | LEVEL | 0x59);
	ck_assert_uint_eq(entry(9), MASKED | LEVEL | 0x59);
}

START_TEST(one_vector_on_two_pins)
{
	start();
	set_entry(9, 0, LEVEL | 0x59);
	set_entry(10, 0, LEVEL | 0x59);
	pin_is(9, true);
	pin_is(10, true);
	ck_assert(takes(0, 0x59));
	pin_is(9, false);
	finish(0);
	ck_assert(takes(0, 0x59));
	ck_assert_uint_eq(entry(9), LEVEL | 0x59);
}

START_TEST(not_accepted_is_not_lost)
{
	start();
	svmrun_lapic_write(&cpus[0], 0xf0, 0xff, 0);
	set_entry(9, 0, LEVEL | 0x59);
	pin_is(9, true);
	ck_assert_uint_eq(entry(9), LEVEL | STATUS | 0x59);
	svmrun_lapic_write(&cpus[0], 0xf0, 0x1ff, 0);
	pin_is(9, true);
	ck_assert(takes(0, 0x59));
	ck_assert_uint_eq(entry(9), LEVEL | REMOTE_IRR | 0x59);
}

START_TEST(logical_and_lowest_priority)
{
	start();
	for (unsigned int i = 0; i < CPUS; i++)
		svmrun_lapic_write(&cpus[i], 0xd0, 1u << (24 + i), 0);
	set_entry(1, 3, 0x800 | 0x41);
	pin_is(1, true);
	ck_assert(takes(0, 0x41) && takes(1, 0x41));
	finish(0);
	set_entry(2, 3, 0x900 | 0x42);
	pin_is(2, true);
	ck_assert(takes(0, 0x42));
	ck_assert(is_idle(1));
}

START_TEST(nmi_and_extint_are_edges)
{
	start();
	set_entry(0, 0, LEVEL | 0x400);
	pin_is(0, true);
	pin_is(0, true);
	ck_assert(svmrun_lapic_take_nmi(&cpus[0]));
	ck_assert(!svmrun_lapic_take_nmi(&cpus[0]));
	ck_assert_uint_eq(entry(0), LEVEL | 0x400);
	set_entry(1, 1, 0x700);
	pin_is(1, true);
	ck_assert(svmrun_lapic_extint(&cpus[1]));
}

START_TEST(no_such_pin)
{
	start();
	pin_is(SVMRUN_IOAPIC_PINS, true);
	pin_is(32, true);
	pin_is(UINT32_MAX, true);
	ck_assert_uint_eq(ioapic.lines, 0);
}

static void do_anything(uint64_t random)
{
	static const unsigned int offsets[] = { 0x00, 0x10, 0x10, 0x40 };
	unsigned int offset = offsets[random & 3] + (random & 0x70 ? 0 : 1);
	uint32_t value = random >> 32;

	if (random & 0x80)
		pin_is(value & 0x1f, value >> 8 & 1);
	else if (random & 0x100)
		svmrun_ioapic_read(&ioapic, value & 0xfff);
	else
		svmrun_ioapic_write(&ioapic, offset,
				    offset ? value : value & 0x3f);
	if (random & 0x200) {
		svmrun_lapic_acknowledge(&cpus[0], value);
		finish(0);
	}
}

/* Only level-triggered pins may wait for an end of interrupt. */
START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);

	start();
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t entry;

		do_anything(xorshift(&state));
		entry = ioapic.entries[i % SVMRUN_IOAPIC_PINS];
		if (entry & REMOTE_IRR && !(entry & LEVEL))
			ck_abort_msg("an edge that waits for an EOI");
		if (!(i % 65536))
			start();
	}
	ck_assert_uint_eq(get(1), 0x00170020);
}

static const TTest **const tests[] = {
	&registers_after_reset,	       &registers_keep_implemented_bits,
	&offsets_in_the_page,	       &edge,
	&masked_edge_is_lost,	       &nmi_that_a_pin_can_send,
	&level_is_sent_until_it_falls, &masked_level_stays_pending,
	&polarity_is_of_no_account,    &eoi_register,
	&edge_mode_ends_it_too,	       &one_vector_on_two_pins,
	&not_accepted_is_not_lost,     &logical_and_lowest_priority,
	&nmi_and_extint_are_edges,     &no_such_pin,
	&ten_million_accesses,
};

Suite *ioapic_suite(void)
{
	return suite_of("ioapic", tests, ARRAY_SIZE(tests));
}
