// SPDX-License-Identifier: LGPL-2.1-or-later
/* The state of all local APICs: one record for all, and one for each */
#include "lapic_internal.h"
#include "lib/array_size.h"

#define APICS_VERSION 1
#define LAPIC_VERSION 1

static const struct svmrun_state_member apics_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_apics, turn),
};

static const struct svmrun_state_member lapic_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, base),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, tpr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, ldr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, dfr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, svr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, esr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, errors),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, icr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, lvt),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, isr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, tmr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, irr),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, divide),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, initial),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, zero),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, tsc_deadline),
	SVMRUN_STATE_BOOL(struct svmrun_lapic, lint),
	SVMRUN_STATE_BOOL(struct svmrun_lapic, extint),
	SVMRUN_STATE_BOOL(struct svmrun_lapic, nmi),
	SVMRUN_STATE_BOOL(struct svmrun_lapic, init),
	SVMRUN_STATE_BOOL(struct svmrun_lapic, waits),
	SVMRUN_STATE_MEMBER(struct svmrun_lapic, sipi),
};

/* ---- saving -------------------------------------------------------------- */

static void save_lapic(const struct svmrun_lapic *lapic,
		       struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_LAPIC, LAPIC_VERSION);
	svmrun_state_put_members(state, lapic, lapic_members,
				 ARRAY_SIZE(lapic_members));
	svmrun_state_end(state);
}

int svmrun_apics_save(const struct svmrun_apics *apics,
		      struct svmrun_state *state)
{
	unsigned int i;

	svmrun_state_begin(state, SVMRUN_STATE_APICS, APICS_VERSION);
	svmrun_state_put(state, &apics->count, sizeof(apics->count));
	svmrun_state_put_members(state, apics, apics_members,
				 ARRAY_SIZE(apics_members));
	svmrun_state_end(state);
	for (i = 0; i < apics->count; i++)
		save_lapic(&apics->lapics[i], state);
	return state->error;
}

/* ---- loading ------------------------------------------------------------- */

/* A timer that is armed has a period, or a deadline that the machine can serve. */
static bool timer_state_is_valid(const struct svmrun_lapic *lapic)
{
	unsigned int mode = lapic_timer_mode(lapic->lvt[LVT_TIMER]);

	if (lapic->tsc_deadline &&
	    (mode != TIMER_DEADLINE || !lapic_timer_has_deadlines(lapic)))
		return false;
	if (lapic->zero == SVMRUN_NEVER)
		return true;
	return mode <= TIMER_PERIODIC ? lapic->initial : lapic->tsc_deadline;
}

static bool lapic_state_is_valid(const struct svmrun_lapic *lapic)
{
	return timer_state_is_valid(lapic) && lapic->sipi >= -1 &&
	       lapic->sipi <= UINT8_MAX;
}

static void load_lapic(struct svmrun_lapic *lapic, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_LAPIC, LAPIC_VERSION);
	svmrun_state_get_members(state, lapic, lapic_members,
				 ARRAY_SIZE(lapic_members));
	svmrun_state_close(state, lapic_state_is_valid(lapic));
}

int svmrun_apics_load(struct svmrun_apics *apics, struct svmrun_state *state)
{
	unsigned int i, count;

	svmrun_state_open(state, SVMRUN_STATE_APICS, APICS_VERSION);
	svmrun_state_get(state, &count, sizeof(count));
	svmrun_state_get_members(state, apics, apics_members,
				 ARRAY_SIZE(apics_members));
	svmrun_state_close(state, count == apics->count && apics->turn < count);
	for (i = 0; i < apics->count; i++)
		load_lapic(&apics->lapics[i], state);
	return state->error;
}
