/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real-time clock of a PC, with its CMOS memory (Motorola MC146818A), in UTC */
#ifndef SVMRUN_RTC_H
#define SVMRUN_RTC_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_RTC_BYTES 128

/**
 * struct svmrun_rtc - the clock
 * @irq: its interrupt
 * @index: index of the selected byte
 * @bytes: registers and CMOS memory; the bytes of the time are valid only while the guest
 *	sets it
 * @offset: seconds since 1970 at the time at which the owner's clock was 0
 * @fraction: nanoseconds to add to @offset
 * @weekdays: number of days by which the guest's week is ahead of one that begins on
 *	Sunday
 * @second: the last second whose update-ended interrupt was raised
 * @period: the same for the periodic interrupt
 * @missed: number of periodic interrupts that were merged with others
 * @credit: number of them that may follow each other now
 * @reserved: zero
 */
struct svmrun_rtc {
	struct svmrun_line irq;
	uint8_t index;
	uint8_t bytes[SVMRUN_RTC_BYTES];
	int64_t offset;
	uint64_t fraction;
	unsigned int weekdays;
	int64_t second;
	uint64_t period;
	uint32_t missed;
	uint32_t credit;
	uint64_t reserved[3];
};

/**
 * svmrun_rtc_init() - initialize a running clock
 * @rtc: filled in
 * @irq: its interrupt
 * @unix_seconds: the present time of day in seconds since 1970, up to the year 9999
 * @now: the same moment in nanoseconds of the owner's clock
 */
void svmrun_rtc_init(struct svmrun_rtc *rtc, struct svmrun_line irq,
		     int64_t unix_seconds, uint64_t now);

/**
 * svmrun_rtc_reset() - reset a clock by its RESET pin
 * @rtc: the clock; it disables its interrupts, and keeps the time and CMOS memory
 * @now: the time
 */
void svmrun_rtc_reset(struct svmrun_rtc *rtc, uint64_t now);

/**
 * svmrun_rtc_set_cmos() - set a byte of CMOS memory
 * @rtc: the clock
 * @index: 14 to 127; others are ignored
 * @value: the value
 */
void svmrun_rtc_set_cmos(struct svmrun_rtc *rtc, uint8_t index, uint8_t value);

/**
 * svmrun_rtc_read() - read a port
 * @rtc: the clock
 * @port: 0x71, or 0x70, which is write-only
 * @now: the time
 *
 * Return: the value; all ones for port 0x70.
 */
uint8_t svmrun_rtc_read(struct svmrun_rtc *rtc, uint16_t port, uint64_t now);

/**
 * svmrun_rtc_write() - write a port
 * @rtc: the clock
 * @port: 0x70 or 0x71
 * @value: the value
 * @now: the time
 */
void svmrun_rtc_write(struct svmrun_rtc *rtc, uint16_t port, uint8_t value,
		      uint64_t now);

/**
 * svmrun_rtc_deadline() - get the time of the clock's next possible interrupt
 * @rtc: the clock
 *
 * Return: the time at which svmrun_rtc_advance() must be called, or SVMRUN_NEVER.
 */
uint64_t svmrun_rtc_deadline(const struct svmrun_rtc *rtc);

/**
 * svmrun_rtc_advance() - raise the clock's interrupts that are due
 * @rtc: the clock
 * @now: the time
 *
 * If several periodic interrupts are due, or the guest has not read register C since the
 * last one, they become one interrupt. The others, up to 1000, follow when the guest reads
 * register C: up to eight at once, then one more per period.
 */
void svmrun_rtc_advance(struct svmrun_rtc *rtc, uint64_t now);

/**
 * svmrun_rtc_save() - write the state of a clock to a record
 * @rtc: the clock
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_rtc_save(const struct svmrun_rtc *rtc, struct svmrun_state *state);

/**
 * svmrun_rtc_load() - read the state of a clock from a record
 * @rtc: the initialized clock; after an error, it must be initialized again
 * @state: the records
 * @now: the time, which is not before that at which the state was saved
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_rtc_load(struct svmrun_rtc *rtc, struct svmrun_state *state,
		    uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_RTC_H */
