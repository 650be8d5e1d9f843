// SPDX-License-Identifier: GPL-2.0
/*
 * Extended state and breakpoints are expensive to switch, and are switched only from
 * a guest's first use of them on. Until then that use is intercepted; the program does
 * not see these exits. The guest executes the instruction again when the state is
 * active.
 *
 * Most instructions that use extended state raise #NM while CR0.TS is set (APM 11.4.4,
 * 11.5.9), FWAIT if CR0.MP is set too (APM 3.1.1), which otherwise checks the host's x87
 * state for exceptions. So accesses to CR0 are intercepted meanwhile. Instructions
 * that do not raise #NM need CR4.OSXSAVE (XGETBV), CR4.PKE (PKRU) or CR4.CET (the
 * user's shadow stack), which only the program sets: the state is active from the
 * beginning then. CPUID returns sizes that depend on XCR0. A task switch sets CR0.TS.
 */
#include "lazy.h"

#include <linux/kernel.h>
#include <linux/string.h>

#include "event.h"

#define CR0_SET (SVM_CR0_MP | SVM_CR0_TS)
#define CR4_XSTATE (SVM_CR4_OSXSAVE | SVM_CR4_PKE | SVM_CR4_CET)
#define DR7_ENABLES 0xffull

struct state {
	u32 bit; /* LAZY_* */
	u32 intercepts[LAZY_VECTORS];
};

static const struct state states[] = {
	{
		.bit = LAZY_XSTATE,
		.intercepts = {
			[0] = LAZY_BIT(VMEXIT_CR_READ(0)) | LAZY_BIT(VMEXIT_CR_WRITE(0)),
			[2] = LAZY_BIT(VMEXIT_EXCP(EXCEPTION_NM)),
			[3] = LAZY_BIT(VMEXIT_CPUID) | LAZY_BIT(VMEXIT_TASK_SWITCH),
		},
	},
	{
		.bit = LAZY_BREAKPOINTS,
		.intercepts = {
			/* DR7 is DR5 too while CR4.DE is clear (APM 13.1.1.3). */
			[1] = LAZY_BIT(VMEXIT_DR_READ(0)) | LAZY_BIT(VMEXIT_DR_READ(1)) |
			      LAZY_BIT(VMEXIT_DR_READ(2)) | LAZY_BIT(VMEXIT_DR_READ(3)) |
			      LAZY_BIT(VMEXIT_DR_WRITE(0)) | LAZY_BIT(VMEXIT_DR_WRITE(1)) |
			      LAZY_BIT(VMEXIT_DR_WRITE(2)) | LAZY_BIT(VMEXIT_DR_WRITE(3)) |
			      LAZY_BIT(VMEXIT_DR_WRITE(5)) | LAZY_BIT(VMEXIT_DR_WRITE(7)),
		},
	},
};

/* State that the guest can use without an intercept */
static u32 state_in_use(const struct svm_vmcb_save *save)
{
	return (save->cr4 & CR4_XSTATE ? LAZY_XSTATE : 0) |
	       (save->dr7 & DR7_ENABLES ? LAZY_BREAKPOINTS : 0);
}

/* Set the intercepts and the bits of CR0 for inactive state. */
static void set_intercepts(struct lazy *lazy, struct svm_vmcb *hw)
{
	memset(lazy->intercepts, 0, sizeof(lazy->intercepts));
	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++)
		for (size_t i = 0; i < LAZY_VECTORS; i++)
			if (!(lazy->active & state->bit))
				lazy->intercepts[i] |= state->intercepts[i];
	for (size_t i = 0; i < LAZY_VECTORS; i++) {
		hw->control.intercept[i] = lazy->requested[i] |
					   lazy->intercepts[i];
		/* #NM may be due to CR0.TS as set here alone. */
		if (i != LAZY_VECTOR(VMEXIT_EXCP(EXCEPTION_NM)))
			lazy->intercepts[i] &= ~lazy->requested[i];
	}
	if (lazy->active & LAZY_XSTATE)
		lazy->hidden = 0;
	else
		hw->save.cr0 |= CR0_SET;
}

/**
 * lazy_load() - intercept the use of inactive state
 * @lazy: the guest's lazily switched state, zeroed before the first time
 * @hw: the hardware's VMCB, as vmcb_load() leaves it
 * @clean: as for vmcb_load(): groups of fields that it did not load
 */
void lazy_load(struct lazy *lazy, struct svm_vmcb *hw, u32 clean)
{
	u32 active;

	if (!(clean & SVM_CLEAN_I))
		memcpy(lazy->requested, hw->control.intercept,
		       sizeof(lazy->requested));
	if (!(clean & SVM_CLEAN_CRx))
		lazy->hidden = ~hw->save.cr0 & CR0_SET;
	active = lazy->active | state_in_use(&hw->save);
	if (active != lazy->active)
		hw->control.clean &= ~SVM_CLEAN_I;
	lazy->active = active;
	set_intercepts(lazy, hw);
}

/* The state that an exit is due to */
static u32 state_of_exit(u32 exitcode)
{
	u32 vector = LAZY_VECTOR(exitcode);

	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++)
		if (state->intercepts[vector] & LAZY_BIT(exitcode))
			return state->bit;
	return 0;
}

/**
 * lazy_activate() - switch the state that the guest used from now on
 * @lazy: the guest's lazily switched state, whose exit it is
 * @hw: the hardware's VMCB after #VMEXIT
 */
void lazy_activate(struct lazy *lazy, struct svm_vmcb *hw)
{
	hw->save.cr0 = lazy_guest_cr0(lazy, hw);
	lazy->active |= state_of_exit(hw->control.exitcode);
	set_intercepts(lazy, hw);
	/* DR6 and DR7 go with DR0 to DR3. */
	hw->control.clean &= ~(SVM_CLEAN_I | SVM_CLEAN_CRx | SVM_CLEAN_DRx);
}
