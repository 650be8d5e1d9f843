/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock of a PC, with its memory (Motorola MC146818A); it keeps UTC */
#ifndef SVMRUN_RTC_H
#define SVMRUN_RTC_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_RTC_BYTES 128

/**
 * struct svmrun_rtc - the clock
 * @irq: its interrupt
 * @index: which byte is selected
 * @bytes: registers and memory; the time only while the guest sets it
 * @offset: seconds since 1970, when the owner's clock was 0
 * @fraction: and nanoseconds
 * @weekdays: that the guest's week is ahead of one that begins with Sunday
 * @second: the last of which an update has been told
 * @period: the same of periods of the periodic interrupt
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
	uint64_t reserved[4];
};

/**
 * svmrun_rtc_init() - a clock that goes
 * @rtc: filled in
 * @irq: its interrupt
 * @unix_seconds: what time it is, from 1970 to 9999
 * @now: the same of the owner's clock
 */
void svmrun_rtc_init(struct svmrun_rtc *rtc, struct svmrun_line irq,
		     int64_t unix_seconds, uint64_t now);

/**
 * svmrun_rtc_set_cmos() - what memory has when the machine is switched on
 * @rtc: the clock
 * @index: 14 to 127
 * @value: what
 */
void svmrun_rtc_set_cmos(struct svmrun_rtc *rtc, uint8_t index, uint8_t value);

/**
 * svmrun_rtc_read() - read a port
 * @rtc: the clock
 * @port: 0x70, which cannot be read, or 0x71
 * @now: the time
 *
 * Return: what is there.
 */
uint8_t svmrun_rtc_read(struct svmrun_rtc *rtc, uint16_t port, uint64_t now);

/**
 * svmrun_rtc_write() - write a port
 * @rtc: the clock
 * @port: 0x70 or 0x71
 * @value: what
 * @now: the time
 */
void svmrun_rtc_write(struct svmrun_rtc *rtc, uint16_t port, uint8_t value,
		      uint64_t now);

/**
 * svmrun_rtc_deadline() - when it interrupts
 * @rtc: the clock
 *
 * Return: the time, at the latest, or SVMRUN_NEVER.
 */
uint64_t svmrun_rtc_deadline(const struct svmrun_rtc *rtc);

/**
 * svmrun_rtc_advance() - the time has come
 * @rtc: the clock
 * @now: the time
 */
void svmrun_rtc_advance(struct svmrun_rtc *rtc, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_RTC_H */
