/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_LOAN_H
#define SVMRUN_LOAN_H

#include "plain.h"

/* What a guest has been lent */
#define LOAN_XSTATE (1u << 0) /* extended state (fpu) */
#define LOAN_BREAKPOINTS (1u << 1) /* DR0 to DR3 (debugreg) */
#define LOAN_ALL (LOAN_XSTATE | LOAN_BREAKPOINTS)

/* Exit codes begin with the intercepts, in their order: vectors 0 to 4 matter. */
#define LOAN_VECTORS 5
#define LOAN_VECTOR(exitcode) ((exitcode) / 32)
#define LOAN_BIT(exitcode) (1u << (exitcode) % 32)

#define LOAN_CR0_TS (1ull << 3)

/**
 * struct loan - what a guest has been lent, and how the rest is withheld
 * @lent: LOAN_*; only ever grows
 * @wished: intercepts without those that are there to withhold something
 * @withheld: intercepts of which the program shall not hear
 * @cr0_ts: CR0.TS as it would be otherwise
 */
struct loan {
	u32 lent;
	u32 wished[LOAN_VECTORS];
	u32 withheld[LOAN_VECTORS];
	bool cr0_ts;
};

void loan_withhold(struct loan *loan, struct svm_vmcb *hw, u32 vouched);
void loan_lend(struct loan *loan, struct svm_vmcb *hw);

/**
 * loan_is_concerned() - did the guest leave since it reached for what is withheld?
 * @loan: the loan
 * @exitcode: why it left
 *
 * Return: true if it did, and is to be lent it.
 */
static inline bool loan_is_concerned(const struct loan *loan, u32 exitcode)
{
	u32 vector = LOAN_VECTOR(exitcode);

	return vector < LOAN_VECTORS &&
	       loan->withheld[vector] & LOAN_BIT(exitcode);
}

/**
 * loan_cr0() - CR0 as the guest knows it
 * @loan: the loan
 * @hw: the hardware's VMCB
 *
 * Return: the value; the guest has not changed CR0.TS while it was withheld.
 */
static inline u64 loan_cr0(const struct loan *loan, const struct svm_vmcb *hw)
{
	if ((loan->lent & LOAN_XSTATE) || loan->cr0_ts)
		return hw->save.cr0;
	return hw->save.cr0 & ~LOAN_CR0_TS;
}

#endif /* SVMRUN_LOAN_H */
