// SPDX-License-Identifier: GPL-2.0
/*
 * The MC146818 real-time clock and CMOS memory: the calendar, setting the time, alarms,
 * and periodic and update interrupts.
 */
#include <time.h>

#include <svmrun/rtc.h>

#include "suites.h"
#include "xorshift.h"

#define NS 1000000000ull
#define HOUR (3600 * NS)
#define EPOCH 12345678901ull /* time of the owner's clock at the start */

enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	A,
	B,
	C,
	D,
	CENTURY = 0x32,
};

#define SET 0x80
#define PERIODIC 0x40
#define ALARM 0x20
#define UPDATE 0x10
#define BINARY 0x04
#define H24 0x02
#define ANY 0x80

#define NOON 1709208000 /* Thursday, 2024-02-29, 12:00 */

static struct svmrun_rtc rtc;
static bool line;
static unsigned int edges;
static uint64_t now;

static void note(void *owner, unsigned int number, bool level)
{
	if (owner != &line || number != 8)
		ck_abort_msg("the line of another device");
	edges += level && !line;
	line = level;
}

static void start(int64_t seconds)
{
	const struct svmrun_line irq = { note, &line, 8 };

	now = EPOCH;
	line = true;
	svmrun_rtc_init(&rtc, irq, seconds, now);
	ck_assert(!line);
	edges = 0;
}

static void set(uint8_t index, uint8_t value)
{
	svmrun_rtc_write(&rtc, 0x70, index, now);
	svmrun_rtc_write(&rtc, 0x71, value, now);
}

static uint8_t get(uint8_t index)
{
	svmrun_rtc_write(&rtc, 0x70, index, now);
	return svmrun_rtc_read(&rtc, 0x71, now);
}

static void start_with(uint8_t b)
{
	start(NOON);
	set(B, H24 | b);
}

/* Deadline in nanoseconds since the start */
static uint64_t deadline(void)
{
	uint64_t time = svmrun_rtc_deadline(&rtc);

	return time == SVMRUN_NEVER ? time : time - EPOCH;
}

static void run_to(uint64_t time)
{
	now = EPOCH + time;
	svmrun_rtc_advance(&rtc, now);
}

static void expect_date(unsigned int year, uint8_t month, uint8_t day)
{
	ck_assert_uint_eq(get(CENTURY), year >> 8);
	ck_assert_uint_eq(get(YEAR), year & 0xff);
	ck_assert_uint_eq(get(MONTH), month);
	ck_assert_uint_eq(get(DAY), day);
}

static void expect_time(uint8_t hour, uint8_t minute, uint8_t second)
{
	ck_assert_uint_eq(get(HOURS), hour);
	ck_assert_uint_eq(get(MINUTES), minute);
	ck_assert_uint_eq(get(SECONDS), second);
}

START_TEST(registers_after_reset)
{
	start(NOON);
	ck_assert_uint_eq(get(A), 0x26);
	ck_assert_uint_eq(get(B), 0x02);
	ck_assert_uint_eq(get(C), 0x00);
	ck_assert_uint_eq(get(D), 0x80);
	ck_assert_uint_eq(svmrun_rtc_read(&rtc, 0x70, now), 0xff);
	ck_assert(deadline() == SVMRUN_NEVER);
}

START_TEST(registers_keep_implemented_bits)
{
	start(NOON);
	set(A, 0xaf);
	ck_assert_uint_eq(get(A), 0x2f);
	set(C, 0xff);
	ck_assert_uint_eq(get(C), 0x00);
	set(D, 0x00);
	ck_assert_uint_eq(get(D), 0x80);
}

START_TEST(memory)
{
	start(NOON);
	svmrun_rtc_set_cmos(&rtc, 0x0e, 0x11);
	svmrun_rtc_set_cmos(&rtc, 0x7f, 0x22);
	svmrun_rtc_set_cmos(&rtc, 0x80, 0x33);
	svmrun_rtc_set_cmos(&rtc, D, 0x44);
	ck_assert_uint_eq(get(0x0e), 0x11);
	ck_assert_uint_eq(get(0x7f), 0x22);
	ck_assert_uint_eq(get(0xff), 0x22); /* the highest bit masks NMIs */
	ck_assert_uint_eq(get(D), 0x80);
	for (unsigned int i = 0x0e; i < 0x80; i++)
		set(i, i == CENTURY ? 0x20 : i);
	for (unsigned int i = 0x0e; i < 0x80; i++)
		ck_assert_uint_eq(get(i), i == CENTURY ? 0x20 : i);
}

START_TEST(date_and_time)
{
	start(NOON);
	expect_date(0x2024, 0x02, 0x29);
	expect_time(0x12, 0x00, 0x00);
	ck_assert_uint_eq(get(WEEKDAY), 5);
	run_to(12 * HOUR - 1);
	expect_date(0x2024, 0x02, 0x29);
	expect_time(0x23, 0x59, 0x59);
	run_to(12 * HOUR);
	expect_date(0x2024, 0x03, 0x01);
	expect_time(0x00, 0x00, 0x00);
	ck_assert_uint_eq(get(WEEKDAY), 6);
}

/* Compare the calendar with that of the C library. */
START_TEST(random_dates)
{
	uint64_t state = xorshift_seed(2);

	for (unsigned int i = 0; i < 5000; i++) {
		time_t seconds = xorshift(&state) % 253402300800;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		start(seconds);
		set(B, BINARY | H24);
		expect_time(tm.tm_hour, tm.tm_min, tm.tm_sec);
		ck_assert_uint_eq(get(WEEKDAY), tm.tm_wday + 1);
		ck_assert_uint_eq(get(DAY), tm.tm_mday);
		ck_assert_uint_eq(get(MONTH), tm.tm_mon + 1);
		ck_assert_uint_eq(get(CENTURY) * 100 + get(YEAR),
				  tm.tm_year + 1900);
	}
}

START_TEST(dates_that_have_no_bytes)
{
	start(-1);
	expect_date(0x1970, 0x01, 0x01);
	start(INT64_MIN);
	expect_date(0x1970, 0x01, 0x01);
	start(INT64_MAX);
	expect_date(0x9999, 0x12, 0x31);
}

START_TEST(hours)
{
	for (unsigned int hour = 0; hour < 24; hour++) {
		unsigned int twelve = hour % 12 ? hour % 12 : 12;
		uint8_t pm = hour < 12 ? 0 : 0x80;

		start(hour * 3600);
		ck_assert_uint_eq(get(HOURS), hour / 10 << 4 | hour % 10);
		set(B, BINARY | H24);
		ck_assert_uint_eq(get(HOURS), hour);
		set(B, BINARY);
		ck_assert_uint_eq(get(HOURS), pm | twelve);
		set(B, 0);
		ck_assert_uint_eq(get(HOURS),
				  pm | twelve / 10 << 4 | twelve % 10);
		set(B, SET); /* from 12 to 24 hours */
		set(HOURS, pm | twelve / 10 << 4 | twelve % 10);
		set(B, 0);
		set(B, BINARY | H24);
		ck_assert_uint_eq(get(HOURS), hour);
	}
}

static void set_date(uint8_t century, uint8_t year, uint8_t month, uint8_t day)
{
	set(DAY, day); /* may not exist in the old month */
	set(MONTH, month);
	set(YEAR, year);
	set(CENTURY, century);
}

START_TEST(the_guest_sets_the_time)
{
	start(NOON);
	run_to(NS / 4);
	set(B, SET | H24);
	set_date(0x19, 0x99, 0x12, 0x31);
	set(HOURS, 0x23);
	set(MINUTES, 0x59);
	set(SECONDS, 0x58);
	run_to(10 * NS + NS / 4); /* the clock is stopped */
	expect_time(0x23, 0x59, 0x58);
	set(B, H24);
	expect_date(0x1999, 0x12, 0x31);
	expect_time(0x23, 0x59, 0x58);
	run_to(11 * NS);
	expect_time(0x23, 0x59, 0x59);
	run_to(12 * NS);
	expect_date(0x2000, 0x01, 0x01);
	expect_time(0x00, 0x00, 0x00);
}

START_TEST(the_guest_sets_a_part_of_the_time)
{
	start(NOON);
	set(MINUTES, 0x30);
	expect_time(0x12, 0x30, 0x00);
	set(YEAR, 0x25); /* has no February 29 */
	expect_date(0x2025, 0x03, 0x01);
	set(SECONDS_ALARM, 0x77);
	ck_assert_uint_eq(get(SECONDS_ALARM), 0x77);
	expect_time(0x12, 0x30, 0x00);
}

START_TEST(bytes_are_the_guests_while_it_sets_them)
{
	start(NOON);
	set(B, SET | H24);
	for (unsigned int value = 0; value < 256; value++) {
		for (unsigned int i = SECONDS; i <= YEAR; i++)
			set(i, value);
		set(CENTURY, value);
		for (unsigned int i = SECONDS; i <= YEAR; i++)
			ck_assert_uint_eq(get(i), value);
		ck_assert_uint_eq(get(CENTURY), value);
	}
}

START_TEST(nonsense_is_made_a_date)
{
	start(NOON);
	set(B, SET | H24);
	set_date(0xff, 0xff, 0xff, 0xff);
	set(HOURS, 0xff);
	set(MINUTES, 0xff);
	set(SECONDS, 0xff);
	set(B, H24);
	expect_date(0x9999, 0x12, 0x31);
	expect_time(0x23, 0x59, 0x59);
	set(B, SET | H24);
	set_date(0, 0, 0, 0);
	set(B, H24);
	expect_date(0x1970, 0x01, 0x01);
}

START_TEST(the_guests_week)
{
	start(NOON);
	set(WEEKDAY, 4); /* Monday is 1 */
	ck_assert_uint_eq(get(WEEKDAY), 4);
	run_to(3 * 24 * HOUR);
	ck_assert_uint_eq(get(WEEKDAY), 7);
	run_to(4 * 24 * HOUR);
	ck_assert_uint_eq(get(WEEKDAY), 1);
}

/* The first update comes half a second after the divider is restarted. */
START_TEST(the_divider_starts_in_the_middle_of_a_second)
{
	start(NOON);
	run_to(NS / 5);
	set(B, SET | UPDATE | PERIODIC | H24);
	set(A, 0x76);
	set(HOURS, 0x01);
	run_to(20 * NS + NS / 7);
	set(B, H24 | UPDATE);
	expect_time(0x01, 0x00, 0x00);
	ck_assert(deadline() == SVMRUN_NEVER);
	run_to(30 * NS);
	expect_time(0x01, 0x00, 0x00);
	set(A, 0x26);
	run_to(30 * NS + NS / 2 - 1);
	expect_time(0x01, 0x00, 0x00);
	ck_assert_uint_eq(deadline(), 30 * NS + NS / 2);
	run_to(30 * NS + NS / 2);
	ck_assert(line);
	expect_time(0x01, 0x00, 0x01);
	run_to(31 * NS + NS / 2);
	expect_time(0x01, 0x00, 0x02);
}

START_TEST(update_in_progress)
{
	start(NOON);
	run_to(NS - 2228001);
	ck_assert_uint_eq(get(A), 0x26);
	run_to(NS - 2228000);
	ck_assert_uint_eq(get(A), 0xa6);
	run_to(NS - 1);
	ck_assert_uint_eq(get(A), 0xa6);
	set(B, SET | H24);
	ck_assert_uint_eq(get(A), 0x26);
	set(B, H24);
	run_to(NS);
	ck_assert_uint_eq(get(A), 0x26);
}

START_TEST(update_ended)
{
	start_with(UPDATE);
	ck_assert_uint_eq(deadline(), NS);
	run_to(NS - 1);
	ck_assert(!line);
	run_to(NS);
	ck_assert(line);
	ck_assert(deadline() == SVMRUN_NEVER); /* until C is read */
	ck_assert_uint_eq(get(C) & ~PERIODIC, ANY | UPDATE);
	ck_assert(!line);
	ck_assert_uint_eq(get(C), 0);
	ck_assert_uint_eq(deadline(), 2 * NS);
	run_to(500 * NS + 7); /* missed interrupts are one */
	ck_assert_uint_eq(edges, 2);
	ck_assert_uint_eq(get(C) & ~PERIODIC, ANY | UPDATE);
	ck_assert_uint_eq(deadline(), 501 * NS);
}

START_TEST(setting_the_time_ends_update_interrupts)
{
	start_with(UPDATE | PERIODIC);
	set(B, SET | UPDATE | PERIODIC | H24);
	ck_assert_uint_eq(get(B), SET | PERIODIC | H24);
	set(A, 0x20);
	run_to(5 * NS);
	ck_assert_uint_eq(get(C), 0);
}

START_TEST(flags_wait_for_their_enable)
{
	start(NOON);
	set(A, 0x2f);
	run_to(NS);
	ck_assert_uint_eq(get(C), PERIODIC | UPDATE);
	run_to(2 * NS);
	ck_assert(!line);
	set(B, UPDATE | H24);
	ck_assert(line);
	set(B, H24);
	ck_assert(!line);
	ck_assert_uint_eq(get(C), PERIODIC | UPDATE);
}

START_TEST(periods)
{
	static const unsigned int hertz[] = {
		0,   256, 128, 8192, 4096, 2048, 1024, 512,
		256, 128, 64,  32,   16,   8,	 4,    2,
	};

	for (unsigned int rate = 1; rate < ARRAY_SIZE(hertz); rate++) {
		start_with(PERIODIC);
		set(A, 0x20 | rate);
		for (unsigned int i = 1; i <= 10 * hertz[rate]; i++) {
			uint64_t time = (i * NS + hertz[rate] - 1) /
					hertz[rate];

			if (deadline() != time)
				ck_abort_msg("%u: %lu", i, deadline());
			run_to(time);
			get(C);
		}
		ck_assert_uint_eq(edges, 10 * hertz[rate]);
	}
}

START_TEST(no_period)
{
	start_with(PERIODIC);
	set(A, 0x20);
	ck_assert(deadline() == SVMRUN_NEVER);
	run_to(NS / 2);
	ck_assert_uint_eq(get(C), 0);
}

/* Read register C until the line is low. Return the number of periodic interrupts. */
static unsigned int take_periods(void)
{
	unsigned int count = 0;

	for (; line; count++)
		ck_assert_uint_eq(get(C) & (ANY | PERIODIC), ANY | PERIODIC);
	ck_assert_uint_eq(get(C), 0);
	return count;
}

START_TEST(missed_periods_are_caught_up)
{
	start_with(PERIODIC);
	run_to(NS / 200); /* 5.12 periods */
	ck_assert_uint_eq(edges, 1);
	ck_assert_uint_eq(take_periods(), 5);
	ck_assert_uint_eq(edges, 5);
	ck_assert_uint_eq(deadline(), 6 * NS / 1024);
}

START_TEST(only_so_many_periods_are_caught_up_at_once)
{
	start_with(PERIODIC);
	run_to(100 * NS);
	ck_assert_uint_eq(take_periods(), 1 + 8);
	for (unsigned int i = 8; i < 1000; i++) {
		run_to(deadline());
		ck_assert_uint_eq(take_periods(), 2);
	}
	run_to(deadline());
	ck_assert_uint_eq(take_periods(), 1);
}

/* Without its interrupt, the flag of the period is only a flag. */
START_TEST(disabled_periods_are_not_missed)
{
	start(NOON);
	run_to(NS / 10);
	set(B, PERIODIC | H24);
	ck_assert_uint_eq(take_periods(), 1);
	run_to(NS / 5);
	set(B, H24);
	set(B, PERIODIC | H24);
	ck_assert_uint_eq(take_periods(), 1);
}

static void set_alarm(uint8_t hour, uint8_t minute, uint8_t second)
{
	set(HOURS_ALARM, hour);
	set(MINUTES_ALARM, minute);
	set(SECONDS_ALARM, second);
}

/* Seconds from the start to the next alarm */
static unsigned int alarm_after(unsigned int from)
{
	for (unsigned int i = from; i < from + 90000; i++) {
		run_to(i * NS);
		if (get(C) & ALARM)
			return i;
	}
	return UINT32_MAX;
}

START_TEST(alarm)
{
	start_with(ALARM);
	set_alarm(0x12, 0x01, 0x02);
	ck_assert_uint_eq(alarm_after(1), 62);
	ck_assert_uint_eq(edges, 1);
	ck_assert_uint_eq(alarm_after(63), 62 + 86400);
}

START_TEST(alarm_of_any_value)
{
	start_with(ALARM);
	set_alarm(0xff, 0xc0, 0x30);
	ck_assert_uint_eq(alarm_after(1), 30);
	ck_assert_uint_eq(alarm_after(31), 90);
	set_alarm(0xff, 0x05, 0xff);
	ck_assert_uint_eq(alarm_after(91), 300);
	ck_assert_uint_eq(alarm_after(301), 301);
	set_alarm(0x14, 0xff, 0x00);
	ck_assert_uint_eq(alarm_after(302), 7200);
}

START_TEST(alarm_in_other_encodings)
{
	start(NOON);
	set(B, ALARM);
	set_alarm(0x81, 0x10, 0x00); /* 1:10 p.m. */
	ck_assert_uint_eq(alarm_after(1), 4200);
	start(NOON);
	set(B, ALARM | BINARY | H24);
	set_alarm(13, 10, 0);
	ck_assert_uint_eq(alarm_after(1), 4200);
}

START_TEST(alarm_that_was_slept_through)
{
	start_with(ALARM);
	set_alarm(0x12, 0x01, 0x02);
	run_to(61 * NS);
	ck_assert(!line);
	run_to(1000 * NS);
	ck_assert(line);
	get(C);
	run_to(HOUR);
	ck_assert(!line);
	run_to(1000000 * HOUR);
	ck_assert(line);
}

START_TEST(alarm_needs_no_access)
{
	start_with(ALARM);
	set_alarm(0x12, 0x01, 0x02);
	get(C);
	while (!line) {
		ck_assert_uint_le(deadline(), 62 * NS);
		run_to(deadline());
	}
	ck_assert_uint_eq(now - EPOCH, 62 * NS);
}

static void do_anything(uint64_t random)
{
	uint8_t index = random >> 8 & (random & 1 ? 0x0f : 0xff);
	uint8_t value = random >> 16;

	if (index == B && (random & 2))
		value &= ~SET; /* mostly, the clock runs */
	if (random & 0x0c)
		get(index);
	else
		set(index, value);
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);

	start(NOON);
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t random = xorshift(&state);

		now += random >> 32 & (random >> 62 ? 0xffff : 0xfffffff);
		do_anything(random);
		if (random >> 61 & 1)
			svmrun_rtc_advance(&rtc, now);
		if (random >> 61 & 1 && svmrun_rtc_deadline(&rtc) <= now)
			ck_abort_msg("a deadline is in the past");
		if (line != !!(rtc.bytes[C] & ANY))
			ck_abort_msg("the line is not what C says");
	}
	ck_assert_uint_gt(edges, 100000);
}

static const TTest **const tests[] = {
	&registers_after_reset,
	&registers_keep_implemented_bits,
	&memory,
	&date_and_time,
	&random_dates,
	&dates_that_have_no_bytes,
	&hours,
	&the_guest_sets_the_time,
	&the_guest_sets_a_part_of_the_time,
	&bytes_are_the_guests_while_it_sets_them,
	&nonsense_is_made_a_date,
	&the_guests_week,
	&the_divider_starts_in_the_middle_of_a_second,
	&update_in_progress,
	&update_ended,
	&setting_the_time_ends_update_interrupts,
	&flags_wait_for_their_enable,
	&periods,
	&no_period,
	&missed_periods_are_caught_up,
	&only_so_many_periods_are_caught_up_at_once,
	&disabled_periods_are_not_missed,
	&alarm,
	&alarm_of_any_value,
	&alarm_in_other_encodings,
	&alarm_that_was_slept_through,
	&alarm_needs_no_access,
	&ten_million_accesses,
};

Suite *rtc_suite(void)
{
	return suite_of("rtc", tests, ARRAY_SIZE(tests));
}
