// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>
#include <string.h>

#include <svmrun/lapic.h>

#include "ticks.h"

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800

#define BASE_BSP 0x100ull
#define BASE_X2APIC 0x400ull
#define BASE_ENABLE 0x800ull
#define BASE_MODE (BASE_X2APIC | BASE_ENABLE)
#define BASE_ADDRESS 0x000ffffffffff000ull

/* Registers: the offset in the page / 16, or the MSR - 0x800 */
enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_APR = 0x09,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_REMOTE_READ = 0x0c,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT = 0x32,
	REG_LVT_LAST = 0x37,
	REG_INITIAL_COUNT = 0x38,
	REG_CURRENT_COUNT = 0x39,
	REG_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
	REG_COUNT
};

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

#define VERSION_VALUE (0x14 | (LVT_ENTRIES - 1) << 16)

#define SVR_BITS 0x3ff
#define SVR_ENABLE 0x100

#define DFR_FLAT 0xf
#define DFR_CLUSTER 0x0

#define ICR_BITS 0x000ccfffu
#define ICR_STATUS 0x00001000u /* read-only */
#define ICR_LOGICAL 0x00000800u
#define ICR_ASSERT 0x00004000u
#define ICR_LEVEL 0x00008000u
#define ICR_DESTINATION 0xff000000u /* of the upper half, in xAPIC mode */

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

#define VECTOR_MIN 16 /* those below are the processor's own */

#define BROADCAST_X2APIC 0xffffffffu
#define BROADCAST_XAPIC 0xffu /* in eight bits */

/* One on its way; @but is left out, if not NULL. */
struct apic_message {
	uint32_t destination;
	bool everyone;
	bool logical;
	unsigned int mode;
	uint8_t vector;
	bool level;
	const struct svmrun_lapic *excluded;
};

static bool lapic_is_enabled(const struct svmrun_lapic *lapic)
{
	return lapic->base & BASE_ENABLE;
}

static bool lapic_is_xapic(const struct svmrun_lapic *lapic)
{
	return (lapic->base & BASE_MODE) == BASE_ENABLE;
}

static bool lapic_is_x2apic(const struct svmrun_lapic *lapic)
{
	return (lapic->base & BASE_MODE) == BASE_MODE;
}

static bool is_bootstrap(const struct svmrun_lapic *lapic)
{
	return lapic->base & BASE_BSP;
}

static bool lapic_is_software_enabled(const struct svmrun_lapic *lapic)
{
	return lapic->svr & SVR_ENABLE;
}

static bool apic_test_vector(const uint32_t *map, uint8_t vector)
{
	return map[vector / 32] >> vector % 32 & 1;
}

static void apic_assign_vector(uint32_t *map, uint8_t vector, bool value)
{
	map[vector / 32] &= ~(1u << vector % 32);
	map[vector / 32] |= (uint32_t)value << vector % 32;
}

static int find_highest_vector(const uint32_t *map)
{
	for (int i = 7; i >= 0; i--)
		if (map[i])
			return 32 * i + 31 - __builtin_clz(map[i]);
	return -1;
}

static void wake_processor(const struct svmrun_lapic *lapic)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;

	if (owner->wake)
		owner->wake(owner->owner, lapic->id);
}

/* Lines are not ours to reset, and an INIT is what may be doing it. */
static void lapic_reset(struct svmrun_lapic *lapic)
{
	lapic->tpr = 0;
	lapic->ldr = 0;
	lapic->dfr = UINT32_MAX;
	lapic->svr = 0xff;
	lapic->esr = 0;
	lapic->errors = 0;
	lapic->icr = 0;
	for (unsigned int i = 0; i < LVT_ENTRIES; i++)
		lapic->lvt[i] = LVT_MASKED;
	memset(lapic->isr, 0, sizeof(lapic->isr));
	memset(lapic->tmr, 0, sizeof(lapic->tmr));
	memset(lapic->irr, 0, sizeof(lapic->irr));
	lapic->divide = 0;
	lapic->initial = 0;
	lapic->zero = SVMRUN_NEVER;
	lapic->tsc_deadline = 0;
	lapic->extint = false;
}

/* What interrupts of the same class and below have to wait for: APM 16.6.4 */
static uint32_t lapic_processor_priority(const struct svmrun_lapic *lapic)
{
	int serviced = find_highest_vector(lapic->isr);
	uint32_t class = serviced < 0 ? 0 : serviced & 0xf0;

	return (lapic->tpr & 0xf0) >= class ? lapic->tpr : class;
}

/* Acceptance of a message, by delivery mode */

static void lapic_record_error(struct svmrun_lapic *lapic, uint32_t error);

static bool accept_fixed(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	if (!lapic_is_software_enabled(lapic))
		return false;
	if (vector < VECTOR_MIN) {
		lapic_record_error(lapic, ESR_RECEIVED_ILLEGAL_VECTOR);
		return false;
	}
	apic_assign_vector(lapic->irr, vector, true);
	apic_assign_vector(lapic->tmr, vector, level);
	wake_processor(lapic);
	return true;
}

/* One that waits has no stack yet to take it on. */
static bool accept_nmi(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	if (lapic->waits)
		return false;
	lapic->nmi = true;
	wake_processor(lapic);
	return true;
}

static bool accept_init(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	lapic_reset(lapic);
	lapic->nmi = false;
	lapic->init = true;
	lapic->sipi = -1;
	lapic->waits = !is_bootstrap(lapic);
	wake_processor(lapic);
	return true;
}

static bool accept_sipi(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	if (!lapic->waits)
		return false;
	lapic->sipi = vector;
	wake_processor(lapic);
	return true;
}

static bool accept_extint(struct svmrun_lapic *lapic, uint8_t vector,
			  bool level)
{
	if (!lapic_is_software_enabled(lapic))
		return false;
	lapic->extint = true;
	wake_processor(lapic);
	return true;
}

/* There is no system management mode here, and remote reads are refused. */
static bool (*const accepts[8])(struct svmrun_lapic *lapic, uint8_t vector,
				bool level) = {
	[SVMRUN_APIC_FIXED] = accept_fixed,
	[SVMRUN_APIC_LOWEST] = accept_fixed,
	[SVMRUN_APIC_NMI] = accept_nmi,
	[SVMRUN_APIC_INIT] = accept_init,
	[SVMRUN_APIC_SIPI] = accept_sipi,
	[SVMRUN_APIC_EXTINT] = accept_extint,
};

static bool lapic_accept(struct svmrun_lapic *lapic, unsigned int mode,
			 uint8_t vector, bool level)
{
	return accepts[mode] && accepts[mode](lapic, vector, level);
}

/* Interrupts of the local vector table */

static unsigned int delivery_mode(uint32_t entry)
{
	return entry >> 8 & 7;
}

static bool lvt_is_level(uint32_t entry)
{
	return entry & LVT_LEVEL && delivery_mode(entry) == SVMRUN_APIC_FIXED;
}

static void lapic_raise_lvt(struct svmrun_lapic *lapic, unsigned int number)
{
	uint32_t *entry = &lapic->lvt[number];
	unsigned int mode = delivery_mode(*entry);
	bool level = lvt_is_level(*entry);

	if (*entry & (LVT_MASKED | (level ? LVT_REMOTE_IRR : 0)))
		return;
	if (mode == SVMRUN_APIC_EXTINT) /* a level: see svmrun_lapic_extint() */
		wake_processor(lapic);
	else if (mode == SVMRUN_APIC_LOWEST || mode == SVMRUN_APIC_SIPI)
		return; /* reserved */
	else if (lapic_accept(lapic, mode, *entry, level) && level)
		*entry |= LVT_REMOTE_IRR;
}

static void lapic_end_lint(struct svmrun_lapic *lapic, unsigned int number,
			   uint8_t vector)
{
	uint32_t *entry = &lapic->lvt[LVT_LINT0 + number];

	if (!(*entry & LVT_REMOTE_IRR) || (uint8_t)*entry != vector)
		return;
	*entry &= ~LVT_REMOTE_IRR;
	if (lapic->lint[number] && lvt_is_level(*entry))
		lapic_raise_lvt(lapic, LVT_LINT0 + number);
}

/* SDM 10.5.3: one interrupt for each kind, until the register is written. */
static void lapic_record_error(struct svmrun_lapic *lapic, uint32_t error)
{
	if (lapic->errors & error)
		return;
	lapic->errors |= error;
	lapic_raise_lvt(lapic, LVT_ERROR);
}

/* A disabled APIC leaves the pins to be the processor's INTR and NMI. */
static void drive_lint(struct svmrun_lapic *lapic, unsigned int number,
		       bool level)
{
	bool rises = level && !lapic->lint[number];
	unsigned int entry = LVT_LINT0 + number;

	lapic->lint[number] = level;
	if (lapic_is_enabled(lapic)) {
		if (rises || (level && lvt_is_level(lapic->lvt[entry])))
			lapic_raise_lvt(lapic, entry);
	} else if (rises && number == 1) {
		accept_nmi(lapic, 0, false);
	} else if (rises) {
		wake_processor(lapic);
	}
}

void svmrun_lapic_set_extint(void *lapic, unsigned int number, bool level)
{
	drive_lint(lapic, 0, level);
}

void svmrun_lapic_set_nmi(void *lapic, unsigned int number, bool level)
{
	drive_lint(lapic, 1, level);
}

/* Messages between processors */

static uint32_t lapic_x2apic_ldr(const struct svmrun_lapic *lapic)
{
	return (lapic->id >> 4) << 16 | 1u << (lapic->id & 15);
}

static bool matches_x2apic_logical(const struct svmrun_lapic *lapic,
				   uint32_t destination)
{
	uint32_t own = lapic_x2apic_ldr(lapic);

	return own >> 16 == destination >> 16 && own & destination & 0xffff;
}

/* APM 16.6.1: a bit a processor, or clusters of four and 15 for all of them */
static bool matches_xapic_logical(const struct svmrun_lapic *lapic,
				  uint32_t destination)
{
	uint32_t own = lapic->ldr >> 24;

	if (destination > 0xff)
		return false;
	if (lapic->dfr >> 28 == DFR_FLAT)
		return own & destination;
	if (lapic->dfr >> 28 != DFR_CLUSTER)
		return false;
	return (own >> 4 == destination >> 4 || destination >> 4 == 0xf) &&
	       own & destination & 0xf;
}

static bool matches_message(const struct svmrun_lapic *lapic,
			    const struct apic_message *message)
{
	if (!lapic_is_enabled(lapic) || lapic == message->excluded)
		return false;
	if (message->everyone)
		return true;
	if (!message->logical)
		return lapic->id == message->destination;
	if (lapic_is_x2apic(lapic))
		return matches_x2apic_logical(lapic, message->destination);
	return matches_xapic_logical(lapic, message->destination);
}

/* APM 16.6.2. The one after the last that won is first, and wins among equals. */
static bool send_lowest_priority(struct svmrun_apics *apics,
				 const struct apic_message *message)
{
	struct svmrun_lapic *best = NULL;

	for (unsigned int i = 1; i <= apics->count; i++) {
		struct svmrun_lapic *lapic =
			&apics->lapics[(apics->turn + i) % apics->count];

		if (matches_message(lapic, message) &&
		    lapic_is_software_enabled(lapic) &&
		    (!best || lapic_processor_priority(lapic) <
				      lapic_processor_priority(best)))
			best = lapic;
	}
	if (!best)
		return false;
	apics->turn = best->id;
	return lapic_accept(best, message->mode, message->vector,
			    message->level);
}

static bool send_message(struct svmrun_apics *apics,
			 const struct apic_message *message)
{
	bool accepted = false;

	if (message->mode == SVMRUN_APIC_LOWEST)
		return send_lowest_priority(apics, message);
	for (unsigned int i = 0; i < apics->count; i++)
		if (matches_message(&apics->lapics[i], message))
			accepted |= lapic_accept(&apics->lapics[i],
						 message->mode, message->vector,
						 message->level);
	return accepted;
}

bool svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int delivery_mode,
			  uint8_t vector, bool level_triggered)
{
	const struct apic_message message = {
		.destination = destination,
		.everyone = destination == BROADCAST_X2APIC ||
			    destination == BROADCAST_XAPIC,
		.logical = logical,
		.mode = delivery_mode,
		.vector = vector,
		.level = level_triggered,
	};

	if (delivery_mode > SVMRUN_APIC_EXTINT ||
	    delivery_mode == SVMRUN_APIC_SIPI)
		return false;
	return send_message(apics, &message);
}

/* What may be sent with each shorthand, a bit a delivery mode: APM 16.5 */
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

#define SENDS_FIXED (1 << SVMRUN_APIC_FIXED)
#define SENDS_ANY                                                              \
	(SENDS_FIXED | 1 << SVMRUN_APIC_LOWEST | 1 << SVMRUN_APIC_SMI |        \
	 1 << SVMRUN_APIC_NMI | 1 << SVMRUN_APIC_INIT | 1 << SVMRUN_APIC_SIPI)

static const uint8_t sendable_modes[] = {
	[TO_DESTINATION] = SENDS_ANY,
	[TO_SELF] = SENDS_FIXED,
	[TO_ALL] = SENDS_FIXED,
	[TO_OTHERS] = SENDS_ANY,
};

/* An INIT whose level is taken back only matters to buses of old. */
static bool is_deassert(uint32_t command)
{
	return delivery_mode(command) == SVMRUN_APIC_INIT &&
	       command & ICR_LEVEL && !(command & ICR_ASSERT);
}

static void set_destination(const struct svmrun_lapic *lapic,
			    struct apic_message *message)
{
	bool wide = lapic_is_x2apic(lapic);

	message->destination = lapic->icr >> (wide ? 32 : 56);
	message->everyone = message->destination ==
			    (wide ? BROADCAST_X2APIC : BROADCAST_XAPIC);
	message->logical = lapic->icr & ICR_LOGICAL;
}

static void lapic_send_ipi(struct svmrun_lapic *lapic)
{
	uint32_t command = lapic->icr;
	unsigned int shorthand = command >> 18 & 3;
	struct apic_message message = {
		.everyone = shorthand == TO_ALL || shorthand == TO_OTHERS,
		.mode = delivery_mode(command),
		.vector = command,
		.excluded = shorthand == TO_OTHERS ? lapic : NULL,
	};

	if (!(sendable_modes[shorthand] >> message.mode & 1) ||
	    is_deassert(command))
		return;
	if (message.mode <= SVMRUN_APIC_LOWEST && message.vector < VECTOR_MIN) {
		lapic_record_error(lapic, ESR_SENT_ILLEGAL_VECTOR);
		return;
	}
	if (shorthand == TO_DESTINATION)
		set_destination(lapic, &message);
	else if (shorthand == TO_SELF)
		message.destination = lapic->id;
	send_message(lapic->apics, &message);
}

/* Timer: SDM 10.5.4 */

static unsigned int lapic_timer_mode(uint32_t entry)
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

static bool lapic_timer_has_deadlines(const struct svmrun_lapic *lapic)
{
	return lapic->apics->owner.tsc && lapic->apics->owner.tsc_khz;
}

/* 0 divides by 2, 6 by 128, and 7 by 1; bit 2 of the register is no part of it. */
static unsigned int timer_divide_shift(const struct svmrun_lapic *lapic)
{
	unsigned int code = (lapic->divide >> 1 & 4) | (lapic->divide & 3);

	return (code + 1) & 7;
}

static uint64_t timer_period(const struct svmrun_lapic *lapic)
{
	return (uint64_t)lapic->initial << timer_divide_shift(lapic);
}

/* So many periods that the guest gets to run between two of them */
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

static void lapic_timer_disarm(struct svmrun_lapic *lapic)
{
	lapic->initial = 0;
	lapic->zero = SVMRUN_NEVER;
	lapic->tsc_deadline = 0;
}

/* Never too early, if the rate is right; years ahead is as good as never. */
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

static void lapic_timer_write_deadline(struct svmrun_lapic *lapic,
				       uint64_t value, uint64_t now)
{
	if (lapic_timer_mode(lapic->lvt[LVT_TIMER]) != TIMER_DEADLINE)
		return;
	svmrun_lapic_advance(lapic, now);
	lapic->zero = SVMRUN_NEVER;
	lapic->tsc_deadline = value;
	svmrun_lapic_advance(lapic, now);
}

/*
 * Registers, most of which are the same by memory and by MSR. @value is that of a
 * write.
 */
struct lapic_access {
	unsigned int reg;
	uint32_t value;
	uint64_t now;
};

static uint32_t read_id(const struct svmrun_lapic *lapic,
			const struct lapic_access *access)
{
	return lapic_is_x2apic(lapic) ? lapic->id : lapic->id << 24;
}

static uint32_t read_version(const struct svmrun_lapic *lapic,
			     const struct lapic_access *access)
{
	return VERSION_VALUE;
}

static uint32_t read_tpr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->tpr;
}

static void write_tpr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->tpr = access->value & 0xff;
}

static uint32_t read_ppr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic_processor_priority(lapic);
}

static void write_eoi(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;
	int vector = find_highest_vector(lapic->isr);

	if (vector < 0)
		return;
	apic_assign_vector(lapic->isr, vector, false);
	if (!apic_test_vector(lapic->tmr, vector))
		return;
	lapic_end_lint(lapic, 0, vector);
	lapic_end_lint(lapic, 1, vector);
	if (owner->eoi)
		owner->eoi(owner->owner, vector);
}

static uint32_t read_ldr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic_is_x2apic(lapic) ? lapic_x2apic_ldr(lapic) : lapic->ldr;
}

static void write_ldr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->ldr = access->value & 0xff000000;
}

static uint32_t read_dfr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->dfr;
}

static void write_dfr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->dfr = access->value | 0x0fffffff;
}

static uint32_t read_svr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->svr;
}

/* What is disabled keeps its requests but masks its own sources: APM 16.4.7 */
static void write_svr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->svr = access->value & SVR_BITS;
	if (lapic_is_software_enabled(lapic))
		return;
	for (unsigned int i = 0; i < LVT_ENTRIES; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

static uint32_t read_vectors(const struct svmrun_lapic *lapic,
			     const struct lapic_access *access)
{
	if (access->reg < REG_TMR)
		return lapic->isr[access->reg - REG_ISR];
	if (access->reg < REG_IRR)
		return lapic->tmr[access->reg - REG_TMR];
	return lapic->irr[access->reg - REG_IRR];
}

static uint32_t read_esr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->esr;
}

static void write_esr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->esr = lapic->errors;
	lapic->errors = 0;
}

static uint32_t read_icr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return access->reg == REG_ICR ? lapic->icr : lapic->icr >> 32;
}

static void write_icr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	uint32_t high = lapic->icr >> 32;
	uint32_t low = lapic->icr;

	if (access->reg == REG_ICR)
		low = access->value & ICR_BITS & ~ICR_STATUS;
	else
		high = access->value & ICR_DESTINATION;
	lapic->icr = (uint64_t)high << 32 | low;
	if (access->reg == REG_ICR)
		lapic_send_ipi(lapic);
}

static uint32_t read_lvt(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->lvt[access->reg - REG_LVT];
}

static uint32_t lvt_bits(const struct svmrun_lapic *lapic, unsigned int number);

static void store_lvt(struct svmrun_lapic *lapic, unsigned int number,
		      uint32_t value)
{
	uint32_t *entry = &lapic->lvt[number];

	value &= lvt_bits(lapic, number) & ~LVT_READ_ONLY;
	*entry = value | (*entry & LVT_REMOTE_IRR);
	if (!lvt_is_level(*entry))
		*entry &= ~LVT_REMOTE_IRR;
	if (!lapic_is_software_enabled(lapic))
		*entry |= LVT_MASKED;
}

/* A change to or from TSC-deadline mode disarms the timer. */
static void write_timer(struct svmrun_lapic *lapic,
			const struct lapic_access *access)
{
	unsigned int old = lapic_timer_mode(lapic->lvt[LVT_TIMER]);
	unsigned int new;

	svmrun_lapic_advance(lapic, access->now);
	store_lvt(lapic, LVT_TIMER, access->value);
	new = lapic_timer_mode(lapic->lvt[LVT_TIMER]);
	if (old != new && (old | new) & TIMER_DEADLINE)
		lapic_timer_disarm(lapic);
}

static void write_lvt(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	unsigned int number = access->reg - REG_LVT;
	bool is_pin = number == LVT_LINT0 || number == LVT_LINT1;

	store_lvt(lapic, number, access->value);
	if (is_pin && lapic->lint[number - LVT_LINT0] &&
	    lvt_is_level(lapic->lvt[number]))
		lapic_raise_lvt(lapic, number);
}

static uint32_t lapic_timer_read_initial(const struct svmrun_lapic *lapic,
					 const struct lapic_access *access)
{
	return lapic->initial;
}

static void lapic_timer_write_initial(struct svmrun_lapic *lapic,
				      const struct lapic_access *access)
{
	if (!timer_counts(lapic))
		return;
	svmrun_lapic_advance(lapic, access->now);
	lapic->initial = access->value;
	lapic->zero = access->value ? access->now + timer_period(lapic) :
				      SVMRUN_NEVER;
}

static uint32_t lapic_timer_read_current(const struct svmrun_lapic *lapic,
					 const struct lapic_access *access)
{
	return timer_count(lapic, access->now);
}

static uint32_t lapic_timer_read_divide(const struct svmrun_lapic *lapic,
					const struct lapic_access *access)
{
	return lapic->divide;
}

/* A count that is under way goes on from where it is, at the new pace. */
static void lapic_timer_write_divide(struct svmrun_lapic *lapic,
				     const struct lapic_access *access)
{
	uint64_t left;

	svmrun_lapic_advance(lapic, access->now);
	left = timer_count(lapic, access->now);
	lapic->divide = access->value & 0xb;
	if (left)
		lapic->zero = access->now + (left << timer_divide_shift(lapic));
}

static void write_self_ipi(struct svmrun_lapic *lapic,
			   const struct lapic_access *access)
{
	lapic_accept(lapic, SVMRUN_APIC_FIXED, access->value, false);
}

#define IN_XAPIC 1
#define IN_X2APIC 2
#define IN_BOTH (IN_XAPIC | IN_X2APIC)

/* @bits: others are reserved, which MSRs enforce */
struct lapic_register {
	uint8_t modes;
	uint32_t bits;
	uint32_t (*read)(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access);
	void (*write)(struct svmrun_lapic *lapic,
		      const struct lapic_access *access);
};

/* APR and the remote read register are there, and of no use: they read as 0. */
static const struct lapic_register registers[REG_COUNT] = {
	[REG_ID] = { IN_BOTH, 0, read_id, NULL },
	[REG_VERSION] = { IN_BOTH, 0, read_version, NULL },
	[REG_TPR] = { IN_BOTH, 0xff, read_tpr, write_tpr },
	[REG_APR] = { IN_XAPIC, 0, NULL, NULL },
	[REG_PPR] = { IN_BOTH, 0, read_ppr, NULL },
	[REG_EOI] = { IN_BOTH, 0, NULL, write_eoi },
	[REG_REMOTE_READ] = { IN_XAPIC, 0, NULL, NULL },
	[REG_LDR] = { IN_XAPIC, 0, read_ldr, write_ldr },
	[REG_DFR] = { IN_XAPIC, 0, read_dfr, write_dfr },
	[REG_SVR] = { IN_BOTH, SVR_BITS, read_svr, write_svr },
	[REG_ISR... REG_ESR - 1] = { IN_BOTH, 0, read_vectors, NULL },
	[REG_ESR] = { IN_BOTH, 0, read_esr, write_esr },
	[REG_ICR] = { IN_BOTH, ICR_BITS, read_icr, write_icr },
	[REG_ICR_HIGH] = { IN_XAPIC, 0, read_icr, write_icr },
	[REG_LVT + LVT_TIMER] = { IN_BOTH, 0x710ff, read_lvt, write_timer },
	[REG_LVT + LVT_THERMAL] = { IN_BOTH, 0x117ff, read_lvt, write_lvt },
	[REG_LVT + LVT_PERFORMANCE] = { IN_BOTH, 0x117ff, read_lvt, write_lvt },
	[REG_LVT + LVT_LINT0] = { IN_BOTH, 0x1f7ff, read_lvt, write_lvt },
	[REG_LVT + LVT_LINT1] = { IN_BOTH, 0x1f7ff, read_lvt, write_lvt },
	[REG_LVT + LVT_ERROR] = { IN_BOTH, 0x110ff, read_lvt, write_lvt },
	[REG_INITIAL_COUNT] = { IN_BOTH, UINT32_MAX, lapic_timer_read_initial,
				lapic_timer_write_initial },
	[REG_CURRENT_COUNT] = { IN_BOTH, 0, lapic_timer_read_current, NULL },
	[REG_DIVIDE] = { IN_BOTH, 0xb, lapic_timer_read_divide,
			 lapic_timer_write_divide },
	[REG_SELF_IPI] = { IN_X2APIC, 0xff, NULL, write_self_ipi },
};

/* The mode bit of TSC deadlines is reserved where there are none. */
static uint32_t lvt_bits(const struct svmrun_lapic *lapic, unsigned int number)
{
	uint32_t bits = registers[REG_LVT + number].bits;

	if (number == LVT_TIMER && !lapic_timer_has_deadlines(lapic))
		bits &= ~(TIMER_DEADLINE << 17);
	return bits;
}

static const struct lapic_register *find_register(unsigned int reg,
						  unsigned int mode)
{
	if (reg < REG_COUNT && registers[reg].modes & mode)
		return &registers[reg];
	return NULL;
}

/* Registers by memory */

bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa)
{
	return lapic_is_xapic(lapic) &&
	       (gpa & ~0xfffull) == (lapic->base & BASE_ADDRESS);
}

uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now)
{
	const struct lapic_access access = { .reg = offset / 16, .now = now };
	const struct lapic_register *reg = find_register(access.reg, IN_XAPIC);

	if (!lapic_is_xapic(lapic))
		return UINT32_MAX;
	if (offset % 16 >= 4)
		return 0;
	if (!reg)
		lapic_record_error(lapic, ESR_ILLEGAL_REGISTER);
	if (!reg || !reg->read)
		return 0;
	return reg->read(lapic, &access) >> 8 * (offset % 16);
}

void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now)
{
	const struct lapic_access access = { offset / 16, value, now };
	const struct lapic_register *reg = find_register(access.reg, IN_XAPIC);

	if (!lapic_is_xapic(lapic) || offset % 16)
		return;
	if (!reg)
		lapic_record_error(lapic, ESR_ILLEGAL_REGISTER);
	else if (reg->write)
		reg->write(lapic, &access);
}

/* Registers by MSR */

enum { DISABLED, INVALID, XAPIC, X2APIC };

static unsigned int base_mode(uint64_t base)
{
	return (base & BASE_MODE) / BASE_X2APIC;
}

/* SDM 10.12.5: a bit for each mode that may follow */
static const uint8_t follows[] = {
	[DISABLED] = 1 << DISABLED | 1 << XAPIC,
	[XAPIC] = 1 << DISABLED | 1 << XAPIC | 1 << X2APIC,
	[X2APIC] = 1 << DISABLED | 1 << X2APIC,
};

/* Which processor is the bootstrap one is not for software to say. */
static bool write_apic_base(struct svmrun_lapic *lapic, uint64_t value)
{
	unsigned int old = base_mode(lapic->base);
	unsigned int new = base_mode(value);

	if (value & ~(BASE_BSP | BASE_MODE | BASE_ADDRESS) ||
	    !(follows[old] >> new & 1))
		return false;
	if (new == DISABLED && old != DISABLED)
		lapic_reset(lapic);
	if (new == X2APIC && old != X2APIC)
		lapic->icr = (uint32_t)lapic->icr;
	lapic->base = (value & ~BASE_BSP) | (lapic->base & BASE_BSP);
	return true;
}

static bool write_wide_icr(struct svmrun_lapic *lapic, uint64_t value)
{
	if ((uint32_t)value & ~ICR_BITS)
		return false;
	lapic->icr = value & ~(uint64_t)ICR_STATUS;
	lapic_send_ipi(lapic);
	return true;
}

static bool read_x2apic_msr(struct svmrun_lapic *lapic, unsigned int number,
			    uint64_t *value, uint64_t now)
{
	const struct lapic_access access = { .reg = number, .now = now };
	const struct lapic_register *reg = find_register(number, IN_X2APIC);

	if (number == REG_LDR) {
		*value = lapic_x2apic_ldr(lapic);
		return true;
	}
	if (!reg || !reg->read)
		return false;
	*value = number == REG_ICR ? lapic->icr : reg->read(lapic, &access);
	return true;
}

static bool write_x2apic_msr(struct svmrun_lapic *lapic, unsigned int number,
			     uint64_t value, uint64_t now)
{
	const struct lapic_access access = { number, value, now };
	const struct lapic_register *reg = find_register(number, IN_X2APIC);
	uint32_t bits;

	if (!reg || !reg->write)
		return false;
	if (number == REG_ICR)
		return write_wide_icr(lapic, value);
	bits = reg->bits;
	if (number == REG_LVT + LVT_TIMER)
		bits = lvt_bits(lapic, LVT_TIMER);
	if (value & ~(uint64_t)bits)
		return false;
	reg->write(lapic, &access);
	return true;
}

bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now)
{
	if (msr == MSR_APIC_BASE) {
		*value = lapic->base;
		return true;
	}
	if (msr == MSR_TSC_DEADLINE) {
		svmrun_lapic_advance(lapic, now);
		*value = lapic->tsc_deadline;
		return lapic_timer_has_deadlines(lapic);
	}
	return msr >= MSR_X2APIC && lapic_is_x2apic(lapic) &&
	       read_x2apic_msr(lapic, msr - MSR_X2APIC, value, now);
}

bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now)
{
	if (msr == MSR_APIC_BASE)
		return write_apic_base(lapic, value);
	if (msr == MSR_TSC_DEADLINE) {
		lapic_timer_write_deadline(lapic, value, now);
		return lapic_timer_has_deadlines(lapic);
	}
	return msr >= MSR_X2APIC && lapic_is_x2apic(lapic) &&
	       write_x2apic_msr(lapic, msr - MSR_X2APIC, value, now);
}

/* What the processor takes */

int svmrun_lapic_pending(const struct svmrun_lapic *lapic)
{
	int vector = find_highest_vector(lapic->irr);

	if (vector < 0 ||
	    (vector & 0xf0u) <= (lapic_processor_priority(lapic) & 0xf0))
		return -1;
	return vector;
}

void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector)
{
	if (!apic_test_vector(lapic->irr, vector))
		return;
	apic_assign_vector(lapic->irr, vector, false);
	apic_assign_vector(lapic->isr, vector, true);
}

bool svmrun_lapic_extint(const struct svmrun_lapic *lapic)
{
	uint32_t entry = lapic->lvt[LVT_LINT0];

	if (!lapic_is_enabled(lapic))
		return lapic->lint[0];
	if (lapic->extint)
		return true;
	return lapic->lint[0] && delivery_mode(entry) == SVMRUN_APIC_EXTINT &&
	       !(entry & LVT_MASKED);
}

void svmrun_lapic_acknowledge_extint(struct svmrun_lapic *lapic)
{
	lapic->extint = false;
}

static bool test_and_clear(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

bool svmrun_lapic_nmi(const struct svmrun_lapic *lapic)
{
	return lapic->nmi;
}

bool svmrun_lapic_take_nmi(struct svmrun_lapic *lapic)
{
	return test_and_clear(&lapic->nmi);
}

bool svmrun_lapic_take_init(struct svmrun_lapic *lapic)
{
	return test_and_clear(&lapic->init);
}

int svmrun_lapic_take_sipi(struct svmrun_lapic *lapic)
{
	int vector = lapic->sipi;

	if (vector >= 0)
		lapic->waits = false;
	lapic->sipi = -1;
	return vector;
}

bool svmrun_lapic_waits_for_sipi(const struct svmrun_lapic *lapic)
{
	return lapic->waits;
}

uint32_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic)
{
	return lapic->tpr;
}

void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr)
{
	lapic->tpr = tpr;
}

static void init_lapic(struct svmrun_lapic *lapic, struct svmrun_apics *apics,
		       unsigned int id)
{
	*lapic = (struct svmrun_lapic){
		.apics = apics,
		.id = id,
		.base = SVMRUN_LAPIC_GPA | BASE_ENABLE | (id ? 0 : BASE_BSP),
		.waits = id,
		.sipi = -1,
	};
	lapic_reset(lapic);
}

static void set_virtual_wire(struct svmrun_lapic *lapic)
{
	lapic->svr |= SVR_ENABLE;
	lapic->lvt[LVT_LINT0] = SVMRUN_APIC_EXTINT << 8;
	lapic->lvt[LVT_LINT1] = SVMRUN_APIC_NMI << 8;
}

void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner)
{
	*apics = (struct svmrun_apics){
		.lapics = lapics,
		.count = count,
		.turn = count - 1,
		.owner = *owner,
	};
	for (unsigned int i = 0; i < count; i++)
		init_lapic(&lapics[i], apics, i);
	set_virtual_wire(&lapics[0]);
}
