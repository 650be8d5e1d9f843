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
 * @high_written: the next byte written is the high one
 * @high_read: the next byte read is the high one
 * @loaded: it has a count, or was triggered, and counts while its gate lets it
 * @pending: @reload is still to become @count
 * @gate: its gate
 * @count: what it counts from, 1 to 65536
 * @reload: what was written last
 * @low: of a count of which the high byte is still to come
 * @begin: tick of the oscillator at which it began to count
 * @stopped: ticks that it had counted when it was stopped
 * @turn: tick at which a pending count takes over from one that runs
 * @next: what @begin is then
 * @latched: bytes of @latch to be read
 * @latch: a count that is kept
 * @status_latched: @status is read first
 * @status: what is kept
 *
 * It never grows.
 */
struct svmrun_pit_counter {
	uint8_t mode;
	bool bcd;
	uint8_t access;
	bool high_written;
	bool high_read;
	bool loaded;
	bool pending;
	bool gate;
	uint32_t count;
	uint32_t reload;
	uint8_t low;
	uint64_t begin;
	uint64_t stopped;
	uint64_t turn;
	uint64_t next;
	unsigned int latched;
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

/**
 * struct svmrun_pit - the timer
 * @irq: output of counter 0
 * @counters: its counters
 * @port_b: bits 1 to 3 of port 61h, as written
 * @next: when counter 0's output rises, or SVMRUN_NEVER
 * @reserved: zero
 */
struct svmrun_pit {
	struct svmrun_line irq;
	struct svmrun_pit_counter counters[SVMRUN_PIT_COUNTERS];
	uint8_t port_b;
	uint64_t next;
	uint64_t reserved[4];
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
