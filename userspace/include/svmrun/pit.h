/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer of a PC (Intel 8254), and what port 61h has of it */
#ifndef SVMRUN_PIT_H
#define SVMRUN_PIT_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PIT_COUNTERS 3

/**
 * struct svmrun_pit_counter - a counter
 * @mode: 0 to 5
 * @bcd: counts decimally
 * @access: 1: low byte, 2: high byte, 3: low, then high
 * @high_next: read or written next
 * @loaded: it has a count, and runs while its gate lets it
 * @gate: its gate
 * @count: what it counts from, 1 to 65536
 * @low: of a count of which the high byte is still to come
 * @begin: when it began to count
 * @left: of its count, while it is stopped
 * @latched: bytes of @latch to be read
 * @latch: a count that is kept
 * @status_latched: @status is read first
 * @status: what is kept
 */
struct svmrun_pit_counter {
	uint8_t mode;
	bool bcd;
	uint8_t access;
	bool high_next;
	bool loaded;
	bool gate;
	uint32_t count;
	uint8_t low;
	uint64_t begin;
	uint32_t left;
	unsigned int latched;
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

/**
 * struct svmrun_pit - the timer
 * @irq: output of counter 0
 * @counters: its counters
 * @speaker: bit 1 of port 61h
 * @next: when counter 0's output changes, or SVMRUN_NEVER
 */
struct svmrun_pit {
	struct svmrun_line irq;
	struct svmrun_pit_counter counters[SVMRUN_PIT_COUNTERS];
	bool speaker;
	uint64_t next;
};

/**
 * svmrun_pit_init() - a timer that nobody has programmed
 * @pit: filled in
 * @irq: output of counter 0
 * @now: the time
 */
void svmrun_pit_init(struct svmrun_pit *pit, struct svmrun_line irq,
		     uint64_t now);

/**
 * svmrun_pit_read() - read a port
 * @pit: the timer
 * @port: 0x40 to 0x43, 0x61
 * @now: the time
 *
 * Return: what is there.
 */
uint8_t svmrun_pit_read(struct svmrun_pit *pit, uint16_t port, uint64_t now);

/**
 * svmrun_pit_write() - write a port
 * @pit: the timer
 * @port: as svmrun_pit_read()
 * @value: what
 * @now: the time
 */
void svmrun_pit_write(struct svmrun_pit *pit, uint16_t port, uint8_t value,
		      uint64_t now);

/**
 * svmrun_pit_deadline() - when counter 0 interrupts
 * @pit: the timer
 *
 * Return: the time, or SVMRUN_NEVER.
 */
uint64_t svmrun_pit_deadline(const struct svmrun_pit *pit);

/**
 * svmrun_pit_advance() - the time has come
 * @pit: the timer
 * @now: the time
 */
void svmrun_pit_advance(struct svmrun_pit *pit, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PIT_H */
