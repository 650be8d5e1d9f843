/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer of a PC (Intel 8254), and its bits in port 61h */
#ifndef SVMRUN_PIT_H
#define SVMRUN_PIT_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PIT_COUNTERS 3

/**
 * struct svmrun_pit_counter - a counter
 * @mode: 0 to 5
 * @bcd: it counts in BCD
 * @access: 1: low byte only, 2: high byte only, 3: low byte, then high byte
 * @high_written: the next write is the high byte
 * @high_read: the next read is the high byte
 * @loaded: it has a count, or was triggered, and counts while its gate permits
 * @pending: @reload has not become @count yet
 * @gate: level of its gate
 * @count: the count that it starts from, 1 to 65536
 * @reload: the count that was written last
 * @low: low byte of a count whose high byte has not been written yet
 * @begin: tick of the oscillator at which it started to count
 * @stopped: number of ticks that it had counted when it was stopped
 * @turn: tick at which a pending count replaces the present one
 * @next: the value of @begin from @turn on
 * @latched: number of bytes of @latch that have not been read
 * @latch: the latched count
 * @status_latched: the next read returns @status
 * @status: the latched status
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
 * @counters: the counters
 * @port_b: bits 1 to 3 of port 61h, as written
 * @next: time at which counter 0's output rises, or SVMRUN_NEVER
 * @requested: the guest has not taken the last interrupt yet
 * @missed: number of interrupts of a periodic counter 0 that were merged with others
 * @credit: number of them that may follow each other now
 * @reserved: zero
 */
struct svmrun_pit {
	struct svmrun_line irq;
	struct svmrun_pit_counter counters[SVMRUN_PIT_COUNTERS];
	uint8_t port_b;
	uint64_t next;
	bool requested;
	uint32_t missed;
	uint32_t credit;
	uint64_t reserved[2];
};

/**
 * svmrun_pit_init() - initialize a timer that no software has programmed yet
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
 * Return: the value.
 */
uint8_t svmrun_pit_read(struct svmrun_pit *pit, uint16_t port, uint64_t now);

/**
 * svmrun_pit_write() - write a port
 * @pit: the timer
 * @port: as for svmrun_pit_read()
 * @value: the value
 * @now: the time
 */
void svmrun_pit_write(struct svmrun_pit *pit, uint16_t port, uint8_t value,
		      uint64_t now);

/**
 * svmrun_pit_deadline() - get the time of counter 0's next interrupt
 * @pit: the timer
 *
 * Return: the time at which svmrun_pit_advance() must be called, or SVMRUN_NEVER.
 */
uint64_t svmrun_pit_deadline(const struct svmrun_pit *pit);

/**
 * svmrun_pit_advance() - raise counter 0's interrupt if it is due
 * @pit: the timer
 * @now: the time
 *
 * If several are due, or the guest has not taken the last one, they become one interrupt,
 * and the others are counted, up to 1000.
 */
void svmrun_pit_advance(struct svmrun_pit *pit, uint64_t now);

/**
 * svmrun_pit_taken() - the guest has taken counter 0's interrupt
 * @pit: the timer
 *
 * To be called when the interrupt is acknowledged, but not ended yet. If interrupts were
 * missed, the next one is raised, so that guests that count them keep the time: up to
 * eight at once, then one more per period.
 */
void svmrun_pit_taken(struct svmrun_pit *pit);

/**
 * svmrun_pit_forget() - forget missed interrupts
 * @pit: the timer
 *
 * To be called for a guest that has masked the interrupt.
 */
void svmrun_pit_forget(struct svmrun_pit *pit);

/**
 * svmrun_pit_save() - write the state of a timer to a record
 * @pit: the timer
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_pit_save(const struct svmrun_pit *pit, struct svmrun_state *state);

/**
 * svmrun_pit_load() - read the state of a timer from a record
 * @pit: the initialized timer; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_pit_load(struct svmrun_pit *pit, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PIT_H */
