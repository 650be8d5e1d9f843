// SPDX-License-Identifier: LGPL-2.1-or-later
/* The MC146818A real-time clock: time of day, interrupts and CMOS memory */
#include <string.h>

#include <svmrun/rtc.h>

#include "lib/array_size.h"
#include "ticks.h"

#define PORT_INDEX 0x70
#define INDEX_BITS 0x7f /* bit 7 masks NMIs */

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
	REG_A,
	REG_B,
	REG_C,
	REG_D,
	CENTURY = 0x32,
};

#define A_UPDATE 0x80
#define A_DIVIDER 0x20 /* 32768 Hz */
#define A_RESET 0x60 /* both bits set: the divider is held in reset */
#define A_RATE 0x0f
#define A_DEFAULT (A_DIVIDER | 6)
#define B_SET 0x80
#define B_PERIODIC 0x40
#define B_ALARM 0x20
#define B_UPDATE 0x10
#define B_SQUARE_WAVE 0x08
#define B_BINARY 0x04
#define B_24 0x02
#define C_ANY 0x80
#define D_VALID 0x80
#define HOURS_PM 0x80
#define ALARM_ANY 0xc0 /* in an alarm byte: matches any value */

#define HERTZ 32768
#define UPDATE_NS 2228000ull /* UIP: 244 us before, and 1984 us of update */
#define DAY_SECONDS 86400
#define SECONDS_MAX 253402300799 /* second of year 9999 */

struct date {
	int second, minute, hour, weekday, day, month, year;
};

static const uint8_t time_bytes[] = {
	SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY,
};

/* ---- dates ---------------------------------------------------------------- */

/* Days before a year that begins in March, so that a leap day is its last day */
static int64_t days_before(int64_t year)
{
	return 365 * year + year / 4 - year / 100 + year / 400;
}

static int64_t to_seconds(const struct date *d)
{
	int64_t year = d->month > 2 ? d->year : d->year - 1;
	int month = d->month > 2 ? d->month - 3 : d->month + 9;
	int64_t days = days_before(year) + (153 * month + 2) / 5 + d->day - 1;

	days -= 719468; /* from the first of March of year 0 to 1970 */
	return days * DAY_SECONDS + d->hour * 3600 + d->minute * 60 + d->second;
}

static struct date to_date(int64_t seconds)
{
	int64_t days = seconds / DAY_SECONDS, year;
	int rest = seconds % DAY_SECONDS, month;
	struct date d = { .second = rest % 60,
			  .minute = rest / 60 % 60,
			  .hour = rest / 3600,
			  .weekday = (days + 4) % 7 };

	days += 719468;
	for (year = days / 365; days_before(year) > days; year--)
		;
	days -= days_before(year);
	month = (5 * days + 2) / 153;
	d.day = days - (153 * month + 2) / 5 + 1;
	d.month = month < 10 ? month + 3 : month - 9;
	d.year = year + (d.month <= 2);
	return d;
}

/* ---- the time ------------------------------------------------------------- */

static uint64_t divider_time(const struct svmrun_rtc *rtc, uint64_t now)
{
	return now + rtc->fraction;
}

static int64_t current_second(const struct svmrun_rtc *rtc, uint64_t now)
{
	return rtc->offset + (int64_t)(divider_time(rtc, now) / NANOSECONDS);
}

static bool divider_runs(const struct svmrun_rtc *rtc)
{
	return (rtc->bytes[REG_A] & A_RESET) != A_RESET;
}

/* Return whether the update is stopped, so that the guest can set the bytes of the time. */
static bool is_held(const struct svmrun_rtc *rtc)
{
	return (rtc->bytes[REG_B] & B_SET) || !divider_runs(rtc);
}

static uint8_t encode_value(const struct svmrun_rtc *rtc, int value)
{
	return rtc->bytes[REG_B] & B_BINARY ? value :
					      value / 10 << 4 | value % 10;
}

static int decode_value(const struct svmrun_rtc *rtc, uint8_t value)
{
	return rtc->bytes[REG_B] & B_BINARY ? value :
					      (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct svmrun_rtc *rtc, int hour)
{
	if (rtc->bytes[REG_B] & B_24)
		return encode_value(rtc, hour);
	return encode_value(rtc, (hour + 11) % 12 + 1) |
	       (hour >= 12 ? HOURS_PM : 0);
}

static int decode_hour(const struct svmrun_rtc *rtc, uint8_t value)
{
	if (rtc->bytes[REG_B] & B_24)
		return decode_value(rtc, value);
	return decode_value(rtc, value & ~HOURS_PM) % 12 +
	       (value & HOURS_PM ? 12 : 0);
}

static bool is_time_index(unsigned int index)
{
	return memchr(time_bytes, index, sizeof(time_bytes));
}

static uint8_t time_byte(const struct svmrun_rtc *rtc, const struct date *d,
			 unsigned int index)
{
	switch (index) {
	case SECONDS:
		return encode_value(rtc, d->second);
	case MINUTES:
		return encode_value(rtc, d->minute);
	case HOURS:
		return encode_hour(rtc, d->hour);
	case WEEKDAY:
		return encode_value(rtc, (d->weekday + rtc->weekdays) % 7 + 1);
	case DAY:
		return encode_value(rtc, d->day);
	case MONTH:
		return encode_value(rtc, d->month);
	case YEAR:
		return encode_value(rtc, d->year % 100);
	default:
		return encode_value(rtc, d->year / 100);
	}
}

static int clamp_value(int value, int least, int most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

/* Return the date in the bytes, with each value limited to its range. */
static struct date date_from_bytes(const struct svmrun_rtc *rtc)
{
	const uint8_t *bytes = rtc->bytes;
	int century = clamp_value(decode_value(rtc, bytes[CENTURY]), 19, 99);

	return (struct date){
		.second = clamp_value(decode_value(rtc, bytes[SECONDS]), 0, 59),
		.minute = clamp_value(decode_value(rtc, bytes[MINUTES]), 0, 59),
		.hour = clamp_value(decode_hour(rtc, bytes[HOURS]), 0, 23),
		.weekday = clamp_value(decode_value(rtc, bytes[WEEKDAY]), 1,
				       7) -
			   1,
		.day = clamp_value(decode_value(rtc, bytes[DAY]), 1, 31),
		.month = clamp_value(decode_value(rtc, bytes[MONTH]), 1, 12),
		.year = century * 100 +
			clamp_value(decode_value(rtc, bytes[YEAR]), 0, 99),
	};
}

/* Write the time to the bytes, or set the time from them. */
static void time_to_bytes(struct svmrun_rtc *rtc, uint64_t now)
{
	struct date d = to_date(current_second(rtc, now));
	size_t i;

	for (i = 0; i < sizeof(time_bytes); i++)
		rtc->bytes[time_bytes[i]] = time_byte(rtc, &d, time_bytes[i]);
}

static void bytes_to_time(struct svmrun_rtc *rtc, uint64_t now)
{
	struct date d = date_from_bytes(rtc);
	int64_t time = to_seconds(&d);

	if (time < 0)
		time = 0; /* dates before 1970 are not supported */
	rtc->offset += time - current_second(rtc, now);
	rtc->second = time;
	rtc->weekdays = (d.weekday + 7 - to_date(time).weekday) % 7;
}

/* The first update follows the end of the divider reset by half a second. */
static void start_divider(struct svmrun_rtc *rtc, uint64_t now)
{
	uint64_t half = NANOSECONDS / 2;

	rtc->fraction += NANOSECONDS + half -
			 divider_time(rtc, now) % NANOSECONDS;
	rtc->fraction %= NANOSECONDS;
}

static uint8_t read_time(const struct svmrun_rtc *rtc, uint64_t now)
{
	struct date d;

	if (is_held(rtc))
		return rtc->bytes[rtc->index];
	d = to_date(current_second(rtc, now));
	return time_byte(rtc, &d, rtc->index);
}

static void write_time(struct svmrun_rtc *rtc, uint8_t value, uint64_t now)
{
	bool held = is_held(rtc);

	if (!held)
		time_to_bytes(rtc, now);
	rtc->bytes[rtc->index] = value;
	if (!held)
		bytes_to_time(rtc, now);
}

/* ---- interrupts ----------------------------------------------------------- */

/* Ticks of the oscillator per periodic interrupt; 0 if disabled */
static uint64_t period_ticks(const struct svmrun_rtc *rtc)
{
	unsigned int rate = rtc->bytes[REG_A] & A_RATE;

	if (!rate)
		return 0;
	return 1ull << (rate <= 2 ? rate + 6 : rate - 1);
}

static uint64_t periods_passed(const struct svmrun_rtc *rtc, uint64_t now)
{
	uint64_t ticks = period_ticks(rtc);

	if (!ticks || !divider_runs(rtc))
		return rtc->period;
	return ticks_in(divider_time(rtc, now), HERTZ) / ticks;
}

static bool alarm_matches(const struct svmrun_rtc *rtc, int64_t time)
{
	struct date d = to_date(time);
	const uint8_t *bytes = rtc->bytes;
	uint8_t now[3], want[3] = { bytes[SECONDS_ALARM], bytes[MINUTES_ALARM],
				    bytes[HOURS_ALARM] };
	unsigned int i;

	now[0] = encode_value(rtc, d.second);
	now[1] = encode_value(rtc, d.minute);
	now[2] = encode_hour(rtc, d.hour);
	for (i = 0; i < 3; i++)
		if (want[i] != now[i] && (want[i] & ALARM_ANY) != ALARM_ANY)
			return false;
	return true;
}

/* Search missed seconds for an alarm, but at most the last day. */
static bool alarm_passed(const struct svmrun_rtc *rtc, int64_t from, int64_t to)
{
	if (to - from > DAY_SECONDS)
		from = to - DAY_SECONDS;
	while (from < to)
		if (alarm_matches(rtc, ++from))
			return true;
	return false;
}

static void set_interrupt_flags(struct svmrun_rtc *rtc, uint8_t flags)
{
	uint8_t *c = &rtc->bytes[REG_C];

	*c |= flags;
	if (*c & rtc->bytes[REG_B] & (B_PERIODIC | B_ALARM | B_UPDATE))
		*c |= C_ANY;
	else
		*c &= ~C_ANY;
	svmrun_line_set(&rtc->irq, *c & C_ANY);
}

/* Count the periods that have no interrupt of their own. */
static void count_missed_periods(struct svmrun_rtc *rtc, uint64_t periods)
{
	bool requested = rtc->bytes[REG_C] & B_PERIODIC;

	if (rtc->bytes[REG_B] & B_PERIODIC)
		ticks_end_period(&rtc->missed, &rtc->credit,
				 periods - !requested);
}

static void forget_missed_periods(struct svmrun_rtc *rtc)
{
	rtc->missed = 0;
	rtc->credit = MISSED_BURST;
}

void svmrun_rtc_advance(struct svmrun_rtc *rtc, uint64_t now)
{
	int64_t second = current_second(rtc, now);
	uint64_t period = periods_passed(rtc, now);
	uint8_t flags = 0;

	if (period != rtc->period) {
		count_missed_periods(rtc, period - rtc->period);
		flags |= B_PERIODIC;
	}
	rtc->period = period;
	if (second > rtc->second && !is_held(rtc)) {
		flags |= B_UPDATE;
		if (alarm_passed(rtc, rtc->second, second))
			flags |= B_ALARM;
	}
	rtc->second = second;
	if (flags)
		set_interrupt_flags(rtc, flags);
}

static uint64_t next_second(const struct svmrun_rtc *rtc)
{
	return (uint64_t)(rtc->second + 1 - rtc->offset) * NANOSECONDS -
	       rtc->fraction;
}

static uint64_t next_periodic_interrupt(const struct svmrun_rtc *rtc)
{
	uint64_t ticks = (rtc->period + 1) * period_ticks(rtc);

	return ticks_end(ticks, HERTZ) - rtc->fraction;
}

uint64_t svmrun_rtc_deadline(const struct svmrun_rtc *rtc)
{
	uint8_t b = rtc->bytes[REG_B];
	uint64_t second = SVMRUN_NEVER, period = SVMRUN_NEVER;

	if (rtc->bytes[REG_C] & C_ANY)
		return SVMRUN_NEVER; /* no new interrupt until REG_C is read */
	if ((b & (B_UPDATE | B_ALARM)) && !is_held(rtc))
		second = next_second(rtc);
	if ((b & B_PERIODIC) && period_ticks(rtc) && divider_runs(rtc))
		period = next_periodic_interrupt(rtc);
	return second < period ? second : period;
}

/* ---- registers ------------------------------------------------------------ */

void svmrun_rtc_init(struct svmrun_rtc *rtc, struct svmrun_line irq,
		     int64_t unix_seconds, uint64_t now)
{
	*rtc = (struct svmrun_rtc){ .irq = irq };
	svmrun_line_set(&irq, false);
	if (unix_seconds < 0)
		unix_seconds = 0;
	else if (unix_seconds > SECONDS_MAX)
		unix_seconds = SECONDS_MAX;
	rtc->bytes[REG_A] = A_DEFAULT;
	rtc->bytes[REG_B] = B_24;
	rtc->bytes[REG_D] = D_VALID;
	rtc->fraction = NANOSECONDS - now % NANOSECONDS; /* a second begins */
	rtc->offset = unix_seconds -
		      (int64_t)(divider_time(rtc, now) / NANOSECONDS);
	rtc->second = unix_seconds;
	rtc->period = periods_passed(rtc, now);
	forget_missed_periods(rtc);
}

/* The RESET pin disables interrupts, but does not affect the clock (MC146818, RESET). */
void svmrun_rtc_reset(struct svmrun_rtc *rtc, uint64_t now)
{
	svmrun_rtc_advance(rtc, now);
	forget_missed_periods(rtc);
	rtc->index = 0;
	rtc->bytes[REG_B] &= ~(B_PERIODIC | B_ALARM | B_UPDATE | B_SQUARE_WAVE);
	rtc->bytes[REG_C] = 0;
	set_interrupt_flags(rtc, 0);
}

void svmrun_rtc_set_cmos(struct svmrun_rtc *rtc, uint8_t index, uint8_t value)
{
	if (index > REG_D && index < SVMRUN_RTC_BYTES)
		rtc->bytes[index] = value;
}

static bool update_in_progress(const struct svmrun_rtc *rtc, uint64_t now)
{
	return !is_held(rtc) &&
	       divider_time(rtc, now) % NANOSECONDS >= NANOSECONDS - UPDATE_NS;
}

static uint8_t read_register_c(struct svmrun_rtc *rtc)
{
	uint8_t value = rtc->bytes[REG_C];

	rtc->bytes[REG_C] = 0;
	svmrun_line_set(&rtc->irq, false);
	if (ticks_catch_up(&rtc->missed, &rtc->credit))
		set_interrupt_flags(rtc, B_PERIODIC);
	return value;
}

uint8_t svmrun_rtc_read(struct svmrun_rtc *rtc, uint16_t port, uint64_t now)
{
	if (port == PORT_INDEX)
		return UINT8_MAX;
	svmrun_rtc_advance(rtc, now);
	if (is_time_index(rtc->index))
		return read_time(rtc, now);
	if (rtc->index == REG_A)
		return rtc->bytes[REG_A] |
		       (update_in_progress(rtc, now) ? A_UPDATE : 0);
	return rtc->index == REG_C ? read_register_c(rtc) :
				     rtc->bytes[rtc->index];
}

static void update_hold(struct svmrun_rtc *rtc, bool held, uint64_t now)
{
	if (!held && is_held(rtc))
		time_to_bytes(rtc, now);
	else if (held && !is_held(rtc))
		bytes_to_time(rtc, now);
}

static void write_register_a(struct svmrun_rtc *rtc, uint8_t value,
			     uint64_t now)
{
	bool divided = divider_runs(rtc), held = is_held(rtc);

	rtc->bytes[REG_A] = value & ~A_UPDATE;
	if (!divided && divider_runs(rtc))
		start_divider(rtc, now);
	update_hold(rtc, held, now);
	rtc->period = periods_passed(rtc, now);
	forget_missed_periods(rtc);
}

/* SET disables update-ended interrupts. */
static void write_register_b(struct svmrun_rtc *rtc, uint8_t value,
			     uint64_t now)
{
	bool held = is_held(rtc);

	if (value & B_SET)
		value &= ~B_UPDATE;
	rtc->bytes[REG_B] = value;
	if (!(value & B_PERIODIC))
		forget_missed_periods(rtc);
	update_hold(rtc, held, now);
	set_interrupt_flags(rtc, 0);
}

static void write_cmos(struct svmrun_rtc *rtc, uint8_t value, uint64_t now)
{
	switch (rtc->index) {
	case REG_A:
		write_register_a(rtc, value, now);
		break;
	case REG_B:
		write_register_b(rtc, value, now);
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		if (is_time_index(rtc->index))
			write_time(rtc, value, now);
		else
			rtc->bytes[rtc->index] = value;
		break;
	}
}

void svmrun_rtc_write(struct svmrun_rtc *rtc, uint16_t port, uint8_t value,
		      uint64_t now)
{
	if (port == PORT_INDEX) {
		rtc->index = value & INDEX_BITS;
		return;
	}
	svmrun_rtc_advance(rtc, now);
	write_cmos(rtc, value, now);
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member rtc_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, index),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, bytes),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, offset),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, fraction),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, weekdays),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, second),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, period),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, missed),
	SVMRUN_STATE_MEMBER(struct svmrun_rtc, credit),
};

int svmrun_rtc_save(const struct svmrun_rtc *rtc, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_RTC, STATE_VERSION);
	svmrun_state_put_members(state, rtc, rtc_members,
				 ARRAY_SIZE(rtc_members));
	return svmrun_state_end(state);
}

/*
 * Dates are computed from the present second, and the clock is advanced to it from @second, so
 * both must be in range.
 */
static bool rtc_state_is_valid(const struct svmrun_rtc *rtc, uint64_t now)
{
	return rtc->index < SVMRUN_RTC_BYTES && rtc->fraction <= NANOSECONDS &&
	       rtc->offset >= -SECONDS_MAX && rtc->offset <= SECONDS_MAX &&
	       rtc->second >= 0 && rtc->second <= current_second(rtc, now) &&
	       rtc->weekdays < 7 && rtc->missed <= MISSED_MAX &&
	       rtc->credit <= MISSED_BURST;
}

int svmrun_rtc_load(struct svmrun_rtc *rtc, struct svmrun_state *state,
		    uint64_t now)
{
	svmrun_state_open(state, SVMRUN_STATE_RTC, STATE_VERSION);
	svmrun_state_get_members(state, rtc, rtc_members,
				 ARRAY_SIZE(rtc_members));
	return svmrun_state_close(state, rtc_state_is_valid(rtc, now));
}
