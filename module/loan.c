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
 * shadow stack); CPUID tells sizes by XCR0. A task switch sets CR0.TS.
 */
#include "loan.h"

#include "event.h"

#define CR0_WITHHOLDS (1ull << 1 | 1ull << 3) /* MP, TS */
#define CR4_XSTATE                                                             \
	(1ull << 18 | 1ull << 22 | 1ull << 23) /* OSXSAVE, PKE, CET */
#define DR7_ENABLES 0xffull

/* Exit codes begin with the intercepts, in their order. */
#define CODE_VECTOR(code) ((code) / 32)
#define CODE_BIT(code) (1u << (code) % 32)

struct state {
	u32 lent; /* LOAN_* */
	u32 intercepts[LOAN_VECTORS];
};

static const struct state states[] = {
	{
		.lent = LOAN_XSTATE,
		.intercepts = {
			[0] = CODE_BIT(VMEXIT_CR_READ(0)) | CODE_BIT(VMEXIT_CR_WRITE(0)) |
			      CODE_BIT(VMEXIT_CR_WRITE(4)),
			[2] = CODE_BIT(VMEXIT_EXCP(EXCEPTION_NM)),
			[3] = CODE_BIT(VMEXIT_CPUID) | CODE_BIT(VMEXIT_TASK_SWITCH),
		},
	},
	{
		.lent = LOAN_BREAKPOINTS,
		.intercepts = {
			/* DR7 is DR5 too while CR4.DE is clear (APM 13.1.1.3). */
			[1] = CODE_BIT(VMEXIT_DR_READ(0)) | CODE_BIT(VMEXIT_DR_READ(1)) |
			      CODE_BIT(VMEXIT_DR_READ(2)) | CODE_BIT(VMEXIT_DR_READ(3)) |
			      CODE_BIT(VMEXIT_DR_WRITE(0)) | CODE_BIT(VMEXIT_DR_WRITE(1)) |
			      CODE_BIT(VMEXIT_DR_WRITE(2)) | CODE_BIT(VMEXIT_DR_WRITE(3)) |
			      CODE_BIT(VMEXIT_DR_WRITE(5)) | CODE_BIT(VMEXIT_DR_WRITE(7)),
		},
	},
};

/**
 * loan_cr0() - CR0 as the guest knows it
 * @loan: the loan
 * @hw: the hardware's VMCB
 *
 * Return: the value; the guest has not changed the bits that withhold.
 */
u64 loan_cr0(const struct loan *loan, const struct svm_vmcb *hw)
{
	if (loan->lent & LOAN_XSTATE)
		return hw->save.cr0;
	return (hw->save.cr0 & ~CR0_WITHHOLDS) | loan->cr0;
}

/* What the guest has in reach from its first instruction on */
static u32 reached(const struct svm_vmcb_save *save)
{
	return (save->cr4 & CR4_XSTATE ? LOAN_XSTATE : 0) |
	       (save->dr7 & DR7_ENABLES ? LOAN_BREAKPOINTS : 0);
}

/* The intercepts, and bits of CR0, that withhold what has not been lent */
static void apply(const struct loan *loan, struct svm_vmcb *hw)
{
	for (size_t i = 0; i < LOAN_VECTORS; i++)
		hw->control.intercept[i] = loan->wished[i];
	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++) {
		if (loan->lent & state->lent)
			continue;
		for (size_t i = 0; i < LOAN_VECTORS; i++)
			hw->control.intercept[i] |= state->intercepts[i];
	}
	if (!(loan->lent & LOAN_XSTATE))
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
		loan->cr0 = hw->save.cr0 & CR0_WITHHOLDS;
	lent = loan->lent | reached(&hw->save);
	if (lent != loan->lent)
		hw->control.clean &= ~SVM_CLEAN_I;
	loan->lent = lent;
	apply(loan, hw);
}

/* Which state did the guest reach for? Its exit may be the program's as well. */
static u32 wanted(const struct loan *loan, u32 exitcode)
{
	u32 vector = CODE_VECTOR(exitcode);

	if (vector >= LOAN_VECTORS)
		return 0;
	/* With CR0.TS as the guest knows it, there may be no #NM. */
	if (loan->wished[vector] & CODE_BIT(exitcode) &&
	    exitcode != VMEXIT_EXCP(EXCEPTION_NM))
		return 0;
	for (const struct state *state = states;
	     state < states + ARRAY_SIZE(states); state++)
		if (state->intercepts[vector] & CODE_BIT(exitcode))
			return state->lent & ~loan->lent;
	return 0;
}

/**
 * loan_lend() - lend the guest what it reached for, if that is why it left
 * @loan: the loan
 * @hw: the hardware's VMCB after #VMEXIT
 *
 * Return: true if the guest has been lent something, and shall go on where it
 * was; false if the exit has another reason.
 */
bool loan_lend(struct loan *loan, struct svm_vmcb *hw)
{
	u32 lent = wanted(loan, hw->control.exitcode);

	if (!lent)
		return false;
	hw->save.cr0 = loan_cr0(loan, hw);
	loan->lent |= lent;
	apply(loan, hw);
	hw->control.clean &= ~(SVM_CLEAN_I | SVM_CLEAN_CRx);
	return true;
}
