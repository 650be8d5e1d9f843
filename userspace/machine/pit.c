// SPDX-License-Identifier: LGPL-2.1-or-later
#include <svmrun/pit.h>

#include "ticks.h"

#define HERTZ 1193182
#define PORT_CONTROL 3 /* of 40h to 43h */
#define PORT_B 0x61
#define READ_BACK 3

#define B_GATE 0x01
#define B_SPEAKER 0x02
#define B_REFRESH 0x10
#define B_OUTPUT 0x20
#define REFRESH 15085 /* ns between two cycles of it */

#define LATCH_NO_COUNT 0x20
#define LATCH_NO_STATUS 0x10
#define STATUS_OUTPUT 0x80
#define STATUS_NULL 0x40

enum { TERMINAL, ONE_SHOT, RATE, SQUARE, SOFTWARE_STROBE, HARDWARE_STROBE };
enum { LOW = 1, HIGH = 2, BOTH = 3 };

/* What a rising gate starts, and what a low one stops */
static bool needs_trigger(const struct svmrun_pit_counter *c)
{
	return c->mode == ONE_SHOT || c->mode == HARDWARE_STROBE;
}

static bool is_periodic(const struct svmrun_pit_counter *c)
{
	return c->mode == RATE || c->mode == SQUARE;
}

static bool runs(const struct svmrun_pit_counter *c)
{
	return c->loaded && (c->gate || needs_trigger(c));
}

static uint64_t elapsed(const struct svmrun_pit_counter *c, uint64_t now)
{
	return runs(c) ? ticks_in(now - c->begin, HERTZ) : 0;
}

/* The counting element; a square wave counts down by two, twice a period. */
static uint32_t current(const struct svmrun_pit_counter *c, uint64_t now)
{
	uint64_t ticks = elapsed(c, now), modulo = c->bcd ? 10000 : 65536;

	if (!runs(c))
		return c->left;
	if (c->mode == SQUARE)
		return c->count - (2 * ticks) % c->count;
	if (c->mode == RATE)
		return c->count - ticks % c->count;
	return (c->count + modulo - ticks % modulo) % modulo;
}

static bool output(const struct svmrun_pit_counter *c, uint64_t now)
{
	uint64_t ticks = elapsed(c, now);

	if (!c->loaded)
		return c->mode != TERMINAL;
	switch (c->mode) {
	case TERMINAL:
	case ONE_SHOT:
		return runs(c) && ticks >= c->count;
	case RATE:
		return !runs(c) || ticks % c->count != c->count - 1;
	case SQUARE:
		return !runs(c) || ticks % c->count < (c->count + 1) / 2;
	default: /* low for a tick, after the last */
		return ticks != c->count;
	}
}

/* When the output changes next: its rising edge is the interrupt. */
static uint64_t next_change(const struct svmrun_pit_counter *c, uint64_t now)
{
	uint64_t ticks = elapsed(c, now), edge = c->count, start = 0;

	if (!runs(c))
		return SVMRUN_NEVER;
	if (is_periodic(c)) {
		start = ticks / c->count * c->count;
		ticks -= start;
		edge = c->mode == RATE ? c->count - 1 : (c->count + 1) / 2;
		if (ticks >= edge)
			edge = c->count;
	} else if (c->mode >= SOFTWARE_STROBE && ticks == c->count) {
		edge = c->count + 1;
	} else if (ticks >= c->count) {
		return SVMRUN_NEVER;
	}
	return c->begin + ticks_end(start + edge, HERTZ);
}

static void update(struct svmrun_pit *pit, uint64_t now)
{
	const struct svmrun_pit_counter *c = &pit->counters[0];

	svmrun_line_set(&pit->irq, output(c, now));
	pit->next = next_change(c, now);
}

void svmrun_pit_init(struct svmrun_pit *pit, struct svmrun_line irq,
		     uint64_t now)
{
	unsigned int i;

	*pit = (struct svmrun_pit){ .irq = irq, .next = SVMRUN_NEVER };
	for (i = 0; i < SVMRUN_PIT_COUNTERS; i++)
		pit->counters[i] = (struct svmrun_pit_counter){
			.mode = SQUARE,
			.access = BOTH,
			.gate = i != 2,
			.count = 65536,
		};
	update(pit, now);
}

uint64_t svmrun_pit_deadline(const struct svmrun_pit *pit)
{
	return pit->next;
}

/*
 * Edges that were slept through are one: the line goes down and up once, so that
 * an edge is seen.
 */
void svmrun_pit_advance(struct svmrun_pit *pit, uint64_t now)
{
	if (now < pit->next)
		return;
	if (output(&pit->counters[0], now))
		svmrun_line_set(&pit->irq, false);
	update(pit, now);
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

static uint32_t decode(const struct svmrun_pit_counter *c, uint16_t value)
{
	uint32_t count = c->bcd ? from_bcd(value) : value;

	if (!count)
		count = c->bcd ? 10000 : 65536;
	if (count == 1 && is_periodic(c))
		count = 2; /* which is the least that there is */
	return count;
}

static uint16_t encode(const struct svmrun_pit_counter *c, uint32_t value)
{
	return c->bcd ? to_bcd(value) : value;
}

/* A period that runs is finished with the old count by the real one. */
static void load(struct svmrun_pit_counter *c, uint16_t value, uint64_t now)
{
	c->count = decode(c, value);
	c->left = c->count;
	if (needs_trigger(c))
		return;
	c->begin = now;
	c->loaded = true;
}

static void write_count(struct svmrun_pit *pit, struct svmrun_pit_counter *c,
			uint8_t value, uint64_t now)
{
	if (c->access == LOW) {
		load(c, value, now);
	} else if (c->access == HIGH) {
		load(c, value << 8, now);
	} else if (!c->high_next) {
		c->low = value;
		c->high_next = true;
		if (c->mode == TERMINAL)
			c->loaded = false;
	} else {
		c->high_next = false;
		load(c, value << 8 | c->low, now);
	}
	update(pit, now);
}

static void latch_count(struct svmrun_pit_counter *c, uint64_t now)
{
	if (c->latched)
		return;
	c->latch = encode(c, current(c, now));
	c->latched = c->access == BOTH ? 2 : 1;
	if (c->access == HIGH)
		c->latch >>= 8;
}

static void latch_status(struct svmrun_pit_counter *c, uint64_t now)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = (output(c, now) ? STATUS_OUTPUT : 0) |
		    (c->loaded ? 0 : STATUS_NULL) | c->access << 4 |
		    c->mode << 1 | c->bcd;
}

static uint8_t read_count(struct svmrun_pit_counter *c, uint64_t now)
{
	uint16_t value = encode(c, current(c, now));
	uint8_t byte;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched) {
		byte = c->latch;
		c->latch >>= 8;
		c->latched--;
		return byte;
	}
	if (c->access == LOW || (c->access == BOTH && !c->high_next)) {
		c->high_next = c->access == BOTH;
		return value;
	}
	c->high_next = false;
	return value >> 8;
}

/* ---- control -------------------------------------------------------------- */

static void read_back(struct svmrun_pit *pit, uint8_t value, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < SVMRUN_PIT_COUNTERS; i++) {
		if (!(value >> (1 + i) & 1))
			continue;
		if (!(value & LATCH_NO_COUNT))
			latch_count(&pit->counters[i], now);
		if (!(value & LATCH_NO_STATUS))
			latch_status(&pit->counters[i], now);
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
		.left = c->left,
	};
}

static void write_control(struct svmrun_pit *pit, uint8_t value, uint64_t now)
{
	unsigned int which = value >> 6;

	if (which == READ_BACK)
		read_back(pit, value, now);
	else if (!(value >> 4 & 3))
		latch_count(&pit->counters[which], now);
	else
		set_mode(&pit->counters[which], value);
	update(pit, now);
}

/* ---- port 61h ------------------------------------------------------------- */

/* A rising gate starts what waits for it, and periods anew. */
static void set_gate(struct svmrun_pit_counter *c, bool gate, uint64_t now)
{
	if (gate == c->gate)
		return;
	if (!gate && c->loaded && !needs_trigger(c))
		c->left = current(c, now);
	c->gate = gate;
	if (!gate)
		return;
	if (needs_trigger(c)) {
		c->loaded = true;
		c->begin = now;
	} else if (is_periodic(c)) {
		c->begin = now;
	} else {
		c->begin = now - ticks_end(c->count - c->left, HERTZ);
	}
}

static uint8_t read_b(const struct svmrun_pit *pit, uint64_t now)
{
	const struct svmrun_pit_counter *c = &pit->counters[2];

	return (c->gate ? B_GATE : 0) | (pit->speaker ? B_SPEAKER : 0) |
	       (now / REFRESH & 1 ? B_REFRESH : 0) |
	       (output(c, now) ? B_OUTPUT : 0);
}

uint8_t svmrun_pit_read(struct svmrun_pit *pit, uint16_t port, uint64_t now)
{
	if (port == PORT_B)
		return read_b(pit, now);
	if ((port & 3) == PORT_CONTROL)
		return UINT8_MAX; /* cannot be read */
	return read_count(&pit->counters[port & 3], now);
}

void svmrun_pit_write(struct svmrun_pit *pit, uint16_t port, uint8_t value,
		      uint64_t now)
{
	if (port == PORT_B) {
		set_gate(&pit->counters[2], value & B_GATE, now);
		pit->speaker = value & B_SPEAKER;
	} else if ((port & 3) == PORT_CONTROL) {
		write_control(pit, value, now);
	} else {
		write_count(pit, &pit->counters[port & 3], value, now);
	}
}
