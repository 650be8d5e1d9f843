// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI power management registers: the timer of 3.579545 MHz, its interrupt, the power
 * button and sleep states, with accesses of all sizes.
 */
#include <svmrun/pm.h>

#include "suites.h"
#include "xorshift.h"

#define HERTZ 3579545ull
#define NS 1000000000ull
#define EPOCH 987654321987ull /* time of the owner's clock at the start */
#define CARRY (1ull << 31)

#define STATUS 0
#define ENABLE 2
#define CONTROL 4
#define TIMER 8

#define POWER 0x100

static struct svmrun_pm pm;
static bool line;
static int slept;
static unsigned int sleeps;
static uint64_t now;

static void note(void *owner, unsigned int number, bool level)
{
	if (owner != &line || number != 9)
		ck_abort_msg("the line of another device");
	line = level;
}

static void note_sleep(void *owner, unsigned int slp_typ)
{
	if (owner != &slept || slp_typ > 7)
		ck_abort_msg("sleep of type %u", slp_typ);
	slept = slp_typ;
	sleeps++;
}

static void start(void)
{
	const struct svmrun_line sci = { note, &line, 9 };

	now = EPOCH;
	line = true;
	slept = -1;
	sleeps = 0;
	svmrun_pm_init(&pm, sci, note_sleep, &slept, now);
}

static uint32_t get(unsigned int offset, unsigned int size)
{
	return svmrun_pm_read(&pm, offset, size, now);
}

static void set(unsigned int offset, unsigned int size, uint32_t value)
{
	svmrun_pm_write(&pm, offset, size, value, now);
}

/* Time of the owner's clock at which a tick begins */
static uint64_t at(uint64_t tick)
{
	return EPOCH + tick / HERTZ * NS +
	       (tick % HERTZ * NS + HERTZ - 1) / HERTZ;
}

START_TEST(registers_after_reset)
{
	start();
	ck_assert(!line);
	ck_assert_uint_eq(get(STATUS, 4), 0);
	ck_assert_uint_eq(get(CONTROL, 4), 1);
	ck_assert_uint_eq(get(TIMER, 4), 0);
	ck_assert(svmrun_pm_deadline(&pm) == SVMRUN_NEVER);
}

START_TEST(registers_keep_implemented_bits)
{
	start();
	set(ENABLE, 2, 0xffff);
	ck_assert_uint_eq(get(ENABLE, 2), 0x0721);
	set(CONTROL, 2, 0xdfff);
	ck_assert_uint_eq(get(CONTROL, 2), 0x1c03);
	set(CONTROL, 2, 0);
	ck_assert_uint_eq(get(CONTROL, 2), 1); /* no legacy mode */
	set(CONTROL + 2, 2, 0xffff);
	ck_assert_uint_eq(get(CONTROL + 2, 2), 0);
	set(TIMER, 4, 0xffffffff);
	ck_assert_uint_eq(get(TIMER, 4), 0);
	ck_assert_uint_eq(sleeps, 0);
}

START_TEST(timer)
{
	static const uint64_t ticks[] = {
		1, 2, 0xffff, 0x10000, 0xffffffff, 0x100000000, 0x123456789a,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ticks); i++) {
		start();
		now = at(ticks[i]) - 1;
		ck_assert_uint_eq(get(TIMER, 4), (uint32_t)(ticks[i] - 1));
		now = at(ticks[i]);
		ck_assert_uint_eq(get(TIMER, 4), (uint32_t)ticks[i]);
	}
}

START_TEST(sizes_and_offsets)
{
	start();
	now = at(0x12345678);
	ck_assert_uint_eq(get(TIMER, 4), 0x12345678);
	ck_assert_uint_eq(get(TIMER, 2), 0x5678);
	ck_assert_uint_eq(get(TIMER + 2, 2), 0x1234);
	ck_assert_uint_eq(get(TIMER + 1, 2), 0x3456);
	ck_assert_uint_eq(get(TIMER, 1), 0x78);
	ck_assert_uint_eq(get(TIMER + 3, 1), 0x12);
	ck_assert_uint_eq(get(TIMER + 3, 4), 0x12); /* beyond the end: 0 */
	ck_assert_uint_eq(get(TIMER - 2, 4), 0x56780000);
	set(ENABLE, 1, 0x21);
	set(ENABLE + 1, 1, 0x05);
	ck_assert_uint_eq(get(ENABLE, 2), 0x0521);
	set(ENABLE, 1, 0x20);
	ck_assert_uint_eq(get(STATUS, 4), 0x05200000);
	set(STATUS, 4, 0x01000000);
	ck_assert_uint_eq(get(ENABLE, 2), 0x0100);
	set(SVMRUN_PM_PORTS - 1, 4, 0xffffffff);
	ck_assert_uint_eq(get(ENABLE, 2), 0x0100);
}

START_TEST(power_button)
{
	start();
	svmrun_pm_press_power(&pm);
	ck_assert(!line);
	ck_assert_uint_eq(get(STATUS, 2), POWER);
	set(ENABLE, 2, POWER);
	ck_assert(line);
	set(STATUS, 2, 0xffff & ~POWER); /* only ones clear bits */
	ck_assert(line);
	set(STATUS, 2, POWER);
	ck_assert(!line);
	ck_assert_uint_eq(get(STATUS, 2), 0);
	svmrun_pm_press_power(&pm);
	ck_assert(line);
	set(ENABLE, 2, 0);
	ck_assert(!line);
	set(ENABLE, 2, POWER);
	set(STATUS + 1, 1, POWER >> 8);
	ck_assert(!line);
}

START_TEST(the_timers_highest_bit_interrupts)
{
	start();
	set(ENABLE, 2, 1);
	for (unsigned int i = 1; i <= 10; i++) {
		ck_assert_uint_eq(svmrun_pm_deadline(&pm), at(i * CARRY));
		now = at(i * CARRY) - 1;
		svmrun_pm_advance(&pm, now);
		ck_assert(!line);
		now++;
		svmrun_pm_advance(&pm, now);
		ck_assert(line);
		ck_assert_uint_eq(get(TIMER, 4), (uint32_t)(i * CARRY));
		set(STATUS, 2, 1);
		ck_assert(!line);
	}
	now = at(1000 * CARRY + 5);
	svmrun_pm_advance(&pm, now);
	ck_assert_uint_eq(svmrun_pm_deadline(&pm), at(1001 * CARRY));
}

START_TEST(the_timer_needs_no_interrupt)
{
	start();
	now = at(CARRY);
	ck_assert(svmrun_pm_deadline(&pm) == SVMRUN_NEVER);
	ck_assert_uint_eq(get(STATUS, 2), 1);
	set(ENABLE, 2, 1);
	ck_assert(line);
	set(STATUS, 2, 1);
	ck_assert_uint_eq(get(STATUS, 2), 0);
	now = at(2 * CARRY);
	set(STATUS, 2, 1); /* can be cleared at once */
	ck_assert_uint_eq(get(STATUS, 2), 0);
	ck_assert(!line);
}

START_TEST(sleep_type_is_reported)
{
	for (unsigned int type = 0; type < 8; type++) {
		start();
		set(CONTROL, 2, type << 10);
		ck_assert_uint_eq(sleeps, 0);
		set(CONTROL, 2, type << 10 | 0x2000);
		ck_assert_uint_eq(sleeps, 1);
		ck_assert_int_eq(slept, type);
		ck_assert_uint_eq(get(CONTROL, 2), type << 10 | 1);
		set(CONTROL, 1, 1);
		ck_assert_uint_eq(sleeps, 1);
		set(CONTROL + 1, 1, type << 2 | 0x20);
		ck_assert_uint_eq(sleeps, 2);
		ck_assert_int_eq(slept, type);
	}
}

static void do_anything(uint64_t random)
{
	static const unsigned int sizes[] = { 1, 2, 2, 4 };
	unsigned int offset = random >> 8 & 0xf, size = sizes[random & 3];
	uint32_t value = random >> 32;

	if (!(random & 0xfc))
		svmrun_pm_press_power(&pm);
	else if (random & 0x0c)
		get(offset, size);
	else
		set(offset, size, value);
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);
	unsigned int levels = 0;

	start();
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t random = xorshift(&state);

		now += random >> 16 & (random >> 61 ? 0xfff : 0xffffffffff);
		do_anything(random);
		svmrun_pm_advance(&pm, now);
		if (svmrun_pm_deadline(&pm) <= now)
			ck_abort_msg("a deadline is in the past");
		if (line != !!(get(STATUS, 2) & get(ENABLE, 2)))
			ck_abort_msg("the line differs from the status");
		levels += line;
	}
	ck_assert_uint_gt(levels, 100000);
	ck_assert_uint_lt(levels, 9900000);
	ck_assert_uint_gt(sleeps, 10000);
}

static const TTest **const tests[] = {
	&registers_after_reset,
	&registers_keep_implemented_bits,
	&timer,
	&sizes_and_offsets,
	&power_button,
	&the_timers_highest_bit_interrupts,
	&the_timer_needs_no_interrupt,
	&sleep_type_is_reported,
	&ten_million_accesses,
};

Suite *pm_suite(void)
{
	return suite_of("pm", tests, ARRAY_SIZE(tests));
}
