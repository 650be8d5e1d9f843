/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pages of KVM's paravirtual clock, in the guest's memory: one per processor, with which the
 * guest converts its time stamp counter to nanoseconds without an exit, and one with the time of
 * day at which this clock began. The interface is that of Linux,
 * Documentation/virt/kvm/x86/msr.rst and cpuid.rst.
 */
#ifndef TIME_PAGE_H
#define TIME_PAGE_H

#include <stdbool.h>
#include <stdint.h>

/* The MSRs have guest physical addresses; SYSTEM_TIME's lowest bit enables the page. */
#define MSR_WALL_CLOCK 0x4b564d00
#define MSR_SYSTEM_TIME 0x4b564d01
#define SYSTEM_TIME_ENABLED 1ull

#define TIME_PAGE_SIZE 32
#define WALL_CLOCK_SIZE 12
#define TIME_PAGE_ALIGNMENT 4

/**
 * struct time_scale - conversion of ticks to nanoseconds:
 *	((ticks << @shift) * @multiplier) >> 32; a negative @shift shifts to the right
 */
struct time_scale {
	uint32_t multiplier;
	int8_t shift;
};

/* Return the conversion for a frequency in kHz, which must not be 0. */
struct time_scale time_scale(uint32_t khz);

/**
 * struct time_reference - a moment, and how time goes on from there
 * @tsc: the guest's TSC
 * @time: the guest's clock, in nanoseconds
 * @khz: frequency of the TSC, not 0
 * @stable: the pages of all processors are based on the same moment
 */
struct time_reference {
	uint64_t tsc;
	uint64_t time;
	uint32_t khz;
	bool stable;
};

/*
 * Write a page. @at is a multiple of TIME_PAGE_ALIGNMENT and has TIME_PAGE_SIZE or
 * WALL_CLOCK_SIZE bytes. @start is the beginning of the guest's clock, in nanoseconds since 1970.
 */
void time_page_write(void *at, const struct time_reference *reference);
void wall_clock_write(void *at, uint64_t start);

#endif /* TIME_PAGE_H */
