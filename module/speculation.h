/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_SPECULATION_H
#define SVMRUN_SPECULATION_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/alternative.h>

#include "compat.h"

/* Serial number of the vCPU that last ran on this CPU, 0 for none */
DECLARE_PER_CPU(u64, speculation_last_vcpu);

void speculation_barrier(void);

/**
 * speculation_enter() - separate branch prediction of vCPUs; call it with interrupts off
 * @vcpu: serial number of the vCPU to be entered, which no other vCPU has had
 *
 * Two vCPUs of one VM are separated too: the guest's kernel protects its processes from
 * each other on each of its processors, and does not know that two of these share a
 * branch predictor.
 */
static inline void speculation_enter(u64 vcpu)
{
	if (__this_cpu_read(speculation_last_vcpu) == vcpu)
		return;
	__this_cpu_write(speculation_last_vcpu, vcpu);
	speculation_barrier();
}

/**
 * speculation_clear_quotient() - clear the quotient of the host's last division
 *
 * On Zen 1 a division by zero speculatively returns it. Call it right before the guest is
 * entered.
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
 * speculation_leave() - protect user mode after a guest; call it with interrupts off
 *
 * Requests a barrier before the return to user mode, on processors that need one.
 */
static inline void speculation_leave(void)
{
	ibpb_before_user();
}

#endif /* SVMRUN_SPECULATION_H */
