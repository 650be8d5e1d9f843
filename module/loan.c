// SPDX-License-Identifier: GPL-2.0
/*
 * State that costs something to switch is lent to a guest when it first reaches
 * for it: until then it is withheld by intercepts that the program does not see.
 * What the guest reached for, it does again when it has been lent the state.
 *
 * Most of what uses extended state raises #NM while CR0.TS is set (APM 11.4.4,
 * 11.5.9), FWAIT if CR0.MP is as well (APM 3.1.1): it would ask the program's x87 for
 * exceptions. So CR0 may be neither seen nor changed then. What does not raise it
 * is there only with CR4.OSXSAVE (XGETBV), CR4.PKE (PKRU) and CR4.CET (the user's
 * shadow stack), which the program sets, not the guest; CPUID tells sizes by XCR0. A
 * task switch sets CR0.TS.
 */
#include "loan.h"

#include "event.h"

#define CR0_WITHHOLDS (SVM_CR0_MP | SVM_CR0_TS)
#define CR4_XSTATE (SVM_CR4_OSXSAVE | SVM_CR4_PKE | SVM_CR4_CET)
#define DR7_ENABLES 0xffull

struct state {
	u32 lent; /* LOAN_* */
	u32 intercepts[LOAN_VECTORS];
};

static const struct state states[] = {
	{
		.lent = LOAN_XSTATE,
		.intercepts = {
			[0] = LOAN_BIT(VMEXIT_CR_READ(0)) | LOAN_BIT(VMEXIT_CR_WRITE(0)),
			[2] = LOAN_BIT(VMEXIT_EXCP(EXCEPTION_NM)),
			[3] = LOAN_BIT(VMEXIT_CPUID) | LOAN_BIT(VMEXIT_TASK_SWITCH),
		},
	},
	{
		.lent = LOAN_BREAKPOINTS,
		.intercepts = {
			/* DR7 is DR5 too while CR4.DE is clear (APM 13.1.1.3). */
			[1] = LOAN_BIT(VMEXIT_DR_READ(0)) | LOAN_BIT(VMEXIT_DR_READ(1)) |
			      LOAN_BIT(VMEXIT_DR_READ(2)) | LOAN_BIT(VMEXIT_DR_READ(3)) |
			      LOAN_BIT(VMEXIT_DR_WRITE(0)) | LOAN_BIT(VMEXIT_DR_WRITE(1)) |
			      LOAN_BIT(VMEXIT_DR_WRITE(2)) | LOAN_BIT(VMEXIT_DR_WRITE(3)) |
			      LOAN_BIT(VMEXIT_DR_WRITE(5)) | LOAN_BIT(VMEXIT_DR_WRITE(7)),
		},
	},
};

/* What the guest has in reach from its first instruction on */
static u32 reached(const struct svm_vmcb_save *save)
{
	return (save->cr4 & CR4_XSTATE ? LOAN_XSTATE : 0) |
	       (save->dr7 & DR7_ENABLES ? LOAN_BREAKPOINTS : 0);
}

/* The intercepts, and bits of CR0, that withhold what has not been lent */
static void apply(struct loan *loan, struct svm_vmcb *hw)
{
	memset(loan->withheld, 0, sizeof(loan->withheld));
	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++)
		for (size_t i = 0; i < LOAN_VECTORS; i++)
			if (!(loan->lent & state->lent))
				loan->withheld[i] |= state->intercepts[i];
	for (size_t i = 0; i < LOAN_VECTORS; i++) {
		hw->control.intercept[i] = loan->wished[i] | loan->withheld[i];
		/* With CR0.TS as the guest knows it, there may be no #NM. */
		if (i != LOAN_VECTOR(VMEXIT_EXCP(EXCEPTION_NM)))
			loan->withheld[i] &= ~loan->wished[i];
	}
	if (loan->lent & LOAN_XSTATE)
		loan->hidden = 0;
	else
		hw->save.cr0 |= CR0_WITHHOLDS;
}

/**
 * loan_withhold() - let the guest reach for what it has not been lent
 * @loan: the loan, zeroed before the first time
 * @hw: the hardware's VMCB, as vmcb_load() leaves it
 * @vouched: as vmcb_load() had it: groups that it left out
 */
void loan_withhold(struct loan *loan, struct svm_vmcb *hw, u32 vouched)
{
	u32 lent;

	if (!(vouched & SVM_CLEAN_I))
		memcpy(loan->wished, hw->control.intercept,
		       sizeof(loan->wished));
	if (!(vouched & SVM_CLEAN_CRx))
		loan->hidden = ~hw->save.cr0 & CR0_WITHHOLDS;
	lent = loan->lent | reached(&hw->save);
	if (lent != loan->lent)
		hw->control.clean &= ~SVM_CLEAN_I;
	loan->lent = lent;
	apply(loan, hw);
}

/* Which state an exit reaches for */
static u32 wanted(u32 exitcode)
{
	u32 vector = LOAN_VECTOR(exitcode);

	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++)
		if (state->intercepts[vector] & LOAN_BIT(exitcode))
			return state->lent;
	return 0;
}

/**
 * loan_lend() - lend the guest what it reached for
 * @loan: the loan, which the exit concerns
 * @hw: the hardware's VMCB after #VMEXIT; the guest shall go on where it was
 */
void loan_lend(struct loan *loan, struct svm_vmcb *hw)
{
	hw->save.cr0 = loan_cr0(loan, hw);
	loan->lent |= wanted(hw->control.exitcode);
	apply(loan, hw);
	/* DR6 and DR7 go with DR0 to DR3. */
	hw->control.clean &= ~(SVM_CLEAN_I | SVM_CLEAN_CRx | SVM_CLEAN_DRx);
}
