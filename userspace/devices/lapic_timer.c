// SPDX-License-Identifier: LGPL-2.1-or-later
/* The local APIC's timer (SDM 10.5.4): one-shot, periodic and TSC-deadline mode */
#include "lapic_internal.h"
#include "ticks.h"

unsigned int lapic_timer_mode(uint32_t entry)
{
	return entry >> 17 & 3;
}

static bool timer_counts(const struct svmrun_lapic *lapic)
{
	return lapic_timer_mode(lapic->lvt[LVT_TIMER]) <= TIMER_PERIODIC;
}

static bool timer_is_periodic(const struct svmrun_lapic *lapic)
{
	return lapic_timer_mode(lapic->lvt[LVT_TIMER]) == TIMER_PERIODIC;
}

bool lapic_timer_has_deadlines(const struct svmrun_lapic *lapic)
{
	return lapic->apics->owner.tsc && lapic->apics->owner.tsc_khz;
}

/* Codes 0 to 6 divide by 2 to 128, and 7 by 1. The code is in bits 3, 1 and 0. */
static unsigned int timer_divide_shift(const struct svmrun_lapic *lapic)
{
	unsigned int code = (lapic->divide >> 1 & 4) | (lapic->divide & 3);

	return (code + 1) & 7;
}

static uint64_t timer_period(const struct svmrun_lapic *lapic)
{
	return (uint64_t)lapic->initial << timer_divide_shift(lapic);
}

/* Return a multiple of the period that lets the guest run between two interrupts. */
static uint64_t timer_interrupt_interval(const struct svmrun_lapic *lapic)
{
	uint64_t length = timer_period(lapic);

	return (PERIOD_MIN_NS + length - 1) / length * length;
}

static uint64_t timer_time_left(const struct svmrun_lapic *lapic, uint64_t now)
{
	if (now < lapic->zero && timer_is_periodic(lapic))
		return (lapic->zero - now - 1) % timer_period(lapic) + 1;
	if (now < lapic->zero)
		return lapic->zero - now;
	if (timer_is_periodic(lapic))
		return timer_period(lapic) -
		       (now - lapic->zero) % timer_period(lapic);
	return 0;
}

static uint32_t timer_count(const struct svmrun_lapic *lapic, uint64_t now)
{
	unsigned int shift = timer_divide_shift(lapic);

	if (lapic->zero == SVMRUN_NEVER || !timer_counts(lapic))
		return 0;
	return (timer_time_left(lapic, now) + (1u << shift) - 1) >> shift;
}

void lapic_timer_disarm(struct svmrun_lapic *lapic)
{
	lapic->initial = 0;
	lapic->zero = SVMRUN_NEVER;
	lapic->tsc_deadline = 0;
}

/* Round up, so as not to expire too early. A deadline years ahead is limited. */
static uint64_t tsc_to_ns(uint64_t ticks, uint32_t khz)
{
	uint64_t ms = ticks / khz;

	if (ms > UINT64_MAX / 4000000)
		return UINT64_MAX / 4;
	return ms * 1000000 + (ticks % khz * 1000000 + khz - 1) / khz;
}

static void update_tsc_deadline(struct svmrun_lapic *lapic, uint64_t now)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;
	uint64_t tsc;

	if (!lapic->tsc_deadline)
		return;
	tsc = owner->tsc(owner->owner, lapic->id);
	lapic->zero = now;
	if (tsc < lapic->tsc_deadline)
		lapic->zero += tsc_to_ns(lapic->tsc_deadline - tsc,
					 owner->tsc_khz(owner->owner));
}

uint64_t svmrun_lapic_deadline(const struct svmrun_lapic *lapic)
{
	return lapic->zero;
}

void svmrun_lapic_advance(struct svmrun_lapic *lapic, uint64_t now)
{
	update_tsc_deadline(lapic, now);
	if (lapic->zero == SVMRUN_NEVER || now < lapic->zero)
		return;
	if (timer_is_periodic(lapic)) {
		lapic->zero = now + timer_time_left(lapic, now) +
			      timer_interrupt_interval(lapic) -
			      timer_period(lapic);
	} else {
		lapic->zero = SVMRUN_NEVER;
		lapic->tsc_deadline = 0;
	}
	lapic_raise_lvt(lapic, LVT_TIMER);
}

void lapic_timer_write_deadline(struct svmrun_lapic *lapic, uint64_t value,
				uint64_t now)
{
	if (lapic_timer_mode(lapic->lvt[LVT_TIMER]) != TIMER_DEADLINE)
		return;
	svmrun_lapic_advance(lapic, now);
	lapic->zero = SVMRUN_NEVER;
	lapic->tsc_deadline = value;
	svmrun_lapic_advance(lapic, now);
}

uint32_t lapic_timer_read_initial(const struct svmrun_lapic *lapic,
				  const struct lapic_access *access)
{
	return lapic->initial;
}

void lapic_timer_write_initial(struct svmrun_lapic *lapic,
			       const struct lapic_access *access)
{
	if (!timer_counts(lapic))
		return;
	svmrun_lapic_advance(lapic, access->now);
	lapic->initial = access->value;
	lapic->zero = access->value ? access->now + timer_period(lapic) :
				      SVMRUN_NEVER;
}

uint32_t lapic_timer_read_current(const struct svmrun_lapic *lapic,
				  const struct lapic_access *access)
{
	return timer_count(lapic, access->now);
}

uint32_t lapic_timer_read_divide(const struct svmrun_lapic *lapic,
				 const struct lapic_access *access)
{
	return lapic->divide;
}

/* A running count continues from its present value with the new divider. */
void lapic_timer_write_divide(struct svmrun_lapic *lapic,
			      const struct lapic_access *access)
{
	uint64_t left;

	svmrun_lapic_advance(lapic, access->now);
	left = timer_count(lapic, access->now);
	lapic->divide = access->value & 0xb;
	if (left)
		lapic->zero = access->now + (left << timer_divide_shift(lapic));
}
