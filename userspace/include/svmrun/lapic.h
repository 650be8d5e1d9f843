/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The local APICs of all processors of a machine (AMD APM vol. 2, chapter 16; Intel
 * SDM vol. 3, chapter 10): xAPIC by memory, x2APIC by MSR.
 *
 * The machine starts as firmware leaves it: processor 0 is the bootstrap processor,
 * in virtual-wire mode (APIC enabled by software, LINT0 is ExtINT, LINT1 is NMI); all
 * others have an APIC fresh from reset and wait for a start-up message. An INIT
 * resets the registers as the manuals say, those of processor 0 too; IA32_APIC_BASE
 * stays. The APIC's id, in both modes, is the processor's number and cannot be
 * changed. The timer's clock runs at 1 GHz before it is divided.
 *
 * The owner's loop for a processor: svmrun_lapic_take_init(), then
 * svmrun_lapic_take_sipi(), then svmrun_lapic_take_nmi(), then svmrun_lapic_extint()
 * and svmrun_lapic_pending(); and all that again after each access of that processor,
 * since a lower TPR or an EOI lets more through without a call of wake().
 */
#ifndef SVMRUN_LAPIC_H
#define SVMRUN_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_LAPIC_GPA 0xfee00000ull /* at first */
#define SVMRUN_LAPIC_MAX 255 /* the id after the last is the broadcast */

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
 * @apics: those it exchanges messages with
 * @id: the number of the processor
 * @base: IA32_APIC_BASE
 * @tpr: task priority
 * @ldr: logical destination, of xAPIC mode
 * @dfr: destination format
 * @svr: spurious interrupt vector
 * @esr: what a read of the error status gets
 * @errors: found since the last write to it
 * @icr: interrupt command, as one
 * @lvt: local vector table: timer, thermal, performance, LINT0, LINT1, error
 * @isr: interrupts in service
 * @tmr: those that were level-triggered
 * @irr: those requested
 * @divide: divide configuration of the timer
 * @initial: its initial count
 * @zero: when its count gets to zero, or %SVMRUN_NEVER
 * @tsc_deadline: IA32_TSC_DEADLINE, 0 if disarmed
 * @lint: levels of LINT0 and LINT1
 * @extint: an ExtINT message came
 * @nmi: an NMI came
 * @init: an INIT came
 * @waits: for a start-up message
 * @sipi: the vector of one that came, or -1
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
 * struct svmrun_apics_owner - what local APICs need of their machine
 * @wake: told that processor @id has something new to look at: an interrupt, NMI, INIT
 *        or start-up message. It may be the one whose access is under way.
 * @tsc: the time stamp counter that processor @id would read now, or NULL: the timer
 *       then has no TSC-deadline mode
 * @tsc_khz: its rate, as well as it is known by now, and not 0; NULL is as good as no
 *	@tsc
 * @eoi: told the vector of each level-triggered interrupt that ended; may be NULL
 * @owner: the first argument of all
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
 * @lapics: one a processor
 * @count: how many
 * @turn: the processor that got the last message of lowest priority
 * @owner: the machine
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
 * @apics: what they have in common, to be set up
 * @lapics: one a processor, to be set up; stay the caller's
 * @count: of processors, from 1 to %SVMRUN_LAPIC_MAX
 * @owner: is copied
 */
void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner);

/**
 * svmrun_apics_message() - send an interrupt from outside the processors
 * @apics: those that may accept it
 * @destination: the id, or the logical destination; 0xff and 0xffffffff are everyone
 * @logical: which of the two
 * @delivery_mode: SVMRUN_APIC_FIXED and so on; others than those of an I/O APIC's are
 *                 not delivered, and neither is an SMI
 * @vector: of a fixed or lowest-priority interrupt
 * @level_triggered: the end of that interrupt is to be told to the owner's eoi()
 *
 * Of the processors that match, an interrupt of lowest priority goes to the one whose
 * processor priority is lowest, and among equals to the next in turn.
 *
 * Return: whether any processor accepted it.
 */
bool svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int delivery_mode,
			  uint8_t vector, bool level_triggered);

/**
 * svmrun_lapic_is_at() - tell whether an address is that of the registers
 * @lapic: of the processor that uses the address
 * @gpa: the address
 *
 * The page follows IA32_APIC_BASE, and is not there but in xAPIC mode. Memory of the
 * guest at the same place hides it.
 *
 * Return: whether it is.
 */
bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa);

/**
 * svmrun_lapic_read() - read a register by memory
 * @lapic: of the processor that reads
 * @offset: in the page; inside a register's four bytes, the upper of them are read
 * @now: the time
 *
 * Return: the register; 0 between registers; all ones if not in xAPIC mode.
 */
uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now);

/**
 * svmrun_lapic_write() - write a register by memory
 * @lapic: of the processor that writes
 * @offset: in the page; swallowed unless it is a multiple of 16
 * @value: what
 * @now: the time
 */
void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now);

/**
 * svmrun_lapic_read_msr() - read a register by MSR
 * @lapic: of the processor that reads
 * @msr: IA32_APIC_BASE, IA32_TSC_DEADLINE or 0x800 to 0x8ff
 * @value: receives it
 * @now: the time
 *
 * Return: false if the guest gets a general-protection fault.
 */
bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now);

/**
 * svmrun_lapic_write_msr() - write a register by MSR
 * @lapic: of the processor that writes
 * @msr: IA32_APIC_BASE, IA32_TSC_DEADLINE or 0x800 to 0x8ff
 * @value: what
 * @now: the time
 *
 * CPUID's APIC bit follows bit 11 of IA32_APIC_BASE: that is the owner's task.
 *
 * Return: false if the guest gets a general-protection fault.
 */
bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now);

/**
 * svmrun_lapic_pending() - find the interrupt to be delivered next
 * @lapic: of the processor
 *
 * Return: the vector that has been requested and is above the processor's priority,
 * or -1.
 */
int svmrun_lapic_pending(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_acknowledge() - note that an interrupt is delivered
 * @lapic: of the processor
 * @vector: from svmrun_lapic_pending(); nothing happens if it is not requested
 */
void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector);

/**
 * svmrun_lapic_set_extint() - drive LINT0, where the 8259's output goes
 * @lapic: a struct svmrun_lapic, as of svmrun_line.set
 * @number: of no use
 * @level: high or low
 */
void svmrun_lapic_set_extint(void *lapic, unsigned int number, bool level);

/**
 * svmrun_lapic_set_nmi() - drive LINT1, where the chip set's NMI goes
 * @lapic: a struct svmrun_lapic, as of svmrun_line.set
 * @number: of no use
 * @level: high or low; its rise counts
 */
void svmrun_lapic_set_nmi(void *lapic, unsigned int number, bool level);

/**
 * svmrun_lapic_extint() - tell whether the 8259 interrupts the processor
 * @lapic: of the processor
 *
 * So it does if its output is high and LINT0 an unmasked ExtINT, or the APIC is
 * disabled in IA32_APIC_BASE; and once after an ExtINT message.
 *
 * Return: whether the 8259 is to be asked for a vector, after which
 * svmrun_lapic_acknowledge_extint() is due.
 */
bool svmrun_lapic_extint(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_acknowledge_extint() - note that the 8259's vector was asked for
 * @lapic: of the processor
 */
void svmrun_lapic_acknowledge_extint(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_nmi() - tell whether an NMI came
 * @lapic: of the processor
 *
 * Return: whether svmrun_lapic_take_nmi() would take one.
 */
bool svmrun_lapic_nmi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_nmi() - take the NMI that came
 * @lapic: of the processor
 *
 * Return: whether one did; several are one.
 */
bool svmrun_lapic_take_nmi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_init() - take the INIT that came
 * @lapic: of the processor, reset already
 *
 * Return: whether one did: the processor is to be reset too. The bootstrap processor
 * then runs from its reset vector; others wait, see svmrun_lapic_waits_for_sipi().
 */
bool svmrun_lapic_take_init(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_take_sipi() - take the start-up message that came
 * @lapic: of the processor
 *
 * The processor then waits no longer, and further messages are lost.
 *
 * Return: its vector: the processor starts in real mode at vector * 0x1000; or -1.
 */
int svmrun_lapic_take_sipi(struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_waits_for_sipi() - tell whether the processor must not run yet
 * @lapic: of the processor
 *
 * Return: whether it waits for svmrun_lapic_take_sipi() to have something.
 */
bool svmrun_lapic_waits_for_sipi(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_tpr() - read the task priority
 * @lapic: of the processor
 *
 * Return: the register, of eight bits; CR8 is the upper four.
 */
uint32_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_set_tpr() - write the task priority
 * @lapic: of the processor
 * @tpr: the register, of eight bits; CR8 is the upper four
 */
void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr);

/**
 * svmrun_lapic_deadline() - tell when the timer wants to be looked at
 * @lapic: of the processor
 *
 * Return: the time, or %SVMRUN_NEVER.
 */
uint64_t svmrun_lapic_deadline(const struct svmrun_lapic *lapic);

/**
 * svmrun_lapic_advance() - let the timer expire, if it does
 * @lapic: of the processor
 * @now: the time
 *
 * To be called, too, after that processor's time stamp counter was set, which moves
 * the deadline. Periods that were slept through are one interrupt; the next is on
 * time.
 */
void svmrun_lapic_advance(struct svmrun_lapic *lapic, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_LAPIC_H */
