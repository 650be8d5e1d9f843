// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>

#include <svmrun/lapic.h>

#define BIT(n) (1u << (n))

/* Registers, by their number: offset / 16, or MSR - 800h (APM table 16-2) */
enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_APR = 0x09,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
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
	REG_INITIAL = 0x38,
	REG_CURRENT = 0x39,
	REG_DIVIDE = 0x3e,
	REG_SELF = 0x3f, /* x2APIC alone */
};

enum {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERFORMANCE,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR
};

#define MSR_BASE 0x1b
#define MSR_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_X2APIC_END 0x8ff

#define BASE_FIRST BIT(8)
#define BASE_X2APIC BIT(10)
#define BASE_ENABLED BIT(11)

#define VERSION 0x14
#define SVR_ENABLED BIT(8)
#define SVR_BITS 0x1ff
#define LVT_MASKED BIT(16)
#define LVT_VECTOR 0xff
#define LVT_MODE 0x700
#define LVT_MODE_NMI 0x400
#define LVT_MODE_EXTINT 0x700
#define TIMER_MODE 0x60000
#define TIMER_PERIODIC 0x20000
#define TIMER_DEADLINE 0x40000
#define DIVIDE_BITS 0x0b

#define ICR_MODE 0x700
#define ICR_LOGICAL BIT(11)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_BITS 0xcefff
#define ICR_READ_ONLY BIT(12) /* delivery status: always done */
#define ICR_SHORTHAND 0xc0000

enum {
	MODE_FIXED,
	MODE_LOWEST,
	MODE_SMI,
	MODE_READ,
	MODE_NMI,
	MODE_INIT,
	MODE_SIPI,
	MODE_EXTINT
};
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

#define ERROR_SENT BIT(5) /* illegal vector */
#define ERROR_RECEIVED BIT(6)
#define ERROR_REGISTER BIT(7)
#define FIRST_VECTOR 16
#define FLAT 0xf /* DFR's model */
#define BROADCAST 0xff

static const uint32_t lvt_bits[SVMRUN_LAPIC_LVTS] = {
	[LVT_TIMER] = LVT_VECTOR | LVT_MASKED | TIMER_MODE,
	[LVT_THERMAL] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
	[LVT_PERFORMANCE] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
	[LVT_LINT0] = LVT_VECTOR | LVT_MODE | BIT(13) | BIT(15) | LVT_MASKED,
	[LVT_LINT1] = LVT_VECTOR | LVT_MODE | BIT(13) | BIT(15) | LVT_MASKED,
	[LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

static bool is_x2apic(const struct svmrun_lapic *lapic)
{
	return lapic->base & BASE_X2APIC;
}

static bool is_enabled(const struct svmrun_lapic *lapic)
{
	return (lapic->base & BASE_ENABLED) && (lapic->svr & SVR_ENABLED);
}

static void wake(const struct svmrun_lapic *lapic)
{
	lapic->apics->owner.wake(lapic->apics->owner.owner, lapic->id);
}

/* ---- sets of vectors ------------------------------------------------------ */

static bool has(const uint32_t *set, uint8_t vector)
{
	return set[vector / 32] >> (vector % 32) & 1;
}

static void add(uint32_t *set, uint8_t vector)
{
	set[vector / 32] |= BIT(vector % 32);
}

static void drop(uint32_t *set, uint8_t vector)
{
	set[vector / 32] &= ~BIT(vector % 32);
}

static int highest(const uint32_t *set)
{
	int i;

	for (i = 7; i >= 0; i--)
		if (set[i])
			return 32 * i + 31 - __builtin_clz(set[i]);
	return -1;
}

/* ---- interrupts ----------------------------------------------------------- */

/* APM 16.6.5: the higher of the task and of what is in service */
static uint8_t priority(const struct svmrun_lapic *lapic)
{
	int serviced = highest(lapic->isr);
	uint8_t class = serviced < 0 ? 0 : serviced & 0xf0;

	return (lapic->tpr & 0xf0) >= class ? lapic->tpr : class;
}

int svmrun_lapic_pending(const struct svmrun_lapic *lapic)
{
	int vector = highest(lapic->irr);

	if (vector < 0 || !is_enabled(lapic) ||
	    (vector & 0xf0) <= (priority(lapic) & 0xf0))
		return -1;
	return vector;
}

void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector)
{
	drop(lapic->irr, vector);
	add(lapic->isr, vector);
}

static void request(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	if (level)
		add(lapic->tmr, vector);
	else
		drop(lapic->tmr, vector);
	add(lapic->irr, vector);
	wake(lapic);
}

static void error(struct svmrun_lapic *lapic, uint32_t which)
{
	uint32_t lvt = lapic->lvt[LVT_ERROR];

	lapic->errors |= which;
	if (!(lvt & LVT_MASKED) && (lvt & LVT_VECTOR) >= FIRST_VECTOR)
		request(lapic, lvt & LVT_VECTOR, false);
}

static void receive(struct svmrun_lapic *lapic, uint8_t vector, bool level)
{
	if (!is_enabled(lapic))
		return;
	if (vector < FIRST_VECTOR)
		error(lapic, ERROR_RECEIVED);
	else
		request(lapic, vector, level);
}

static void end_of_interrupt(struct svmrun_lapic *lapic)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;
	int vector = highest(lapic->isr);

	if (vector < 0)
		return;
	drop(lapic->isr, vector);
	if (has(lapic->tmr, vector) && owner->eoi)
		owner->eoi(owner->owner, vector);
}

void svmrun_lapic_set_extint(void *owner, unsigned int number, bool level)
{
	struct svmrun_lapic *lapic = owner;

	lapic->extint = level;
	if (level)
		wake(lapic);
}

bool svmrun_lapic_extint(const struct svmrun_lapic *lapic)
{
	uint32_t lvt = lapic->lvt[LVT_LINT0];

	if (!lapic->extint || !(lapic->base & BASE_ENABLED))
		return lapic->extint;
	return !(lvt & LVT_MASKED) && (lvt & LVT_MODE) == LVT_MODE_EXTINT;
}

/* ---- messages ------------------------------------------------------------- */

static void send_nmi(struct svmrun_lapic *lapic)
{
	lapic->nmi = true;
	wake(lapic);
}

static void send_init(struct svmrun_lapic *lapic)
{
	lapic->init = true;
	wake(lapic);
}

static void send_sipi(struct svmrun_lapic *lapic, uint8_t vector)
{
	if (!lapic->waits && !lapic->init)
		return;
	lapic->sipi = vector;
	wake(lapic);
}

static void deliver(struct svmrun_lapic *lapic, unsigned int mode,
		    uint8_t vector, bool level)
{
	switch (mode) {
	case MODE_FIXED:
	case MODE_LOWEST:
		receive(lapic, vector, level);
		break;
	case MODE_NMI:
		send_nmi(lapic);
		break;
	case MODE_INIT:
		send_init(lapic);
		break;
	case MODE_SIPI:
		send_sipi(lapic, vector);
		break;
	default: /* there is no SMM, and the 8259 has a wire */
		break;
	}
}

static bool matches_logical(const struct svmrun_lapic *lapic,
			    uint32_t destination)
{
	uint32_t ldr = lapic->ldr;

	if (is_x2apic(lapic))
		return ldr >> 16 == destination >> 16 &&
		       (ldr & destination & 0xffff);
	ldr >>= 24;
	if (lapic->dfr >> 28 == FLAT)
		return ldr & destination;
	return ldr >> 4 == (destination >> 4 & 0xf) &&
	       (ldr & destination & 0xf);
}

static bool matches(const struct svmrun_lapic *lapic, uint32_t destination,
		    bool logical)
{
	uint32_t all = is_x2apic(lapic) ? UINT32_MAX : BROADCAST;

	if (!(lapic->base & BASE_ENABLED))
		return false;
	if (destination == all || destination == BROADCAST)
		return true;
	return logical ? matches_logical(lapic, destination) :
			 lapic->id == destination;
}

/* Of those that match, the one with the lowest priority; in turns among equals */
static struct svmrun_lapic *lowest(struct svmrun_apics *apics,
				   uint32_t destination, bool logical)
{
	struct svmrun_lapic *lapic, *best = NULL;
	unsigned int i;

	for (i = 0; i < apics->count; i++) {
		lapic = &apics->lapics[(apics->next + i) % apics->count];
		if (matches(lapic, destination, logical) && is_enabled(lapic) &&
		    (!best || priority(lapic) < priority(best)))
			best = lapic;
	}
	if (best)
		apics->next = (best->id + 1) % apics->count;
	return best;
}

void svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int mode, uint8_t vector,
			  bool level)
{
	struct svmrun_lapic *one;
	unsigned int i;

	if (mode == MODE_LOWEST) {
		one = lowest(apics, destination, logical);
		if (one)
			receive(one, vector, level);
		return;
	}
	for (i = 0; i < apics->count; i++)
		if (matches(&apics->lapics[i], destination, logical))
			deliver(&apics->lapics[i], mode, vector, level);
}

static void send_to_many(struct svmrun_lapic *lapic, bool self,
			 unsigned int mode, uint8_t vector)
{
	struct svmrun_apics *apics = lapic->apics;
	unsigned int i;

	for (i = 0; i < apics->count; i++)
		if (self || &apics->lapics[i] != lapic)
			deliver(&apics->lapics[i], mode, vector, false);
}

static void send(struct svmrun_lapic *lapic)
{
	uint32_t low = lapic->icr, destination = lapic->icr >> 32;
	unsigned int mode = (low & ICR_MODE) >> 8;
	uint8_t vector = low;

	if (mode == MODE_INIT && !(low & ICR_ASSERT))
		return; /* INIT's de-assertion sets arbitration IDs, of which
			 * there are none
			 */
	if (mode <= MODE_LOWEST && vector < FIRST_VECTOR) {
		error(lapic, ERROR_SENT);
		return;
	}
	switch ((low & ICR_SHORTHAND) >> 18) {
	case TO_SELF:
		receive(lapic, vector, false);
		break;
	case TO_ALL:
	case TO_OTHERS:
		send_to_many(lapic, !(low & BIT(18)), mode, vector);
		break;
	default:
		if (!is_x2apic(lapic))
			destination >>= 24;
		svmrun_apics_message(lapic->apics, destination,
				     low & ICR_LOGICAL, mode, vector, false);
		break;
	}
}

bool svmrun_lapic_nmi(const struct svmrun_lapic *lapic)
{
	return lapic->nmi;
}

bool svmrun_lapic_take_nmi(struct svmrun_lapic *lapic)
{
	bool nmi = lapic->nmi;

	lapic->nmi = false;
	return nmi;
}

/* ---- timer ---------------------------------------------------------------- */

static uint32_t timer_mode(const struct svmrun_lapic *lapic)
{
	return lapic->lvt[LVT_TIMER] & TIMER_MODE;
}

/* APM 16.4.1: 111b is 1, 000b is 2, 001b is 4 */
static uint64_t divisor(const struct svmrun_lapic *lapic)
{
	uint32_t code = (lapic->divide & 3) | (lapic->divide & 8) >> 1;

	return 1ull << ((code + 1) & 7);
}

static uint64_t period(const struct svmrun_lapic *lapic)
{
	return lapic->initial * divisor(lapic);
}

static void start_timer(struct svmrun_lapic *lapic, uint64_t now)
{
	lapic->started = now;
	lapic->deadline = lapic->initial ? now + period(lapic) : SVMRUN_NEVER;
}

static uint32_t current(const struct svmrun_lapic *lapic, uint64_t now)
{
	if (lapic->deadline == SVMRUN_NEVER || now >= lapic->deadline ||
	    timer_mode(lapic) == TIMER_DEADLINE)
		return 0;
	return (lapic->deadline - now) / divisor(lapic);
}

/* A deadline that is past has come. */
static void start_deadline(struct svmrun_lapic *lapic, uint64_t now)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;
	uint64_t tsc = owner->tsc(owner->owner, lapic->id), ahead;
	uint32_t khz = owner->tsc_khz(owner->owner);

	lapic->deadline = now;
	if (lapic->tsc_deadline <= tsc || !khz)
		return;
	ahead = lapic->tsc_deadline - tsc;
	lapic->deadline = ahead > UINT64_MAX / 1000000 / 2 ?
				  SVMRUN_NEVER :
				  now + ahead * 1000000 / khz + 1;
}

static void set_deadline(struct svmrun_lapic *lapic, uint64_t value,
			 uint64_t now)
{
	if (timer_mode(lapic) != TIMER_DEADLINE)
		return;
	lapic->tsc_deadline = value;
	lapic->deadline = SVMRUN_NEVER;
	if (value)
		start_deadline(lapic, now);
}

/* Changing to or from TSC-deadline mode stops the timer. */
static void set_timer(struct svmrun_lapic *lapic, uint32_t value)
{
	if ((value ^ lapic->lvt[LVT_TIMER]) & TIMER_DEADLINE) {
		lapic->deadline = SVMRUN_NEVER;
		lapic->tsc_deadline = 0;
		lapic->initial = 0;
	}
	lapic->lvt[LVT_TIMER] = value;
}

uint64_t svmrun_lapic_deadline(const struct svmrun_lapic *lapic)
{
	return lapic->deadline;
}

/* Periods that were slept through are one. */
static void next_period(struct svmrun_lapic *lapic, uint64_t now)
{
	uint64_t length = period(lapic);

	lapic->deadline = SVMRUN_NEVER;
	if (timer_mode(lapic) != TIMER_PERIODIC || !length)
		return;
	lapic->started += (now - lapic->started) / length * length;
	lapic->deadline = lapic->started + length;
}

void svmrun_lapic_advance(struct svmrun_lapic *lapic, uint64_t now)
{
	uint32_t lvt = lapic->lvt[LVT_TIMER];

	if (now < lapic->deadline)
		return;
	lapic->tsc_deadline = 0;
	next_period(lapic, now);
	if (!(lvt & LVT_MASKED))
		receive(lapic, lvt & LVT_VECTOR, false);
}

/* ---- registers ------------------------------------------------------------ */

static uint32_t version(void)
{
	return VERSION | (SVMRUN_LAPIC_LVTS - 1) << 16;
}

static uint32_t identity(const struct svmrun_lapic *lapic)
{
	return is_x2apic(lapic) ? lapic->id : lapic->id << 24;
}

static bool in_set(unsigned int reg, unsigned int first)
{
	return reg >= first && reg < first + 8;
}

/* Gives false where there is no register that can be read. */
static bool read(struct svmrun_lapic *lapic, unsigned int reg, uint64_t now,
		 uint32_t *value)
{
	if (in_set(reg, REG_ISR)) {
		*value = lapic->isr[reg - REG_ISR];
		return true;
	}
	if (in_set(reg, REG_TMR)) {
		*value = lapic->tmr[reg - REG_TMR];
		return true;
	}
	if (in_set(reg, REG_IRR)) {
		*value = lapic->irr[reg - REG_IRR];
		return true;
	}
	if (reg >= REG_LVT && reg < REG_LVT + SVMRUN_LAPIC_LVTS) {
		*value = lapic->lvt[reg - REG_LVT];
		return true;
	}
	switch (reg) {
	case REG_ID:
		*value = identity(lapic);
		return true;
	case REG_VERSION:
		*value = version();
		return true;
	case REG_TPR:
		*value = lapic->tpr;
		return true;
	case REG_APR:
	case REG_PPR:
		*value = priority(lapic);
		return true;
	case REG_LDR:
		*value = lapic->ldr;
		return true;
	case REG_DFR:
		*value = lapic->dfr;
		return !is_x2apic(lapic);
	case REG_SVR:
		*value = lapic->svr;
		return true;
	case REG_ESR:
		*value = lapic->esr;
		return true;
	case REG_ICR:
		*value = lapic->icr;
		return true;
	case REG_ICR_HIGH:
		*value = lapic->icr >> 32;
		return !is_x2apic(lapic);
	case REG_INITIAL:
		*value = lapic->initial;
		return true;
	case REG_CURRENT:
		*value = current(lapic, now);
		return true;
	case REG_DIVIDE:
		*value = lapic->divide;
		return true;
	default:
		return false;
	}
}

/* An APIC that is disabled by software has its local interrupts masked. */
static void set_svr(struct svmrun_lapic *lapic, uint32_t value)
{
	unsigned int i;

	lapic->svr = value & SVR_BITS;
	for (i = 0; !(value & SVR_ENABLED) && i < SVMRUN_LAPIC_LVTS; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

static void set_lvt(struct svmrun_lapic *lapic, unsigned int i, uint32_t value)
{
	value &= lvt_bits[i];
	if (!(lapic->svr & SVR_ENABLED))
		value |= LVT_MASKED;
	if (i == LVT_TIMER)
		set_timer(lapic, value);
	else
		lapic->lvt[i] = value;
	if (i == LVT_LINT0)
		wake(lapic);
}

static void set_icr(struct svmrun_lapic *lapic, uint64_t value)
{
	lapic->icr = (value & ~(uint64_t)UINT32_MAX) | (value & ICR_BITS);
	send(lapic);
}

static void set_initial(struct svmrun_lapic *lapic, uint32_t value,
			uint64_t now)
{
	if (timer_mode(lapic) == TIMER_DEADLINE)
		return;
	lapic->initial = value;
	start_timer(lapic, now);
}

/* A count that runs goes on at the new rate. */
static void set_divide(struct svmrun_lapic *lapic, uint32_t value, uint64_t now)
{
	uint64_t left = current(lapic, now);

	lapic->divide = value & DIVIDE_BITS;
	if (left)
		lapic->deadline = now + left * divisor(lapic);
}

static bool write(struct svmrun_lapic *lapic, unsigned int reg, uint64_t value,
		  uint64_t now)
{
	if (reg >= REG_LVT && reg < REG_LVT + SVMRUN_LAPIC_LVTS) {
		set_lvt(lapic, reg - REG_LVT, value);
		return true;
	}
	switch (reg) {
	case REG_TPR:
		svmrun_lapic_set_tpr(lapic, value);
		return true;
	case REG_EOI:
		end_of_interrupt(lapic);
		return true;
	case REG_LDR:
		lapic->ldr = is_x2apic(lapic) ? lapic->ldr : value & 0xff000000;
		return !is_x2apic(lapic);
	case REG_DFR:
		lapic->dfr = value | 0x0fffffff;
		return !is_x2apic(lapic);
	case REG_SVR:
		set_svr(lapic, value);
		return true;
	case REG_ESR:
		lapic->esr = lapic->errors;
		lapic->errors = 0;
		return true;
	case REG_ICR:
		if (!is_x2apic(lapic))
			value = (lapic->icr & ~(uint64_t)UINT32_MAX) |
				(uint32_t)value;
		set_icr(lapic, value);
		return true;
	case REG_ICR_HIGH:
		lapic->icr = value << 32 | (uint32_t)lapic->icr;
		return !is_x2apic(lapic);
	case REG_INITIAL:
		set_initial(lapic, value, now);
		return true;
	case REG_DIVIDE:
		set_divide(lapic, value, now);
		return true;
	case REG_SELF:
		if (is_x2apic(lapic))
			receive(lapic, value, false);
		return is_x2apic(lapic);
	default:
		return false;
	}
}

bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa)
{
	return (lapic->base & (BASE_ENABLED | BASE_X2APIC)) == BASE_ENABLED &&
	       gpa - SVMRUN_LAPIC_BASE < 0x1000;
}

uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now)
{
	uint32_t value = 0;

	if (!read(lapic, offset >> 4, now, &value) && offset >> 4 != REG_EOI)
		error(lapic, ERROR_REGISTER);
	return offset & 0xf ? 0 : value;
}

void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now)
{
	if (offset & 0xf)
		return;
	if (!write(lapic, offset >> 4, value, now))
		error(lapic, ERROR_REGISTER);
}

uint8_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic)
{
	return lapic->tpr;
}

void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr)
{
	lapic->tpr = tpr;
}

/* ---- MSRs ----------------------------------------------------------------- */

static void set_x2apic(struct svmrun_lapic *lapic)
{
	lapic->ldr = (lapic->id & ~0xfu) << 12 | BIT(lapic->id & 0xf);
}

/* APM 16.9: from x2APIC only to disabled, from there not to x2APIC at once */
static bool set_base(struct svmrun_lapic *lapic, uint64_t value)
{
	const uint64_t modes = BASE_ENABLED | BASE_X2APIC;
	uint64_t old = lapic->base & modes, new = value &modes;

	if ((value & ~modes) != (lapic->base & ~modes) || new == BASE_X2APIC)
		return false;
	if (old == modes && new == BASE_ENABLED)
		return false;
	if (!old && new == modes)
		return false;
	lapic->base = value;
	if (new == modes && old != modes)
		set_x2apic(lapic);
	return true;
}

bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now)
{
	uint32_t low = 0;

	if (msr == MSR_BASE) {
		*value = lapic->base;
		return true;
	}
	if (msr == MSR_DEADLINE && lapic->apics->owner.tsc) {
		*value = lapic->tsc_deadline;
		return true;
	}
	if (msr < MSR_X2APIC || msr > MSR_X2APIC_END || !is_x2apic(lapic))
		return false;
	if (!read(lapic, msr - MSR_X2APIC, now, &low))
		return false;
	*value = msr - MSR_X2APIC == REG_ICR ? lapic->icr : low;
	return true;
}

/* What is reserved cannot be set; all but the command have 32 bits. */
static bool fits(unsigned int reg, uint64_t value)
{
	if (reg == REG_ICR)
		return !((uint32_t)value & ~(ICR_BITS | ICR_READ_ONLY));
	if (reg == REG_EOI || reg == REG_ESR)
		return !value;
	return value <= UINT32_MAX;
}

bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now)
{
	if (msr == MSR_BASE)
		return set_base(lapic, value);
	if (msr == MSR_DEADLINE && lapic->apics->owner.tsc) {
		set_deadline(lapic, value, now);
		return true;
	}
	if (msr < MSR_X2APIC || msr > MSR_X2APIC_END || !is_x2apic(lapic) ||
	    !fits(msr - MSR_X2APIC, value))
		return false;
	return write(lapic, msr - MSR_X2APIC, value, now);
}

/* ---- reset ---------------------------------------------------------------- */

/* APM 16.3.3: as after RESET#, but for the ID and the base */
static void reset(struct svmrun_lapic *lapic)
{
	unsigned int i;

	*lapic = (struct svmrun_lapic){
		.apics = lapic->apics,
		.id = lapic->id,
		.base = lapic->base,
		.dfr = UINT32_MAX,
		.svr = LVT_VECTOR,
		.deadline = SVMRUN_NEVER,
		.extint = lapic->extint,
		.waits = lapic->id != 0,
		.sipi = -1,
	};
	for (i = 0; i < SVMRUN_LAPIC_LVTS; i++)
		lapic->lvt[i] = LVT_MASKED;
	if (is_x2apic(lapic))
		set_x2apic(lapic);
}

static void set_virtual_wire(struct svmrun_lapic *lapic)
{
	lapic->svr |= SVR_ENABLED;
	lapic->lvt[LVT_LINT0] = LVT_MODE_EXTINT;
	lapic->lvt[LVT_LINT1] = LVT_MODE_NMI;
}

void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner)
{
	unsigned int i;

	*apics = (struct svmrun_apics){ .owner = *owner,
					.lapics = lapics,
					.count = count };
	for (i = 0; i < count; i++) {
		lapics[i] = (struct svmrun_lapic){
			.apics = apics,
			.id = i,
			.base = SVMRUN_LAPIC_BASE | BASE_ENABLED |
				(i ? 0 : BASE_FIRST),
		};
		reset(&lapics[i]);
	}
	set_virtual_wire(&lapics[0]);
}

/* The first processor begins again, the others wait. */
bool svmrun_lapic_take_init(struct svmrun_lapic *lapic)
{
	int sipi = lapic->sipi;

	if (!lapic->init)
		return false;
	reset(lapic);
	lapic->sipi = sipi; /* which came after INIT */
	return true;
}

int svmrun_lapic_take_sipi(struct svmrun_lapic *lapic)
{
	int vector = lapic->sipi;

	lapic->sipi = -1;
	if (vector < 0 || !lapic->waits)
		return -1;
	lapic->waits = false;
	return vector;
}

bool svmrun_lapic_waits_for_sipi(const struct svmrun_lapic *lapic)
{
	return lapic->waits && lapic->sipi < 0;
}
