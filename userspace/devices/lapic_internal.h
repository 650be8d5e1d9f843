/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interface between the files of the local APIC. Each file calls only those below it:
 *
 *	lapic_state.c	saving and loading the state
 *	lapic.c		registers, by memory and by MSR; initialization
 *	lapic_timer.c	the timer
 *	lapic_ipi.c	messages: destinations, and the interrupt command register
 *	lapic_accept.c	acceptance of messages, and of the local vector table's interrupts
 *	lapic_priority.c  processor priority, and the interrupt to deliver next
 */
#ifndef LAPIC_INTERNAL_H
#define LAPIC_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun/lapic.h>

#define BASE_BSP 0x100ull
#define BASE_X2APIC 0x400ull
#define BASE_ENABLE 0x800ull
#define BASE_MODE (BASE_X2APIC | BASE_ENABLE)
#define BASE_ADDRESS 0x000ffffffffff000ull

/* Entries of the local vector table, in the order of their registers */
enum {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERFORMANCE,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_ENTRIES
};

#define SVR_BITS 0x3ff
#define SVR_ENABLE 0x100

#define ICR_BITS 0x000ccfffu
#define ICR_STATUS 0x00001000u /* read-only */
#define ICR_LOGICAL 0x00000800u
#define ICR_ASSERT 0x00004000u
#define ICR_LEVEL 0x00008000u
#define ICR_DESTINATION 0xff000000u /* in the upper half, in xAPIC mode */

#define LVT_STATUS 0x01000
#define LVT_REMOTE_IRR 0x04000
#define LVT_LEVEL 0x08000
#define LVT_MASKED 0x10000
#define LVT_READ_ONLY (LVT_STATUS | LVT_REMOTE_IRR)

#define TIMER_ONE_SHOT 0
#define TIMER_PERIODIC 1
#define TIMER_DEADLINE 2

#define ESR_SENT_ILLEGAL_VECTOR 0x20 /* a vector below 16 */
#define ESR_RECEIVED_ILLEGAL_VECTOR 0x40
#define ESR_ILLEGAL_REGISTER 0x80

#define VECTOR_MIN 16 /* lower vectors are illegal */

/*
 * An access to a register. Most registers are the same by memory and by MSR. @value is
 * used only by writes.
 */
struct lapic_access {
	unsigned int reg;
	uint32_t value;
	uint64_t now;
};

static inline bool lapic_is_enabled(const struct svmrun_lapic *lapic)
{
	return lapic->base & BASE_ENABLE;
}

static inline bool lapic_is_xapic(const struct svmrun_lapic *lapic)
{
	return (lapic->base & BASE_MODE) == BASE_ENABLE;
}

static inline bool lapic_is_x2apic(const struct svmrun_lapic *lapic)
{
	return (lapic->base & BASE_MODE) == BASE_MODE;
}

static inline bool lapic_is_software_enabled(const struct svmrun_lapic *lapic)
{
	return lapic->svr & SVR_ENABLE;
}

static inline unsigned int lapic_delivery_mode(uint32_t entry)
{
	return entry >> 8 & 7;
}

static inline bool lvt_is_level(uint32_t entry)
{
	return entry & LVT_LEVEL &&
	       lapic_delivery_mode(entry) == SVMRUN_APIC_FIXED;
}

static inline uint32_t lapic_x2apic_ldr(const struct svmrun_lapic *lapic)
{
	return (lapic->id >> 4) << 16 | 1u << (lapic->id & 15);
}

/* ---- interrupt request, in-service and trigger mode registers --------------- */

static inline bool apic_test_vector(const uint32_t *map, uint8_t vector)
{
	return map[vector / 32] >> vector % 32 & 1;
}

static inline void apic_assign_vector(uint32_t *map, uint8_t vector, bool value)
{
	map[vector / 32] &= ~(1u << vector % 32);
	map[vector / 32] |= (uint32_t)value << vector % 32;
}

static inline int find_highest_vector(const uint32_t *map)
{
	for (int i = 7; i >= 0; i--)
		if (map[i])
			return 32 * i + 31 - __builtin_clz(map[i]);
	return -1;
}

/* ---- lapic_priority.c ------------------------------------------------------- */

/* Return the processor priority register. */
uint32_t lapic_processor_priority(const struct svmrun_lapic *lapic);

/* ---- lapic_accept.c --------------------------------------------------------- */

/* Reset everything except the levels of the pins and IA32_APIC_BASE. */
void lapic_reset(struct svmrun_lapic *lapic);

/* Accept a message, or return false. @mode is SVMRUN_APIC_FIXED and so on. */
bool lapic_accept(struct svmrun_lapic *lapic, unsigned int mode, uint8_t vector,
		  bool level);

/* Deliver the interrupt of an entry of the local vector table, unless it is masked. */
void lapic_raise_lvt(struct svmrun_lapic *lapic, unsigned int number);

/* End the interrupt of LINT0 or LINT1 if it has this vector. */
void lapic_end_lint(struct svmrun_lapic *lapic, unsigned int number,
		    uint8_t vector);

/* Set a bit of the error status (ESR_*), and raise the error interrupt. */
void lapic_record_error(struct svmrun_lapic *lapic, uint32_t error);

/* ---- lapic_ipi.c ------------------------------------------------------------ */

/* Send what the interrupt command register says. */
void lapic_send_ipi(struct svmrun_lapic *lapic);

/* ---- lapic_timer.c ---------------------------------------------------------- */

/* The mode in the timer's entry of the local vector table: TIMER_* */
unsigned int lapic_timer_mode(uint32_t entry);

/* Return whether the machine supports the TSC-deadline mode. */
bool lapic_timer_has_deadlines(const struct svmrun_lapic *lapic);

void lapic_timer_disarm(struct svmrun_lapic *lapic);

/* IA32_TSC_DEADLINE, and the timer's registers */
void lapic_timer_write_deadline(struct svmrun_lapic *lapic, uint64_t value,
				uint64_t now);
uint32_t lapic_timer_read_initial(const struct svmrun_lapic *lapic,
				  const struct lapic_access *access);
void lapic_timer_write_initial(struct svmrun_lapic *lapic,
			       const struct lapic_access *access);
uint32_t lapic_timer_read_current(const struct svmrun_lapic *lapic,
				  const struct lapic_access *access);
uint32_t lapic_timer_read_divide(const struct svmrun_lapic *lapic,
				 const struct lapic_access *access);
void lapic_timer_write_divide(struct svmrun_lapic *lapic,
			      const struct lapic_access *access);

#endif /* LAPIC_INTERNAL_H */
