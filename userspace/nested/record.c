// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The state of SVM for one vCPU as records: what L1 has set, VMCB12 as it was at VMRUN, and
 * L2's vCPU if it runs. Translations of L1's nested page table are not state: L2's nested page
 * faults fill them again, as after a flush.
 */
#include <errno.h>

#include <svmrun/saved.h>

#include "lib/array_size.h"
#include "nested.h"

#define VERSION 1

static const struct svmrun_state_member nested_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_nested, features),
	SVMRUN_STATE_BOOL(struct svmrun_nested, svme),
	SVMRUN_STATE_BOOL(struct svmrun_nested, gif),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, vm_cr),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, hsave_pa),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, tsc_ratio),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, vmcb12_gpa),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, vmrun_rip),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, control),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, save),
	SVMRUN_STATE_BOOL(struct svmrun_nested, has_soft_event),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, soft_rip),
	SVMRUN_STATE_MEMBER(struct svmrun_nested, virtual_interrupt),
	SVMRUN_STATE_BOOL(struct svmrun_nested, window),
};

/* Members of the record that are not the struct's */
struct words {
	bool has_vmcb12;
	bool active;
};

static const struct svmrun_state_member words_members[] = {
	SVMRUN_STATE_BOOL(struct words, has_vmcb12),
	SVMRUN_STATE_BOOL(struct words, active),
};

void svmrun_nested_save(const struct svmrun_nested *nested,
			struct svmrun_state *state)
{
	const struct words words = { nested->vmcb12, is_active(nested) };

	svmrun_state_begin(state, SVMRUN_STATE_NESTED, VERSION);
	svmrun_state_put_members(state, nested, nested_members,
				 ARRAY_SIZE(nested_members));
	svmrun_state_put_members(state, &words, words_members,
				 ARRAY_SIZE(words_members));
	svmrun_state_end(state);
	if (words.active)
		svmrun_vcpu_save(nested->current, state);
}

/* @features: those that L1 can have here */
static bool members_are_valid(const struct svmrun_nested *nested,
			      const struct words *words, uint32_t features)
{
	if (nested->features & ~features)
		return false;
	if (nested->hsave_pa % PAGE_SIZE ||
	    nested->hsave_pa >> nested->config.info->out_gpa_bits)
		return false;
	if (nested->tsc_ratio >> 40 ||
	    (nested->virtual_interrupt & ~NESTED_VIRTUAL_INTERRUPT))
		return false;
	if (words->has_vmcb12 &&
	    (nested->vmcb12_gpa % PAGE_SIZE || !nested->vmcb12))
		return false;
	return !words->active || words->has_vmcb12;
}

/* The rules of VMRUN apply to what VMRUN has accepted before. */
static void load_l2(struct svmrun_nested *nested, struct svmrun_state *state,
		    uint64_t ticks)
{
	if (state->error)
		return;
	if (nested_check(nested))
		nested_resume(nested, state, ticks);
	else
		state->error = -EINVAL;
}

int svmrun_nested_load(struct svmrun_nested *nested, struct svmrun_state *state,
		       uint64_t ticks)
{
	uint32_t features = nested->features;
	struct words words;

	svmrun_nested_reset(nested);
	svmrun_state_open(state, SVMRUN_STATE_NESTED, VERSION);
	svmrun_state_get_members(state, nested, nested_members,
				 ARRAY_SIZE(nested_members));
	svmrun_state_get_members(state, &words, words_members,
				 ARRAY_SIZE(words_members));
	nested->vmcb12 = NULL;
	if (words.has_vmcb12)
		nested->vmcb12 =
			nested_writable_memory(nested, nested->vmcb12_gpa,
					       sizeof(*nested->vmcb12));
	nested->processor.svm_features = nested->features;
	svmrun_state_close(state, members_are_valid(nested, &words, features));
	if (words.active)
		load_l2(nested, state, ticks);
	return state->error;
}
