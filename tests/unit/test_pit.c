// SPDX-License-Identifier: GPL-2.0
/*
 * The 8254 timer and port 61h: all modes, counting, latches, gates, and interrupts that
 * neither drift nor get lost.
 */
#include <svmrun/pit.h>

#include "suites.h"
#include "xorshift.h"

#define HERTZ 1193182ull
#define NS 1000000000ull
#define CONTROL 0x43
#define PORT_B 0x61

/* Bits of control words, without the counter */
#define LOW 0x10
#define HIGH 0x20
#define BOTH 0x30
#define MODE(mode) ((mode) << 1)
#define BCD 0x01

static struct svmrun_pit pit;
static bool line;
static unsigned int edges;
static uint64_t now;

static void note(void *owner, unsigned int number, bool level)
{
	if (owner != &line || number != 5)
		ck_abort_msg("the line of another device");
	edges += level && !line;
	line = level;
}

/* Time at which a tick begins, in ns */
static uint64_t at(uint64_t tick)
{
	return tick / HERTZ * NS + (tick % HERTZ * NS + HERTZ - 1) / HERTZ;
}

static void start_at(uint64_t tick)
{
	const struct svmrun_line irq = { note, &line, 5 };

	now = at(tick);
	svmrun_pit_init(&pit, irq, now);
	edges = 0;
}

static void start(void)
{
	start_at(0);
}

static void set(uint16_t port, uint8_t value)
{
	svmrun_pit_write(&pit, port, value, now);
}

static uint8_t get(uint16_t port)
{
	return svmrun_pit_read(&pit, port, now);
}

static void mode(unsigned int counter, uint8_t word)
{
	set(CONTROL, counter << 6 | word);
}

static void count(unsigned int counter, uint16_t value)
{
	set(0x40 + counter, value);
	set(0x40 + counter, value >> 8);
}

static uint16_t read_both(unsigned int counter)
{
	uint8_t low = get(0x40 + counter);

	return low | get(0x40 + counter) << 8;
}

/* Latch and read the count at @tick. */
static uint16_t latched_at(unsigned int counter, uint64_t tick)
{
	now = at(tick);
	set(CONTROL, counter << 6);
	return read_both(counter);
}

static uint8_t status(unsigned int counter)
{
	set(CONTROL, 0xe0 | 2 << counter);
	return get(0x40 + counter);
}

/* Get OUT of counter 2 at @tick. */
static bool out_at(uint64_t tick)
{
	now = at(tick);
	return get(PORT_B) & 0x20;
}

/* Advance to @tick as an owner that wakes up at each deadline. */
static void run_to(uint64_t tick)
{
	uint64_t deadline;

	while ((deadline = svmrun_pit_deadline(&pit)) <= at(tick)) {
		now = deadline;
		svmrun_pit_advance(&pit, now);
		ck_assert_uint_gt(svmrun_pit_deadline(&pit), now);
	}
	now = at(tick);
}

START_TEST(counts_before_it_is_programmed)
{
	start_at(12345);
	ck_assert(svmrun_pit_deadline(&pit) == SVMRUN_NEVER);
	svmrun_pit_advance(&pit, at(1000000));
	ck_assert_uint_eq(edges, 0);
	ck_assert_uint_eq(get(CONTROL), 0xff);
	ck_assert_uint_eq(status(0) & 0x40, 0x40);
}

START_TEST(interrupts_on_terminal_count)
{
	start();
	mode(0, BOTH | MODE(0));
	ck_assert(!line);
	count(0, 100); /* loaded by the next tick */
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(101));
	svmrun_pit_advance(&pit, at(101) - 1);
	ck_assert(!line);
	svmrun_pit_advance(&pit, at(101));
	ck_assert(line);
	ck_assert(svmrun_pit_deadline(&pit) == SVMRUN_NEVER);
	run_to(200000);
	ck_assert_uint_eq(edges, 1);
}

START_TEST(a_new_count_begins_anew)
{
	start();
	mode(0, BOTH | MODE(0));
	count(0, 100);
	run_to(50);
	set(0x40, 0x10); /* the first byte stops counting */
	ck_assert(svmrun_pit_deadline(&pit) == SVMRUN_NEVER);
	run_to(1000);
	set(0x40, 0x01);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(1000 + 0x110 + 1));
	run_to(2000);
	ck_assert(line);
	count(0, 10);
	ck_assert(!line);
	run_to(2011);
	ck_assert(line);
	ck_assert_uint_eq(edges, 2);
}

START_TEST(first_byte_of_two_stops)
{
	start();
	set(PORT_B, 1);
	mode(2, 0x30);
	count(2, 10);
	now = at(4);
	set(0x42, 5);
	ck_assert_uint_eq(latched_at(2, 20), 7); /* 1 tick loaded the count */
	ck_assert(!out_at(20));
	set(0x42, 0);
	ck_assert(!out_at(25));
	ck_assert(out_at(26));
}

START_TEST(strobes_once)
{
	start();
	mode(0, BOTH | MODE(4));
	ck_assert(line);
	count(0, 100);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(102));
	ck_assert_uint_eq(status(0) & 0x80, 0x80);
	now = at(101);
	ck_assert_uint_eq(status(0) & 0x80, 0);
	run_to(102);
	ck_assert_uint_eq(status(0) & 0x80, 0x80);
	ck_assert_uint_eq(edges, 1);
	ck_assert(svmrun_pit_deadline(&pit) == SVMRUN_NEVER);
	count(0, 50);
	run_to(1000);
	ck_assert_uint_eq(edges, 2);
}

/* Run at 100 Hz for an hour: one deadline per interrupt, exact to the nanosecond. */
static void run_an_hour(unsigned int which)
{
	start();
	mode(0, BOTH | MODE(which));
	count(0, 11932);
	for (uint64_t i = 1; i <= 360000; i++) {
		now = svmrun_pit_deadline(&pit);
		if (now != at(1 + i * 11932))
			ck_abort_msg("interrupt %lu at %lu", i, now);
		svmrun_pit_advance(&pit, now);
	}
	ck_assert_uint_eq(edges, 360000);
}

START_TEST(periods_do_not_drift)
{
	run_an_hour(2);
	run_an_hour(3);
}

static void start_periods(unsigned int which)
{
	start();
	mode(0, BOTH | MODE(which));
	count(0, 1000);
}

/* Take interrupts until there are no more. Return their number. */
static unsigned int take_all(void)
{
	unsigned int taken = 0, before;

	do {
		before = edges;
		svmrun_pit_taken(&pit);
		taken++;
	} while (edges > before);
	return taken;
}

START_TEST(late_periods_are_caught_up)
{
	for (unsigned int which = 2; which <= 3; which++) {
		start_periods(which);
		svmrun_pit_advance(&pit, at(1 + 5999));
		ck_assert_uint_eq(edges, 1);
		ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(1 + 6000));
		ck_assert_uint_eq(take_all(), 5);
		ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(1 + 6000));
		run_to(1 + 6000);
		ck_assert_uint_eq(take_all(), 1);
	}
}

START_TEST(interrupts_that_are_not_taken_are_caught_up)
{
	start_periods(2);
	run_to(1 + 3000);
	ck_assert_uint_eq(take_all(), 3);
	run_to(1 + 4000);
	svmrun_pit_taken(&pit);
	run_to(1 + 5000);
	ck_assert_uint_eq(take_all(), 1);
}

/* Advance to the end of a period, and take all interrupts. Return their number. */
static unsigned int take_next_period(void)
{
	now = svmrun_pit_deadline(&pit);
	svmrun_pit_advance(&pit, now);
	return take_all();
}

START_TEST(only_so_many_periods_are_caught_up_at_once)
{
	start_periods(2);
	svmrun_pit_advance(&pit, at(1 + 5000999));
	ck_assert_uint_eq(take_all(), 1 + 8);
	for (unsigned int i = 8; i < 1000; i++)
		ck_assert_uint_eq(take_next_period(), 2);
	ck_assert_uint_eq(take_next_period(), 1);
}

START_TEST(a_new_count_or_mask_forgets_what_was_missed)
{
	start_periods(2);
	run_to(1 + 3000);
	svmrun_pit_forget(&pit);
	ck_assert_uint_eq(take_all(), 1);
	run_to(1 + 6000);
	mode(0, BOTH | MODE(2));
	count(0, 1000);
	run_to(1 + 7002);
	ck_assert_uint_eq(take_all(), 1);
}

/* Modes without a period have one interrupt. */
START_TEST(a_late_single_interrupt_is_one)
{
	start();
	mode(0, BOTH | MODE(0));
	count(0, 100);
	svmrun_pit_advance(&pit, at(100000));
	ck_assert_uint_eq(take_all(), 1);
}

START_TEST(output_is_late_by_at_most_half_a_period)
{
	start();
	mode(0, BOTH | MODE(3));
	count(0, 1000);
	for (unsigned int i = 1; i <= 100; i++) {
		svmrun_pit_advance(&pit, at(i * 1000 + 700));
		ck_assert(line);
		ck_assert_uint_eq(edges, i);
	}
}

/* An access that comes before the owner wakes up raises the interrupt. */
START_TEST(an_access_after_the_deadline_interrupts)
{
	start();
	mode(0, BOTH | MODE(2));
	count(0, 1000);
	now = at(1001);
	get(0x42);
	ck_assert_uint_eq(edges, 1);
	now = at(2001);
	set(PORT_B, 0);
	ck_assert_uint_eq(edges, 2);
	now = at(3001);
	count(0, 500);
	ck_assert_uint_eq(edges, 3);
	ck_assert(line);
}

START_TEST(short_periods_let_the_guest_run)
{
	for (unsigned int value = 1; value < 40; value++) {
		unsigned int length = value == 1 ? 2 : value;

		start();
		mode(0, BOTH | MODE(2));
		count(0, value);
		run_to(100);
		for (unsigned int i = 0; i < 10; i++) {
			uint64_t last = now = svmrun_pit_deadline(&pit);

			svmrun_pit_advance(&pit, now);
			now = svmrun_pit_deadline(&pit);
			ck_assert_uint_ge(now - last, 9000);
			ck_assert_uint_le(now - last, 34000);
			ck_assert_uint_eq((now * HERTZ / NS - 1) % length, 0);
		}
	}
}

START_TEST(zero_is_the_most)
{
	start();
	mode(0, BOTH | MODE(2));
	count(0, 0);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(65537));
	ck_assert_uint_eq(latched_at(0, 1), 0);
	ck_assert_uint_eq(latched_at(0, 2), 65535);
	mode(0, BOTH | MODE(0) | BCD);
	count(0, 0);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(2 + 10001));
	ck_assert_uint_eq(latched_at(0, 3 + 1), 0x9999);
}

START_TEST(a_rate_takes_a_new_count_after_its_period)
{
	start();
	mode(0, BOTH | MODE(2));
	count(0, 1000);
	run_to(500);
	count(0, 100);
	ck_assert_uint_eq(status(0) & 0x40, 0x40);
	ck_assert_uint_eq(latched_at(0, 501), 500);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(1001));
	run_to(1001);
	ck_assert_uint_eq(status(0) & 0x40, 0);
	ck_assert_uint_eq(latched_at(0, 1001), 100);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(1101));
}

START_TEST(a_wave_takes_a_new_count_after_its_half)
{
	start();
	mode(0, BOTH | MODE(3));
	count(0, 1000);
	run_to(200); /* high until 501, then low for half of the new count */
	count(0, 100);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(551));
	now = at(500);
	ck_assert_uint_eq(status(0) & 0xc0, 0xc0);
	now = at(501);
	ck_assert_uint_eq(status(0) & 0xc0, 0);
	run_to(551);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(651));
	now = at(610); /* low until 651, then high for half of the new count */
	count(0, 4000);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(651));
	run_to(651);
	ck_assert_uint_eq(svmrun_pit_deadline(&pit), at(4651));
	ck_assert_uint_eq(latched_at(0, 651), 4000);
}

START_TEST(what_is_counted)
{
	static const struct {
		uint8_t mode;
		uint16_t count;
		uint64_t ticks; /* since it was loaded */
		uint16_t value;
	} all[] = {
		{ 0, 5, 0, 5 },
		{ 0, 5, 5, 0 },
		{ 0, 5, 6, 65535 },
		{ 2, 5, 0, 5 },
		{ 2, 5, 4, 1 },
		{ 2, 5, 5, 5 },
		{ 3, 6, 0, 6 },
		{ 3, 6, 1, 4 },
		{ 3, 6, 2, 2 },
		{ 3, 6, 3, 6 },
		{ 3, 6, 5, 2 },
		{ 3, 6, 6, 6 },
		{ 3, 5, 0, 4 },
		{ 3, 5, 1, 2 },
		{ 3, 5, 2, 0 },
		{ 3, 5, 3, 4 },
		{ 3, 5, 4, 2 },
		{ 3, 5, 5, 4 },
		{ 4, 5, 5, 0 },
		{ 4, 5, 6, 65535 },
		{ 6, 5, 4, 1 },
		{ 7, 6, 2, 2 },
		{ 2, 1000, 700000007, 993 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		start();
		mode(1, BOTH | MODE(all[i].mode));
		count(1, all[i].count);
		ck_assert_uint_eq(latched_at(1, 1 + all[i].ticks),
				  all[i].value);
	}
}

START_TEST(decimal)
{
	start();
	mode(1, BOTH | MODE(0) | BCD);
	count(1, 0x1000);
	ck_assert_uint_eq(latched_at(1, 1 + 1), 0x0999);
	ck_assert_uint_eq(latched_at(1, 1 + 766), 0x0234);
	ck_assert_uint_eq(latched_at(1, 1 + 1001), 0x9999);
	ck_assert_uint_eq(status(1) & 0x01, 0x01);
}

START_TEST(bytes_of_a_count)
{
	start();
	mode(1, LOW | MODE(2));
	set(0x41, 0x34);
	now = at(1);
	ck_assert_uint_eq(get(0x41), 0x34);
	ck_assert_uint_eq(get(0x41), 0x34);
	mode(1, HIGH | MODE(2));
	set(0x41, 0x12);
	now = at(2);
	ck_assert_uint_eq(get(0x41), 0x12);
	ck_assert_uint_eq(get(0x41), 0x12);
	mode(1, BOTH | MODE(2));
	count(1, 0x1234);
	now = at(3);
	ck_assert_uint_eq(get(0x41), 0x34);
	ck_assert_uint_eq(get(0x41), 0x12);
	ck_assert_uint_eq(get(0x41), 0x34);
}

START_TEST(reads_and_writes_may_be_interleaved)
{
	start();
	mode(1, BOTH | MODE(2));
	count(1, 0x1234);
	now = at(1);
	ck_assert_uint_eq(get(0x41), 0x34);
	set(0x41, 0x78);
	ck_assert_uint_eq(get(0x41), 0x12);
	set(0x41, 0x56);
	ck_assert_uint_eq(latched_at(1, 1 + 0x1234), 0x5678);
}

START_TEST(a_latched_count_is_kept)
{
	start();
	mode(1, BOTH | MODE(2));
	count(1, 1000);
	now = at(11);
	set(CONTROL, 1 << 6);
	now = at(300);
	set(CONTROL, 1 << 6); /* ignored until the latched count is read */
	ck_assert_uint_eq(read_both(1), 990);
	ck_assert_uint_eq(read_both(1), 701);
	mode(1, HIGH | MODE(2));
	set(0x41, 2);
	now = at(311);
	set(CONTROL, 1 << 6);
	now = at(700);
	ck_assert_uint_eq(get(0x41), 1);
	set(CONTROL, 1 << 6);
	mode(1, LOW | MODE(2)); /* forgets the latched count */
	set(0x41, 77);
	now = at(701);
	ck_assert_uint_eq(get(0x41), 77);
}

START_TEST(read_back)
{
	start();
	for (unsigned int i = 0; i < 3; i++) {
		mode(i, BOTH | MODE(2));
		count(i, 1000 + i);
	}
	set(PORT_B, 1);
	now = at(101);
	set(CONTROL, 0xc0 | 0x0a); /* count and status of 0 and 2 */
	now = at(201);
	ck_assert_uint_eq(get(0x40), 0x80 | BOTH | MODE(2));
	ck_assert_uint_eq(read_both(0), 900);
	ck_assert_uint_eq(read_both(0), 800);
	ck_assert_uint_eq(get(0x42), 0x80 | BOTH | MODE(2));
	ck_assert_uint_eq(read_both(2), 902);
	ck_assert_uint_eq(read_both(1), 801);
	set(CONTROL, 0xd0 | 0x04); /* count */
	now = at(301);
	ck_assert_uint_eq(read_both(1), 801);
	ck_assert_uint_eq(read_both(1), 701);
}

START_TEST(status_has_the_output_and_whether_it_counts)
{
	start();
	mode(1, LOW | MODE(1) | BCD);
	ck_assert_uint_eq(status(1), 0xc0 | LOW | MODE(1) | BCD);
	mode(1, HIGH | MODE(0));
	ck_assert_uint_eq(status(1), 0x40 | HIGH | MODE(0));
	set(0x41, 1);
	ck_assert_uint_eq(status(1), HIGH | MODE(0));
	now = at(257);
	ck_assert_uint_eq(status(1), 0x80 | HIGH | MODE(0));
}

START_TEST(a_gate_that_is_low_stops)
{
	start();
	mode(2, BOTH | MODE(0));
	count(2, 100);
	ck_assert_uint_eq(latched_at(2, 50), 100);
	set(PORT_B, 1);
	ck_assert_uint_eq(latched_at(2, 80), 70);
	set(PORT_B, 0);
	ck_assert_uint_eq(latched_at(2, 1000), 70);
	set(PORT_B, 1);
	ck_assert(!out_at(1069));
	ck_assert(out_at(1070));
	set(PORT_B, 0);
	ck_assert(out_at(2000)); /* the gate does not reset OUT */
}

START_TEST(a_gate_starts_periods_anew)
{
	start();
	set(PORT_B, 1);
	mode(2, BOTH | MODE(3));
	count(2, 100);
	ck_assert(out_at(1 + 49));
	ck_assert(!out_at(1 + 50));
	set(PORT_B, 0);
	ck_assert(out_at(1 + 51)); /* OUT is high at once */
	ck_assert(out_at(1 + 1000));
	set(PORT_B, 1);
	ck_assert_uint_eq(latched_at(2, 1002), 100);
	ck_assert(out_at(1002 + 49));
	ck_assert(!out_at(1002 + 50));
}

START_TEST(one_shot)
{
	start();
	mode(2, BOTH | MODE(1));
	set(PORT_B, 1); /* no trigger before there is a count */
	ck_assert(out_at(1));
	count(2, 100);
	ck_assert(out_at(200));
	set(PORT_B, 0);
	ck_assert(out_at(300));
	set(PORT_B, 1);
	set(PORT_B, 0); /* does not stop it */
	ck_assert(!out_at(301));
	count(2, 10); /* used from the next trigger on */
	ck_assert(!out_at(400));
	ck_assert(out_at(401));
	set(PORT_B, 1);
	ck_assert(!out_at(402));
	ck_assert(out_at(412));
	set(PORT_B, 0);
	set(PORT_B, 1);
	now = at(420);
	set(PORT_B, 0);
	set(PORT_B, 1); /* triggered again before the end */
	ck_assert(!out_at(430));
	ck_assert(out_at(431));
}

START_TEST(hardware_strobe)
{
	start();
	mode(2, BOTH | MODE(5));
	count(2, 100);
	ck_assert(out_at(1000));
	set(PORT_B, 1);
	ck_assert(out_at(1001 + 99));
	ck_assert(!out_at(1001 + 100));
	ck_assert(out_at(1001 + 101));
	ck_assert_uint_eq(latched_at(2, 1001 + 102), 65534);
}

START_TEST(port_b)
{
	unsigned int changes = 0;
	uint8_t was;

	start();
	for (unsigned int value = 0; value < 256; value++) {
		set(PORT_B, value);
		ck_assert_uint_eq(get(PORT_B) & 0xcf, value & 0x0f);
	}
	was = get(PORT_B);
	for (now = 0; now < 1000000; now += 1000) { /* the refresh bit */
		changes += (was ^ get(PORT_B)) >> 4 & 1;
		was = get(PORT_B);
	}
	ck_assert_uint_ge(changes, 65);
	ck_assert_uint_le(changes, 67);
}

/* ---- loops by which guests measure time ----------------------------------- */

#define ACCESS_NS 700 /* a port's access in a loop of the guest */

static uint8_t poll_port(uint16_t port)
{
	now += ACCESS_NS;
	return get(port);
}

/* Open the gate of counter 2 with the speaker off, and start it in mode 0. */
static void start_counter_2(uint16_t value)
{
	set(PORT_B, (get(PORT_B) & ~0x02) | 0x01);
	mode(2, BOTH | MODE(0));
	count(2, value);
}

/* Linux's pit_calibrate_tsc(), SeaBIOS, GRUB: wait for OUT of counter 2 in port 61h. */
START_TEST(loop_until_out_rises)
{
	uint64_t begin;

	start();
	start_counter_2(11932); /* 10 ms */
	begin = now;
	while (!(poll_port(PORT_B) & 0x20))
		;
	ck_assert_uint_ge(now - begin, 10 * NS / 1000);
	ck_assert_uint_le(now - begin, 10 * NS / 1000 + 3 * ACCESS_NS);
	ck_assert(poll_port(PORT_B) & 0x20);
}

/* GRUB closes the gate first and opens it when the count is loaded. */
START_TEST(loop_with_the_gate_opened_last)
{
	uint64_t begin;

	start();
	set(PORT_B, 0);
	mode(2, BOTH | MODE(0));
	count(2, 11932);
	now += NS;
	ck_assert_uint_eq(get(PORT_B) & 0x20, 0);
	begin = now;
	set(PORT_B, 1);
	while (!(poll_port(PORT_B) & 0x20))
		;
	ck_assert_uint_ge(now - begin, 10 * NS / 1000 - 1000);
	ck_assert_uint_le(now - begin, 10 * NS / 1000 + 3 * ACCESS_NS);
}

/* Linux's quick_pit_calibrate(): wait for each change of the high byte, without a latch. */
START_TEST(loop_until_the_high_byte_changes)
{
	uint8_t high = 0xff;
	uint64_t begin = 0;

	start();
	start_counter_2(0xffff);
	poll_port(0x42);
	poll_port(0x42);
	for (unsigned int i = 0; i < 50; i++, high--) {
		unsigned int reads = 0;

		do {
			poll_port(0x42);
			reads++;
		} while (poll_port(0x42) == high);
		ck_assert_uint_ge(reads, 100);
		if (!i)
			begin = now;
	}
	ck_assert_uint_ge((now - begin) * HERTZ / NS, 49 * 256 - 5);
	ck_assert_uint_le((now - begin) * HERTZ / NS, 49 * 256 + 5);
}

/* DELAY() of the BSDs: add up the differences of latched counts of counter 0. */
START_TEST(loop_that_adds_differences)
{
	unsigned int before, total = 0;
	uint64_t begin;

	start();
	mode(0, BOTH | MODE(2));
	count(0, 11932);
	before = latched_at(0, 100);
	begin = now;
	while (total < 119318) { /* 100 ms */
		unsigned int value;

		set(CONTROL, 0);
		value = poll_port(0x40);
		value |= poll_port(0x40) << 8;
		total += (before + 11932 - value) % 11932;
		before = value;
	}
	ck_assert_uint_ge(now - begin, NS / 10 - 2000);
	ck_assert_uint_le(now - begin, NS / 10 + 4000);
}

/* Delays that count the changes of the refresh bit of port 61h */
START_TEST(loop_that_counts_refreshes)
{
	uint64_t begin;
	uint8_t last;

	start();
	begin = now;
	last = get(PORT_B) & 0x10;
	for (unsigned int i = 0; i < 66; i++) { /* 1 ms */
		while ((poll_port(PORT_B) & 0x10) == last)
			;
		last ^= 0x10;
	}
	ck_assert_uint_ge(now - begin, NS / 1000 * 95 / 100);
	ck_assert_uint_le(now - begin, NS / 1000 * 105 / 100);
}

static void do_anything(uint64_t random)
{
	static const uint16_t ports[] = { 0x40, 0x40, 0x41, 0x42,
					  0x43, 0x43, 0x61, 0x40 };
	uint16_t port = ports[random & 7];
	uint8_t value = random >> 16;

	if (random & 0x18)
		get(port);
	else
		set(port, random & 0xe0 ? value : 0);
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);

	start();
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t random = xorshift(&state);

		now += random >> 32 & (random >> 60 ? 0xfff : 0xfffffff);
		do_anything(random);
		if (random >> 59 & 1)
			svmrun_pit_advance(&pit, now);
		if (svmrun_pit_deadline(&pit) <= now)
			ck_abort_msg("a deadline is in the past");
	}
	ck_assert_uint_gt(edges, 100000);
}

static const TTest **const tests[] = {
	&counts_before_it_is_programmed,
	&interrupts_on_terminal_count,
	&a_new_count_begins_anew,
	&first_byte_of_two_stops,
	&strobes_once,
	&periods_do_not_drift,
	&late_periods_are_caught_up,
	&interrupts_that_are_not_taken_are_caught_up,
	&only_so_many_periods_are_caught_up_at_once,
	&a_new_count_or_mask_forgets_what_was_missed,
	&a_late_single_interrupt_is_one,
	&output_is_late_by_at_most_half_a_period,
	&an_access_after_the_deadline_interrupts,
	&short_periods_let_the_guest_run,
	&zero_is_the_most,
	&a_rate_takes_a_new_count_after_its_period,
	&a_wave_takes_a_new_count_after_its_half,
	&what_is_counted,
	&decimal,
	&bytes_of_a_count,
	&reads_and_writes_may_be_interleaved,
	&a_latched_count_is_kept,
	&read_back,
	&status_has_the_output_and_whether_it_counts,
	&a_gate_that_is_low_stops,
	&a_gate_starts_periods_anew,
	&one_shot,
	&hardware_strobe,
	&port_b,
	&loop_until_out_rises,
	&loop_with_the_gate_opened_last,
	&loop_until_the_high_byte_changes,
	&loop_that_adds_differences,
	&loop_that_counts_refreshes,
	&ten_million_accesses,
};

Suite *pit_suite(void)
{
	return suite_of("pit", tests, ARRAY_SIZE(tests));
}
