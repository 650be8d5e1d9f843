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

/*
 * The kernel's FILL_RETURN_BUFFER without its loop, which would be half of the
 * instructions, and an LFENCE against a wrong guess of where it ends.
 */
.macro FILL_RETURN_STACK
	ALTERNATIVE "jmp .Lno_fill_\@", "", X86_FEATURE_RSB_VMEXIT
	.rept RSB_CLEAR_LOOPS
	ANNOTATE_INTRA_FUNCTION_CALL
	call 1f
	int3
1:
	.endr
	add $(BITS_PER_LONG / 8) * RSB_CLEAR_LOOPS, %rsp
.Lno_fill_\@:
.endm

/* void world_untrain(void), called directly; returns by a RET that is safe. */
SYM_FUNC_START(world_untrain)
	FILL_RETURN_STACK
	UNTRAIN_AFTER_GUEST
	RET
SYM_FUNC_END(world_untrain)
