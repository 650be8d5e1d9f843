/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_SPECULATION_H
#define SVMRUN_SPECULATION_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/alternative.h>

#include "compat.h"

/* Serial number of the vCPU that ran last on this CPU, 0 for none */
DECLARE_PER_CPU(u64, speculation_last_vcpu);

void speculation_barrier(void);

/**
 * speculation_enter() - before a guest, with interrupts off
 * @vcpu: serial number of its vCPU, which no other vCPU has had
 *
 * Two vCPUs of one VM are kept apart like strangers: the guest's kernel protects its
 * processes from each other on each of its processors, and cannot know that two of
 * them share a branch predictor.
 */
static inline void speculation_enter(u64 vcpu)
{
	if (__this_cpu_read(speculation_last_vcpu) == vcpu)
		return;
	__this_cpu_write(speculation_last_vcpu, vcpu);
	speculation_barrier();
}

/**
 * speculation_clear_quotient() - before a guest, when the host divides no more
 *
 * On Zen 1 a division by zero shows, to speculation, the quotient of the last division.
 */
static __always_inline void speculation_clear_quotient(void)
{
	asm volatile(ALTERNATIVE("",
				 "xor %%eax, %%eax\n\t"
				 "xor %%edx, %%edx\n\t"
				 "lea 1(%%rax), %%ecx\n\t"
				 "div %%ecx\n\t",
				 X86_BUG_DIV0)
		     :
		     :
		     : "eax", "ecx", "edx", "cc");
}

/**
 * speculation_leave() - after a guest, with interrupts off
 *
 * Has the kernel put a barrier before its return to userspace, on processors that
 * need one there.
 */
static inline void speculation_leave(void)
{
	ibpb_before_user();
}

#endif /* SVMRUN_SPECULATION_H */
