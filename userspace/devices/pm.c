// SPDX-License-Identifier: LGPL-2.1-or-later
/* ACPI power management: PM1 event and control registers, and the PM timer */
#include <svmrun/pm.h>

#include "lib/array_size.h"
#include "ticks.h"

#define HERTZ 3579545
#define CARRY (1ull << 31) /* ticks between changes of the highest bit */

#define STATUS_TIMER (1 << 0)
#define STATUS_POWER (1 << 8)
#define ENABLE_BITS 0x0721
#define CONTROL_SCI (1 << 0)
#define CONTROL_TYPE (7 << 10)
#define CONTROL_SLEEP (1 << 13)
#define CONTROL_BUS_MASTER (1 << 1)
#define CONTROL_BITS (CONTROL_BUS_MASTER | CONTROL_TYPE)

#define REG_STATUS SVMRUN_PM_EVENT
#define REG_ENABLE (SVMRUN_PM_EVENT + 2)
#define REG_CONTROL SVMRUN_PM_CONTROL

static void update_sci(const struct svmrun_pm *pm)
{
	svmrun_line_set(&pm->sci, pm->status & pm->enable);
}

static void set_next_carry(struct svmrun_pm *pm, uint64_t now)
{
	uint64_t carries = ticks_in(now - pm->begin, HERTZ) / CARRY + 1;

	pm->carry = pm->begin + ticks_end(carries * CARRY, HERTZ);
}

void svmrun_pm_init(struct svmrun_pm *pm, struct svmrun_line sci,
		    void (*sleep)(void *owner, unsigned int slp_typ),
		    void *owner, uint64_t now)
{
	*pm = (struct svmrun_pm){
		.sci = sci, .sleep = sleep, .owner = owner, .begin = now
	};
	set_next_carry(pm, now);
	update_sci(pm);
}

/* Include a change of the timer's highest bit since the last advance(). */
static uint16_t current_status(const struct svmrun_pm *pm, uint64_t now)
{
	return pm->status | (now >= pm->carry ? STATUS_TIMER : 0);
}

static uint32_t pm_word(const struct svmrun_pm *pm, unsigned int offset,
			uint64_t now)
{
	uint32_t timer = ticks_in(now - pm->begin, HERTZ);

	switch (offset) {
	case REG_STATUS:
		return current_status(pm, now);
	case REG_ENABLE:
		return pm->enable;
	case REG_CONTROL:
		return pm->control | CONTROL_SCI; /* there is no legacy mode */
	case SVMRUN_PM_TIMER:
		return timer & 0xffff;
	case SVMRUN_PM_TIMER + 2:
		return timer >> 16;
	default:
		return 0;
	}
}

/* Read all words for the same moment, so that the timer is consistent. */
uint32_t svmrun_pm_read(const struct svmrun_pm *pm, unsigned int offset,
			unsigned int size, uint64_t now)
{
	unsigned int even = offset & ~1u;
	uint64_t words = pm_word(pm, even, now) |
			 pm_word(pm, even + 2, now) << 16 |
			 (uint64_t)pm_word(pm, even + 4, now) << 32;

	return (words >> (8 * (offset & 1))) & (UINT32_MAX >> (32 - 8 * size));
}

static void write_pm1_control(struct svmrun_pm *pm, uint16_t value)
{
	pm->control = value & CONTROL_BITS;
	if (value & CONTROL_SLEEP)
		pm->sleep(pm->owner, (value & CONTROL_TYPE) >> 10);
}

static void write_pm_byte(struct svmrun_pm *pm, unsigned int offset,
			  uint8_t value)
{
	unsigned int shift = 8 * (offset & 1);
	uint16_t bits = value << shift, keep = 0xff00 >> shift;

	switch (offset & ~1u) {
	case REG_STATUS: /* write 1 to clear */
		pm->status &= ~bits;
		break;
	case REG_ENABLE:
		pm->enable = ((pm->enable & keep) | bits) & ENABLE_BITS;
		break;
	case REG_CONTROL:
		write_pm1_control(pm, (pm->control & keep) | bits);
		break;
	}
}

void svmrun_pm_write(struct svmrun_pm *pm, unsigned int offset,
		     unsigned int size, uint32_t value, uint64_t now)
{
	unsigned int i;

	svmrun_pm_advance(pm, now);
	for (i = 0; i < size; i++)
		write_pm_byte(pm, offset + i, value >> (8 * i));
	update_sci(pm);
}

void svmrun_pm_press_power(struct svmrun_pm *pm)
{
	pm->status |= STATUS_POWER;
	update_sci(pm);
}

uint64_t svmrun_pm_deadline(const struct svmrun_pm *pm)
{
	return pm->enable & STATUS_TIMER ? pm->carry : SVMRUN_NEVER;
}

void svmrun_pm_advance(struct svmrun_pm *pm, uint64_t now)
{
	if (now < pm->carry)
		return;
	set_next_carry(pm, now);
	pm->status |= STATUS_TIMER;
	update_sci(pm);
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member pm_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_pm, status),
	SVMRUN_STATE_MEMBER(struct svmrun_pm, enable),
	SVMRUN_STATE_MEMBER(struct svmrun_pm, control),
	SVMRUN_STATE_MEMBER(struct svmrun_pm, begin),
	SVMRUN_STATE_MEMBER(struct svmrun_pm, carry),
};

int svmrun_pm_save(const struct svmrun_pm *pm, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_PM, STATE_VERSION);
	svmrun_state_put_members(state, pm, pm_members, ARRAY_SIZE(pm_members));
	return svmrun_state_end(state);
}

int svmrun_pm_load(struct svmrun_pm *pm, struct svmrun_state *state,
		   uint64_t now)
{
	svmrun_state_open(state, SVMRUN_STATE_PM, STATE_VERSION);
	svmrun_state_get_members(state, pm, pm_members, ARRAY_SIZE(pm_members));
	return svmrun_state_close(state, pm->begin <= now);
}
