/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Right after #VMEXIT the branch predictors are as the guest left them: before
 * the host's first RET or indirect branch, what it could have planted for them is
 * overwritten. The kernel patches in what this processor needs of it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/bitsperlong.h>
#include <asm/nospec-branch.h>

.section .noinstr.text, "ax"

/* void world_untrain(void), called directly; returns by a RET that is safe. */
SYM_FUNC_START(world_untrain)
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
#ifdef UNTRAIN_RET_VM
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif
	RET
SYM_FUNC_END(world_untrain)
