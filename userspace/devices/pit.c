// SPDX-License-Identifier: LGPL-2.1-or-later
/* The 8254 timer: counters, control word, and port 61h */
#include <svmrun/pit.h>

#include "lib/array_size.h"
#include "ticks.h"

#define HERTZ 1193182
#define PORT_CONTROL 3 /* of 40h to 43h */
#define PORT_B 0x61
#define READ_BACK 3

#define B_GATE 0x01
#define B_KEPT 0x0e /* speaker, and enable bits of checks that never fail */
#define B_REFRESH 0x10
#define B_OUTPUT 0x20
#define REFRESH 15085 /* ns between two refresh cycles */

#define LATCH_NO_COUNT 0x20
#define LATCH_NO_STATUS 0x10
#define STATUS_OUTPUT 0x80
#define STATUS_NULL 0x40

enum {
	TERMINAL_COUNT,
	ONE_SHOT,
	RATE,
	SQUARE,
	SOFTWARE_STROBE,
	HARDWARE_STROBE
};
enum { LOW = 1, HIGH = 2, BOTH = 3 };

/* Time is counted in ticks of the oscillator, so that it does not drift. */
static uint64_t pit_ticks(uint64_t now)
{
	return ticks_in(now, HERTZ);
}

/* In these modes a rising gate starts the count, and a low gate does not stop it. */
static bool needs_trigger(const struct svmrun_pit_counter *c)
{
	return c->mode == ONE_SHOT || c->mode == HARDWARE_STROBE;
}

static bool counter_is_periodic(const struct svmrun_pit_counter *c)
{
	return c->mode == RATE || c->mode == SQUARE;
}

static bool counter_is_stopped(const struct svmrun_pit_counter *c)
{
	return !c->gate && !needs_trigger(c);
}

static uint64_t elapsed(const struct svmrun_pit_counter *c, uint64_t tick)
{
	int64_t passed = tick - c->begin;

	if (!c->loaded || counter_is_stopped(c))
		return c->stopped;
	return passed < 0 ? 0 : passed;
}

/* Ticks of a square wave's period in which it is high */
static uint32_t half_count(uint32_t count)
{
	return (count + 1) / 2;
}

/* A square wave counts down by two, from an even number, twice per period. */
static uint32_t square_wave_count(const struct svmrun_pit_counter *c,
				  uint64_t passed)
{
	uint32_t place = passed % c->count;

	if (place >= half_count(c->count))
		place -= half_count(c->count);
	return (c->count & ~1u) - 2 * place;
}

/* Value of the counting element */
static uint32_t counter_value(const struct svmrun_pit_counter *c, uint64_t tick)
{
	uint64_t passed = elapsed(c, tick), modulo = c->bcd ? 10000 : 65536;

	if (c->mode == SQUARE)
		return square_wave_count(c, passed);
	if (c->mode == RATE)
		return c->count - passed % c->count;
	return (c->count + modulo - passed % modulo) % modulo;
}

static bool counter_output(const struct svmrun_pit_counter *c, uint64_t tick)
{
	uint64_t passed = elapsed(c, tick);

	if (!c->loaded)
		return c->mode != TERMINAL_COUNT;
	if (c->mode == TERMINAL_COUNT || c->mode == ONE_SHOT)
		return passed >= c->count;
	if (counter_is_stopped(c))
		return true;
	if (c->mode == RATE)
		return passed % c->count != c->count - 1;
	if (c->mode == SQUARE)
		return passed % c->count < half_count(c->count);
	return passed != c->count; /* low for one tick */
}

/* Load the count at a tick of the oscillator. */
static void start_count(struct svmrun_pit_counter *c, uint64_t tick)
{
	c->count = c->reload;
	c->begin = tick;
	c->stopped = 0;
	c->loaded = true;
	c->pending = false;
}

/* The old count remains in use until the end of its period or half wave. */
static void start_count_later(struct svmrun_pit_counter *c, uint64_t tick)
{
	uint64_t place = elapsed(c, tick) % c->count;
	bool high = c->mode == SQUARE && place < half_count(c->count);

	c->turn = tick - place + (high ? half_count(c->count) : c->count);
	c->next = high ? c->turn - half_count(c->reload) : c->turn;
	c->pending = true;
}

static void apply_pending_count(struct svmrun_pit_counter *c, uint64_t tick)
{
	if (c->pending && c->loaded && counter_is_periodic(c) && c->gate &&
	    (int64_t)(tick - c->turn) >= 0)
		start_count(c, c->next);
}

/* ---- the interrupt -------------------------------------------------------- */

/* Ticks of as many periods as let the guest run between two interrupts */
static uint64_t interrupt_ticks(const struct svmrun_pit_counter *c)
{
	uint64_t least = pit_ticks(PERIOD_MIN_NS);

	return (least + c->count - 1) / c->count * c->count;
}

static uint64_t next_counter_period(const struct svmrun_pit_counter *c,
				    uint64_t tick)
{
	uint64_t length = interrupt_ticks(c), passed = elapsed(c, tick);

	if (!c->pending)
		return c->begin + passed - passed % c->count + length;
	return c->next == c->turn ? c->next : c->next + c->reload;
}

/* Time at which the output of counter 0, whose gate is always high, rises next */
static uint64_t next_rise(const struct svmrun_pit_counter *c, uint64_t tick)
{
	uint64_t length = c->mode == TERMINAL_COUNT ? c->count : c->count + 1;

	if (!c->loaded)
		return SVMRUN_NEVER;
	if (counter_is_periodic(c))
		return ticks_end(next_counter_period(c, tick), HERTZ);
	if (elapsed(c, tick) >= length)
		return SVMRUN_NEVER;
	return ticks_end(c->begin + length, HERTZ);
}

static void update_pit_irq(struct svmrun_pit *pit, uint64_t tick)
{
	const struct svmrun_pit_counter *c = &pit->counters[0];

	svmrun_pit_forget(pit);
	svmrun_line_set(&pit->irq, counter_output(c, tick));
	pit->next = next_rise(c, tick);
}

/* Count the periods that have no interrupt of their own. */
static void count_missed(struct svmrun_pit *pit, uint64_t tick)
{
	const struct svmrun_pit_counter *c = &pit->counters[0];
	uint64_t late = tick - pit_ticks(pit->next), count = pit->requested;

	if (!counter_is_periodic(c))
		return;
	if (!c->pending)
		count += late / interrupt_ticks(c);
	ticks_end_period(&pit->missed, &pit->credit, count);
}

static void raise_pit_irq(struct svmrun_pit *pit)
{
	svmrun_line_set(&pit->irq, false);
	svmrun_line_set(&pit->irq, true);
	pit->requested = true;
}

void svmrun_pit_taken(struct svmrun_pit *pit)
{
	pit->requested = false;
	if (ticks_catch_up(&pit->missed, &pit->credit))
		raise_pit_irq(pit);
}

void svmrun_pit_forget(struct svmrun_pit *pit)
{
	pit->requested = false;
	pit->missed = 0;
	pit->credit = MISSED_BURST;
}

void svmrun_pit_init(struct svmrun_pit *pit, struct svmrun_line irq,
		     uint64_t now)
{
	unsigned int i;

	*pit = (struct svmrun_pit){ .irq = irq };
	for (i = 0; i < SVMRUN_PIT_COUNTERS; i++)
		pit->counters[i] = (struct svmrun_pit_counter){
			.mode = SQUARE,
			.access = BOTH,
			.gate = i != 2,
			.count = 65536,
			.reload = 65536,
		};
	update_pit_irq(pit, pit_ticks(now));
}

uint64_t svmrun_pit_deadline(const struct svmrun_pit *pit)
{
	return pit->next;
}

/*
 * The line stays high until the next edge, even if the output is low again: otherwise a
 * guest that does not run for half a wave would lose the interrupt.
 */
void svmrun_pit_advance(struct svmrun_pit *pit, uint64_t now)
{
	struct svmrun_pit_counter *c = &pit->counters[0];

	if (now < pit->next)
		return;
	count_missed(pit, pit_ticks(now));
	raise_pit_irq(pit);
	apply_pending_count(c, pit_ticks(now));
	pit->next = next_rise(c, pit_ticks(now));
}

/* Bring all counters up to date before an access. */
static uint64_t advance_counters(struct svmrun_pit *pit, uint64_t now)
{
	unsigned int i;

	svmrun_pit_advance(pit, now);
	for (i = 0; i < SVMRUN_PIT_COUNTERS; i++)
		apply_pending_count(&pit->counters[i], pit_ticks(now));
	return pit_ticks(now);
}

/* ---- counts --------------------------------------------------------------- */

static uint32_t from_bcd(uint32_t value)
{
	return (value & 0xf) + (value >> 4 & 0xf) * 10 +
	       (value >> 8 & 0xf) * 100 + (value >> 12 & 0xf) * 1000;
}

static uint16_t to_bcd(uint32_t value)
{
	return value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 |
	       value / 1000 % 10 << 12;
}

static uint32_t decode_count(const struct svmrun_pit_counter *c, uint16_t value)
{
	uint32_t count = c->bcd ? from_bcd(value) : value;

	if (!count)
		count = c->bcd ? 10000 : 65536;
	if (count == 1 && counter_is_periodic(c))
		count = 2; /* the minimum in these modes */
	return count;
}

static uint16_t encode_count(const struct svmrun_pit_counter *c, uint32_t value)
{
	return c->bcd ? to_bcd(value) : value;
}

static void load_count(struct svmrun_pit_counter *c, uint16_t value,
		       uint64_t tick)
{
	c->reload = decode_count(c, value);
	if (needs_trigger(c))
		c->pending = true;
	else if (counter_is_periodic(c) && c->loaded && c->gate)
		start_count_later(c, tick);
	else
		start_count(c, tick + 1);
}

/* In mode 0 the first of two bytes stops the count. */
static void write_low(struct svmrun_pit_counter *c, uint8_t value,
		      uint64_t tick)
{
	c->low = value;
	c->high_written = true;
	if (c->mode != TERMINAL_COUNT)
		return;
	c->stopped = elapsed(c, tick);
	c->loaded = false;
}

static void write_count(struct svmrun_pit_counter *c, uint8_t value,
			uint64_t tick)
{
	if (c->access == BOTH && !c->high_written) {
		write_low(c, value, tick);
		return;
	}
	c->high_written = false;
	if (c->access == LOW)
		load_count(c, value, tick);
	else
		load_count(c, value << 8 | c->low, tick);
}

static void latch_count(struct svmrun_pit_counter *c, uint64_t tick)
{
	if (c->latched)
		return;
	c->latch = encode_count(c, counter_value(c, tick));
	c->latched = c->access == BOTH ? 2 : 1;
	if (c->access == HIGH)
		c->latch >>= 8;
}

static void latch_status(struct svmrun_pit_counter *c, uint64_t tick)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = (counter_output(c, tick) ? STATUS_OUTPUT : 0) |
		    (c->loaded && !c->pending ? 0 : STATUS_NULL) |
		    c->access << 4 | c->mode << 1 | c->bcd;
}

static uint8_t read_latch(struct svmrun_pit_counter *c)
{
	uint8_t byte = c->latch;

	c->latch >>= 8;
	c->latched--;
	return byte;
}

static uint8_t read_counter(struct svmrun_pit_counter *c, uint64_t tick)
{
	uint16_t value = encode_count(c, counter_value(c, tick));
	bool high = c->access == HIGH || c->high_read;

	c->high_read = c->access == BOTH && !high;
	return high ? value >> 8 : value;
}

static uint8_t read_count(struct svmrun_pit_counter *c, uint64_t tick)
{
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	return c->latched ? read_latch(c) : read_counter(c, tick);
}

/* ---- control -------------------------------------------------------------- */

static void read_back(struct svmrun_pit *pit, uint8_t value, uint64_t tick)
{
	unsigned int i;

	for (i = 0; i < SVMRUN_PIT_COUNTERS; i++) {
		if (!(value >> (1 + i) & 1))
			continue;
		if (!(value & LATCH_NO_COUNT))
			latch_count(&pit->counters[i], tick);
		if (!(value & LATCH_NO_STATUS))
			latch_status(&pit->counters[i], tick);
	}
}

static void set_mode(struct svmrun_pit_counter *c, uint8_t value)
{
	uint8_t mode = value >> 1 & 7;

	*c = (struct svmrun_pit_counter){
		.mode = mode > HARDWARE_STROBE ? mode - 4 : mode,
		.bcd = value & 1,
		.access = value >> 4 & 3,
		.gate = c->gate,
		.count = c->count,
		.reload = c->reload,
	};
}

/* Return true if counter 0 changes. */
static bool write_control_word(struct svmrun_pit *pit, uint8_t value,
			       uint64_t tick)
{
	unsigned int which = value >> 6;

	if (which == READ_BACK)
		read_back(pit, value, tick);
	else if (!(value >> 4 & 3))
		latch_count(&pit->counters[which], tick);
	else
		set_mode(&pit->counters[which], value);
	return !which && (value >> 4 & 3);
}

/* ---- port 61h ------------------------------------------------------------- */

/* A rising gate triggers a counter, restarts a period, or continues a stopped count. */
static void raise_gate(struct svmrun_pit_counter *c, uint64_t tick)
{
	if (needs_trigger(c) || counter_is_periodic(c)) {
		if (c->loaded || c->pending)
			start_count(c, tick + 1);
	} else {
		c->begin = tick - c->stopped;
	}
}

static void set_gate(struct svmrun_pit_counter *c, bool gate, uint64_t tick)
{
	if (gate == c->gate)
		return;
	if (!gate && !needs_trigger(c))
		c->stopped = elapsed(c, tick);
	c->gate = gate;
	if (gate)
		raise_gate(c, tick);
}

static uint8_t read_port_b(const struct svmrun_pit *pit, uint64_t now)
{
	const struct svmrun_pit_counter *c = &pit->counters[2];

	return (c->gate ? B_GATE : 0) | pit->port_b |
	       (now / REFRESH & 1 ? B_REFRESH : 0) |
	       (counter_output(c, pit_ticks(now)) ? B_OUTPUT : 0);
}

uint8_t svmrun_pit_read(struct svmrun_pit *pit, uint16_t port, uint64_t now)
{
	uint64_t tick = advance_counters(pit, now);

	if (port == PORT_B)
		return read_port_b(pit, now);
	if ((port & 3) == PORT_CONTROL)
		return UINT8_MAX; /* cannot be read */
	return read_count(&pit->counters[port & 3], tick);
}

void svmrun_pit_write(struct svmrun_pit *pit, uint16_t port, uint8_t value,
		      uint64_t now)
{
	uint64_t tick = advance_counters(pit, now);
	bool changed = false;

	if (port == PORT_B) {
		set_gate(&pit->counters[2], value & B_GATE, tick);
		pit->port_b = value & B_KEPT;
	} else if ((port & 3) == PORT_CONTROL) {
		changed = write_control_word(pit, value, tick);
	} else {
		write_count(&pit->counters[port & 3], value, tick);
		changed = !(port & 3);
	}
	if (changed)
		update_pit_irq(pit, tick);
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member pit_members[] = {
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, mode),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, bcd),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, access),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, high_written),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, high_read),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, loaded),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, pending),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, gate),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, count),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, reload),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, low),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, begin),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, stopped),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, turn),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, next),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, latched),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, latch),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pit, counters, status_latched),
	SVMRUN_STATE_EACH(struct svmrun_pit, counters, status),
	SVMRUN_STATE_MEMBER(struct svmrun_pit, port_b),
	SVMRUN_STATE_MEMBER(struct svmrun_pit, next),
	SVMRUN_STATE_BOOL(struct svmrun_pit, requested),
	SVMRUN_STATE_MEMBER(struct svmrun_pit, missed),
	SVMRUN_STATE_MEMBER(struct svmrun_pit, credit),
};

int svmrun_pit_save(const struct svmrun_pit *pit, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_PIT, STATE_VERSION);
	svmrun_state_put_members(state, pit, pit_members,
				 ARRAY_SIZE(pit_members));
	return svmrun_state_end(state);
}

static bool counter_state_is_valid(const struct svmrun_pit_counter *c)
{
	return c->mode <= HARDWARE_STROBE && c->access >= LOW &&
	       c->access <= BOTH && c->count && c->count <= 65536 &&
	       c->reload && c->reload <= 65536 && c->latched <= 2;
}

static bool pit_state_is_valid(const struct svmrun_pit *pit)
{
	return counter_state_is_valid(&pit->counters[0]) &&
	       counter_state_is_valid(&pit->counters[1]) &&
	       counter_state_is_valid(&pit->counters[2]) &&
	       pit->missed <= MISSED_MAX && pit->credit <= MISSED_BURST;
}

int svmrun_pit_load(struct svmrun_pit *pit, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_PIT, STATE_VERSION);
	svmrun_state_get_members(state, pit, pit_members,
				 ARRAY_SIZE(pit_members));
	return svmrun_state_close(state, pit_state_is_valid(pit));
}
