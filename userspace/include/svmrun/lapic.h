/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Local APICs: one a processor, and what they send each other (APM volume 2, chapter
 * 16). The first processor's comes up as firmware leaves it, in virtual wire mode: it
 * is enabled, takes the 8259's interrupts at LINT0 and NMIs at LINT1. The others are
 * reset, and wait for their start-up message.
 *
 * A processor's APIC ID is its number. The timer ticks once a nanosecond.
 */
#ifndef SVMRUN_LAPIC_H
#define SVMRUN_LAPIC_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_LAPIC_BASE 0xfee00000 /* guest physical */
#define SVMRUN_LAPIC_LVTS 6

struct svmrun_lapic;

/**
 * struct svmrun_apics_owner - what local APICs ask of who has them
 * @wake: that processor has something new to look at
 * @tsc: that processor's time stamp counter now; NULL: no TSC-deadline timer
 * @tsc_khz: its frequency now
 * @eoi: an interrupt that is level-triggered has ended
 * @owner: first argument of each
 */
struct svmrun_apics_owner {
	void (*wake)(void *owner, unsigned int id);
	uint64_t (*tsc)(void *owner, unsigned int id);
	uint32_t (*tsc_khz)(void *owner);
	void (*eoi)(void *owner, uint8_t vector);
	void *owner;
};

/**
 * struct svmrun_apics - the local APICs of a machine
 * @owner: who has them
 * @lapics: each processor's
 * @count: how many
 * @next: where the search for the lowest priority begins
 */
struct svmrun_apics {
	struct svmrun_apics_owner owner;
	struct svmrun_lapic *lapics;
	unsigned int count;
	unsigned int next;
};

/**
 * struct svmrun_lapic - a local APIC
 * @apics: those that it belongs to
 * @id: its number
 * @base: the MSR APIC_BASE
 * @tpr: task priority
 * @ldr: logical destination
 * @dfr: destination format
 * @svr: spurious interrupt vector
 * @esr: errors, as they are read
 * @errors: errors since
 * @icr: interrupt command
 * @lvt: local vector table: timer, thermal, performance, LINT0, LINT1, error
 * @isr: in service
 * @tmr: level-triggered
 * @irr: requested
 * @divide: of the timer
 * @initial: count that the timer begins with
 * @started: when it began with it
 * @deadline: when it ends, or SVMRUN_NEVER
 * @tsc_deadline: the MSR TSC_DEADLINE
 * @extint: the 8259's output
 * @nmi: an NMI is pending
 * @init: INIT is pending
 * @waits: for a start-up message
 * @sipi: its vector, or -1
 */
struct svmrun_lapic {
	struct svmrun_apics *apics;
	uint32_t id;
	uint64_t base;
	uint32_t tpr;
	uint32_t ldr;
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;
	uint32_t errors;
	uint64_t icr;
	uint32_t lvt[SVMRUN_LAPIC_LVTS];
	uint32_t isr[8];
	uint32_t tmr[8];
	uint32_t irr[8];
	uint32_t divide;
	uint32_t initial;
	uint64_t started;
	uint64_t deadline;
	uint64_t tsc_deadline;
	bool extint;
	bool nmi;
	bool init;
	bool waits;
	int sipi;
};

/**
 * svmrun_apics_init() - local APICs of a machine that has just been switched on
 * @apics: filled in
 * @lapics: filled in; both must stay where they are
 * @count: processors, 1 to 254
 * @owner: who has them, copied
 */
void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner);

/**
 * svmrun_apics_message() - an interrupt for one or more processors
 * @apics: the local APICs
 * @destination: APIC ID, or logical destination; 0xff: all
 * @logical: which of the two
 * @mode: delivery mode: 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT
 * @vector: of the first two
 * @level: level-triggered: its end is told
 */
void svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int mode, uint8_t vector,
			  bool level);

/**
 * svmrun_lapic_is_at() - are a local APIC's registers at an address?
 * @lapic: the local APIC
 * @gpa: guest physical address
 *
 * Return: true if it is enabled, not as x2APIC, and they are.
 */
bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa);

/**
 * svmrun_lapic_read() - read a register
 * @lapic: the local APIC
 * @offset: in its page
 * @now: the time
 *
 * Return: the register; 0 where there is none.
 */
uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now);

/**
 * svmrun_lapic_write() - write a register
 * @lapic: the local APIC
 * @offset: in its page
 * @value: what
 * @now: the time
 */
void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now);

/**
 * svmrun_lapic_read_msr() - RDMSR
 * @lapic: the local APIC
 * @msr: the MSR
 * @value: filled in
 * @now: the time
 *
 * Return: false if it is none of the local APIC's, or cannot be read now: #GP.
 */
bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now);

/**
 * svmrun_lapic_write_msr() - WRMSR
 * @lapic: the local APIC
 * @msr: the MSR
 * @value: what
 * @now: the time
 *
 * The registers stay at SVMRUN_LAPIC_BASE: another address is #GP.
 *
 * Return: false if it is none of the local APIC's, or not with this value: #GP.
 */
bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now);

/**
 * svmrun_lapic_pending() - an interrupt that the processor could take
 * @lapic: the local APIC
 *
 * Return: its vector, or -1.
 */
int svmrun_lapic_pending(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_acknowledge() - the processor takes it
 * @lapic: the local APIC
 * @vector: from svmrun_lapic_pending()
 */
void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector);

/**
 * svmrun_lapic_set_extint() - the 8259's output at LINT0
 * @lapic: the local APIC; of the type that struct svmrun_line has
 * @number: of no account
 * @level: high or low
 */
void svmrun_lapic_set_extint(void *lapic, unsigned int number, bool level);

/**
 * svmrun_lapic_extint() - does the 8259 interrupt this processor?
 * @lapic: the local APIC
 *
 * Return: true if it wants to, and LINT0 lets it, or there is no local APIC.
 */
bool svmrun_lapic_extint(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_nmi() - is an NMI pending?
 * @lapic: the local APIC
 *
 * Return: true if one is.
 */
bool svmrun_lapic_nmi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_nmi() - the processor takes it
 * @lapic: the local APIC
 *
 * Return: true if one was pending.
 */
bool svmrun_lapic_take_nmi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_init() - the processor is reset by INIT
 * @lapic: the local APIC, which is reset as well
 *
 * Return: true if it is to be.
 */
bool svmrun_lapic_take_init(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_sipi() - the processor is started
 * @lapic: the local APIC
 *
 * Return: the vector, its start address by 4096; or -1 if it is not.
 */
int svmrun_lapic_take_sipi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_waits_for_sipi() - does the processor wait to be started?
 * @lapic: the local APIC
 *
 * Return: true if it does.
 */
bool svmrun_lapic_waits_for_sipi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_tpr() - task priority
 * @lapic: the local APIC
 *
 * Return: 0 to 255; CR8 is the upper four bits.
 */
uint8_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_set_tpr() - the processor has written CR8
 * @lapic: the local APIC
 * @tpr: 0 to 255
 */
void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr);

/**
 * svmrun_lapic_deadline() - when its timer ends
 * @lapic: the local APIC
 *
 * Return: the time, or SVMRUN_NEVER.
 */
uint64_t svmrun_lapic_deadline(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_advance() - the time has come
 * @lapic: the local APIC
 * @now: the time
 */
void svmrun_lapic_advance(struct svmrun_lapic *lapic, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_LAPIC_H */
