/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The local APICs of all processors of a machine (AMD APM vol. 2, chapter 16; Intel
 * SDM vol. 3, chapter 10): xAPIC by memory, x2APIC by MSR.
 *
 * The initial state is that in which firmware leaves a machine: processor 0 is the
 * bootstrap processor, in virtual-wire mode (APIC enabled by software, LINT0 is ExtINT,
 * LINT1 is NMI); the APICs of all others are in their reset state, and the processors
 * wait for a start-up message. An INIT resets the registers as the manuals say,
 * including those of processor 0, but not IA32_APIC_BASE. The APIC ID is the
 * processor's number in both modes and cannot be changed. The timer's clock runs at 1
 * GHz before the divider.
 *
 * The owner calls for each processor svmrun_lapic_take_init(), svmrun_lapic_take_sipi(),
 * svmrun_lapic_take_nmi(), then svmrun_lapic_extint() and svmrun_lapic_pending(); and
 * again after each access of that processor, because a lower TPR or an EOI can make an
 * interrupt deliverable without a call of wake().
 */
#ifndef SVMRUN_LAPIC_H
#define SVMRUN_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_LAPIC_GPA 0xfee00000ull /* after reset */
#define SVMRUN_LAPIC_MAX 255 /* processors; ID 255 is the broadcast */

/* Delivery modes of messages */
#define SVMRUN_APIC_FIXED  0
#define SVMRUN_APIC_LOWEST 1
#define SVMRUN_APIC_SMI	   2
#define SVMRUN_APIC_NMI	   4
#define SVMRUN_APIC_INIT   5
#define SVMRUN_APIC_SIPI   6
#define SVMRUN_APIC_EXTINT 7

struct svmrun_apics;

/**
 * struct svmrun_lapic - the local APIC of one processor
 * @apics: all local APICs of the machine
 * @id: number of the processor
 * @base: IA32_APIC_BASE
 * @tpr: task priority register
 * @ldr: logical destination register in xAPIC mode
 * @dfr: destination format register
 * @svr: spurious interrupt vector register
 * @esr: error status register, as it is read
 * @errors: errors since the last write to the error status register
 * @icr: interrupt command register, both halves
 * @lvt: local vector table: timer, thermal, performance, LINT0, LINT1, error
 * @isr: in-service register
 * @tmr: trigger mode register
 * @irr: interrupt request register
 * @divide: divide configuration of the timer
 * @initial: initial count of the timer
 * @zero: time at which the timer expires, or %SVMRUN_NEVER
 * @tsc_deadline: IA32_TSC_DEADLINE, 0 if disarmed
 * @lint: levels of LINT0 and LINT1
 * @extint: an ExtINT message is pending
 * @nmi: an NMI is pending
 * @init: an INIT is pending
 * @waits: the processor waits for a start-up message
 * @sipi: vector of the pending start-up message, or -1
 * @reserved: zero
 */
struct svmrun_lapic {
	struct svmrun_apics *apics;
	unsigned int id;
	uint64_t base;
	uint32_t tpr;
	uint32_t ldr;
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;
	uint32_t errors;
	uint64_t icr;
	uint32_t lvt[6];
	uint32_t isr[8];
	uint32_t tmr[8];
	uint32_t irr[8];
	uint32_t divide;
	uint32_t initial;
	uint64_t zero;
	uint64_t tsc_deadline;
	bool lint[2];
	bool extint;
	bool nmi;
	bool init;
	bool waits;
	int sipi;
	uint64_t reserved[8];
};

/**
 * struct svmrun_apics_owner - functions of the machine that local APICs call
 * @wake: called when processor @id has got an interrupt, NMI, INIT or start-up message.
 *	It may be the processor whose access causes it. May be NULL
 * @tsc: return the time stamp counter that processor @id would read now; NULL: the timer
 *	has no TSC-deadline mode
 * @tsc_khz: return the present estimate of the TSC's frequency, not 0; NULL: the timer
 *	has no TSC-deadline mode
 * @eoi: called with the vector of each level-triggered interrupt that has ended; may be
 *	NULL
 * @owner: first argument of each
 * @reserved: zero
 */
struct svmrun_apics_owner {
	void (*wake)(void *owner, unsigned int id);
	uint64_t (*tsc)(void *owner, unsigned int id);
	uint32_t (*tsc_khz)(void *owner);
	void (*eoi)(void *owner, uint8_t vector);
	void *owner;
	uint64_t reserved[4];
};

/**
 * struct svmrun_apics - all local APICs of a machine
 * @lapics: one local APIC per processor
 * @count: number of processors
 * @turn: the processor that got the last message with lowest-priority delivery
 * @owner: functions of the machine
 * @reserved: zero
 */
struct svmrun_apics {
	struct svmrun_lapic *lapics;
	unsigned int count;
	unsigned int turn;
	struct svmrun_apics_owner owner;
	uint64_t reserved[4];
};

/**
 * svmrun_apics_init() - reset the local APICs of all processors
 * @apics: filled in
 * @lapics: filled in, one per processor; must exist as long as @apics is used
 * @count: number of processors, from 1 to %SVMRUN_LAPIC_MAX
 * @owner: functions of the machine; copied
 */
void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner);

/**
 * svmrun_apics_message() - send an interrupt message from an I/O APIC
 * @apics: the local APICs
 * @destination: APIC ID or logical destination; 0xff and 0xffffffff are broadcasts
 * @logical: @destination is logical
 * @delivery_mode: SVMRUN_APIC_FIXED and so on; SIPI, which an I/O APIC cannot send, and
 *	SMI are not delivered
 * @vector: vector of a fixed or lowest-priority interrupt
 * @level_triggered: call the owner's eoi() when the interrupt ends
 *
 * With lowest-priority delivery, the matching processor with the lowest processor
 * priority gets the interrupt; processors of equal priority take turns.
 *
 * Return: true if a processor accepted it.
 */
bool svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int delivery_mode,
			  uint8_t vector, bool level_triggered);

/**
 * svmrun_lapic_is_at() - is an address in the page of the registers?
 * @lapic: local APIC of the processor that uses the address
 * @gpa: guest physical address
 *
 * IA32_APIC_BASE determines the address of the page. It exists only in xAPIC mode, and
 * guest memory at the same address hides it.
 *
 * Return: true if it is.
 */
bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa);

/**
 * svmrun_lapic_read() - read a register by memory
 * @lapic: local APIC of the processor that reads
 * @offset: offset in the page; an offset inside a register's four bytes reads the upper
 *	ones of them
 * @now: the time
 *
 * Return: the value of the register, 0 between registers, or all ones if the APIC is not
 * in xAPIC mode.
 */
uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now);

/**
 * svmrun_lapic_write() - write a register by memory
 * @lapic: local APIC of the processor that writes
 * @offset: offset in the page; the write is ignored unless it is a multiple of 16
 * @value: the value
 * @now: the time
 */
void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now);

/**
 * svmrun_lapic_read_msr() - read a register by MSR
 * @lapic: local APIC of the processor that reads
 * @msr: IA32_APIC_BASE, IA32_TSC_DEADLINE or 0x800 to 0x8ff
 * @value: set to the value
 * @now: the time
 *
 * Return: true, or false if the access causes #GP.
 */
bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now);

/**
 * svmrun_lapic_write_msr() - write a register by MSR
 * @lapic: local APIC of the processor that writes
 * @msr: IA32_APIC_BASE, IA32_TSC_DEADLINE or 0x800 to 0x8ff
 * @value: the value
 * @now: the time
 *
 * The owner must make CPUID's APIC bit follow bit 11 of IA32_APIC_BASE.
 *
 * Return: true, or false if the access causes #GP.
 */
bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now);

/**
 * svmrun_lapic_enabled() - check whether the local APIC is enabled
 * @lapic: local APIC of the processor
 *
 * CPUID's APIC bit is bit 11 of IA32_APIC_BASE.
 *
 * Return: true if it is enabled in IA32_APIC_BASE, in xAPIC or x2APIC mode.
 */
bool svmrun_lapic_enabled(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_pending() - find the interrupt to deliver next
 * @lapic: local APIC of the processor
 *
 * Return: the highest vector that is requested and above the processor priority, or -1.
 */
int svmrun_lapic_pending(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_held() - find an interrupt that only the task priority holds back
 * @lapic: local APIC of the processor
 *
 * The guest can make it deliverable with CR8, which need not exit.
 *
 * Return: the vector that is deliverable with a task priority of 0, or -1 if there is
 * none, or svmrun_lapic_pending() returns one already.
 */
int svmrun_lapic_held(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_acknowledge() - move an interrupt that is delivered from IRR to ISR
 * @lapic: local APIC of the processor
 * @vector: from svmrun_lapic_pending(); ignored if it is not requested
 */
void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector);

/**
 * svmrun_lapic_set_extint() - drive LINT0, to which the 8259's output is connected
 * @lapic: a struct svmrun_lapic; the type is that of svmrun_line.set
 * @number: ignored
 * @level: high (true) or low
 */
void svmrun_lapic_set_extint(void *lapic, unsigned int number, bool level);

/**
 * svmrun_lapic_set_nmi() - drive LINT1, to which the chipset's NMI is connected
 * @lapic: a struct svmrun_lapic; the type is that of svmrun_line.set
 * @number: ignored
 * @level: high (true) or low; a rising edge is an NMI
 */
void svmrun_lapic_set_nmi(void *lapic, unsigned int number, bool level);

/**
 * svmrun_lapic_extint() - does the 8259 interrupt the processor?
 * @lapic: local APIC of the processor
 *
 * It does if its output is high and either LINT0 is an unmasked ExtINT or the APIC is
 * disabled in IA32_APIC_BASE; and once after an ExtINT message.
 *
 * Return: true if the caller should get a vector from the 8259 and then call
 * svmrun_lapic_acknowledge_extint().
 */
bool svmrun_lapic_extint(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_sends_nmi() - can the 8259 send what the processor cannot mask?
 * @lapic: local APIC of the processor
 *
 * Return: true if LINT0 is not masked and its delivery mode is NMI or INIT.
 */
bool svmrun_lapic_sends_nmi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_acknowledge_extint() - clear a pending ExtINT message
 * @lapic: local APIC of the processor
 *
 * To be called after the vector was read from the 8259.
 */
void svmrun_lapic_acknowledge_extint(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_nmi() - is an NMI pending?
 * @lapic: local APIC of the processor
 *
 * Return: true if it is.
 */
bool svmrun_lapic_nmi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_nmi() - test and clear the pending NMI
 * @lapic: local APIC of the processor
 *
 * Return: true if one was pending. Several NMIs are merged.
 */
bool svmrun_lapic_take_nmi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_init() - test and clear the pending INIT
 * @lapic: local APIC of the processor, which the INIT has reset
 *
 * Return: true if one was pending: the caller must reset the processor. The bootstrap
 * processor then starts at its reset vector; others wait, see
 * svmrun_lapic_waits_for_sipi().
 */
bool svmrun_lapic_take_init(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_sipi() - get and clear the pending start-up message
 * @lapic: local APIC of the processor
 *
 * The processor no longer waits, and further start-up messages are ignored.
 *
 * Return: the vector, or -1 if none is pending. The processor starts in real mode at
 * vector * 0x1000.
 */
int svmrun_lapic_take_sipi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_waits_for_sipi() - does the processor wait for a start-up message?
 * @lapic: local APIC of the processor
 *
 * Return: true if the processor must not run until svmrun_lapic_take_sipi() returns a
 * vector.
 */
bool svmrun_lapic_waits_for_sipi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_tpr() - read the task priority register
 * @lapic: local APIC of the processor
 *
 * Return: its eight bits; CR8 is the upper four.
 */
uint32_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_set_tpr() - write the task priority register
 * @lapic: local APIC of the processor
 * @tpr: its eight bits; CR8 is the upper four
 */
void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr);

/**
 * svmrun_lapic_deadline() - get the time at which the timer expires
 * @lapic: local APIC of the processor
 *
 * Return: the time at which svmrun_lapic_advance() must be called, or %SVMRUN_NEVER.
 */
uint64_t svmrun_lapic_deadline(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_advance() - raise the timer's interrupt if it has expired
 * @lapic: local APIC of the processor
 * @now: the time
 *
 * It must also be called after a change of the processor's time stamp counter, which
 * changes the deadline. Periods that were missed cause one interrupt; the next one is on
 * time.
 */
void svmrun_lapic_advance(struct svmrun_lapic *lapic, uint64_t now);

/**
 * svmrun_apics_save() - write the state of the local APICs of all processors to records
 * @apics: the local APICs
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_apics_save(const struct svmrun_apics *apics,
		      struct svmrun_state *state);

/**
 * svmrun_apics_load() - read the state of the local APICs of all processors from records
 * @apics: the initialized local APICs, of as many processors; after an error, they must be
 *	initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_apics_load(struct svmrun_apics *apics, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_LAPIC_H */
