/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_LOAN_H
#define SVMRUN_LOAN_H

#include "plain.h"

/* What a guest has been lent */
#define LOAN_XSTATE (1u << 0) /* extended state (fpu) */
#define LOAN_BREAKPOINTS (1u << 1) /* DR0 to DR3 (debugreg) */
#define LOAN_ALL (LOAN_XSTATE | LOAN_BREAKPOINTS)

#define LOAN_VECTORS 5 /* intercept vectors 0 to 4 */

/**
 * struct loan - what a guest has been lent, and how the rest is withheld
 * @lent: LOAN_*; only ever grows
 * @wished: intercepts without those that are there to withhold something
 * @cr0: the bits of CR0 that withhold something, as they would be otherwise
 */
struct loan {
	u32 lent;
	u32 wished[LOAN_VECTORS];
	u64 cr0;
};

void loan_withhold(struct loan *loan, struct svm_vmcb *hw, u32 vouched);
bool loan_lend(struct loan *loan, struct svm_vmcb *hw);
u64 loan_cr0(const struct loan *loan, const struct svm_vmcb *hw);

#endif /* SVMRUN_LOAN_H */
