// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Acceptance of interrupts by one local APIC: messages (APM 16.6), and its own sources in
 * the local vector table (APM 16.4), including LINT0 and LINT1. Both are here because an
 * error in a message is such a source. NMI, INIT, start-up and ExtINT messages are kept
 * until the processor takes them.
 */
#include <string.h>

#include "lapic_internal.h"

static bool is_bootstrap(const struct svmrun_lapic *lapic)
{
	return lapic->base & BASE_BSP;
}

static void wake_processor(const struct svmrun_lapic *lapic)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;

	if (owner->wake)
		owner->wake(owner->owner, lapic->id);
}

/* Do not reset the levels of the pins, nor the pending INIT that may be the cause. */
void lapic_reset(struct svmrun_lapic *lapic)
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

/* ---- messages, by delivery mode -------------------------------------------- */

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

/* A processor that waits for a start-up message ignores NMIs. */
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

/* SMI and remote read messages are not accepted. */
static bool (*const accepts[8])(struct svmrun_lapic *lapic, uint8_t vector,
				bool level) = {
	[SVMRUN_APIC_FIXED] = accept_fixed,
	[SVMRUN_APIC_LOWEST] = accept_fixed,
	[SVMRUN_APIC_NMI] = accept_nmi,
	[SVMRUN_APIC_INIT] = accept_init,
	[SVMRUN_APIC_SIPI] = accept_sipi,
	[SVMRUN_APIC_EXTINT] = accept_extint,
};

bool lapic_accept(struct svmrun_lapic *lapic, unsigned int mode, uint8_t vector,
		  bool level)
{
	return accepts[mode] && accepts[mode](lapic, vector, level);
}

/* ---- local vector table ---------------------------------------------------- */

void lapic_raise_lvt(struct svmrun_lapic *lapic, unsigned int number)
{
	uint32_t *entry = &lapic->lvt[number];
	unsigned int mode = lapic_delivery_mode(*entry);
	bool level = lvt_is_level(*entry);

	if (*entry & (LVT_MASKED | (level ? LVT_REMOTE_IRR : 0)))
		return;
	if (mode == SVMRUN_APIC_EXTINT) /* see svmrun_lapic_extint() */
		wake_processor(lapic);
	else if (mode == SVMRUN_APIC_LOWEST || mode == SVMRUN_APIC_SIPI)
		return; /* reserved */
	else if (lapic_accept(lapic, mode, *entry, level) && level)
		*entry |= LVT_REMOTE_IRR;
}

void lapic_end_lint(struct svmrun_lapic *lapic, unsigned int number,
		    uint8_t vector)
{
	uint32_t *entry = &lapic->lvt[LVT_LINT0 + number];

	if (!(*entry & LVT_REMOTE_IRR) || (uint8_t)*entry != vector)
		return;
	*entry &= ~LVT_REMOTE_IRR;
	if (lapic->lint[number] && lvt_is_level(*entry))
		lapic_raise_lvt(lapic, LVT_LINT0 + number);
}

/* Raise one interrupt per type of error until ESR is written (SDM 10.5.3). */
void lapic_record_error(struct svmrun_lapic *lapic, uint32_t error)
{
	if (lapic->errors & error)
		return;
	lapic->errors |= error;
	lapic_raise_lvt(lapic, LVT_ERROR);
}

/* If the APIC is disabled, LINT0 and LINT1 are the processor's INTR and NMI pins. */
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

/* ---- pending for the processor --------------------------------------------- */

bool svmrun_lapic_extint(const struct svmrun_lapic *lapic)
{
	uint32_t entry = lapic->lvt[LVT_LINT0];

	if (!lapic_is_enabled(lapic))
		return lapic->lint[0];
	if (lapic->extint)
		return true;
	return lapic->lint[0] &&
	       lapic_delivery_mode(entry) == SVMRUN_APIC_EXTINT &&
	       !(entry & LVT_MASKED);
}

bool svmrun_lapic_sends_nmi(const struct svmrun_lapic *lapic)
{
	uint32_t entry = lapic->lvt[LVT_LINT0];
	unsigned int mode = lapic_delivery_mode(entry);

	return lapic_is_enabled(lapic) && !(entry & LVT_MASKED) &&
	       (mode == SVMRUN_APIC_NMI || mode == SVMRUN_APIC_INIT);
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
