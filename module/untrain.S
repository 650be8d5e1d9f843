/* SPDX-License-Identifier: GPL-2.0 */
/*
 * After #VMEXIT the branch predictors are as the guest left them: before the
 * host's first RET or indirect branch, what it could have planted for them is
 * overwritten. The kernel patches in what this processor needs of it, and from
 * 6.2 on keeps a count in per-CPU data: GS must be the host's again.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/bitsperlong.h>

#include "compat.h"

.section .noinstr.text, "ax"

/* void world_untrain(void), called directly; returns by a RET that is safe. */
SYM_FUNC_START(world_untrain)
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
	UNTRAIN_AFTER_GUEST
	RET
SYM_FUNC_END(world_untrain)
