// SPDX-License-Identifier: GPL-2.0
/*
 * What one guest teaches the branch predictors must steer neither another guest
 * nor the program. What protects the kernel itself is in untrain.S.
 */
#include "speculation.h"

#include <linux/cpu.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>

#include "compat.h"

/* The VM whose guest was the last on this CPU, 0 for none */
static DEFINE_PER_CPU(u64, last_vm);

/* The indirect branch prediction barrier (APM 3.2.9) */
static void barrier_write(void)
{
	if (boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off())
		wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/**
 * speculation_enter() - before a guest, with interrupts off
 * @vm: its VM's number, which no other VM has had
 */
void speculation_enter(u64 vm)
{
	if (__this_cpu_read(last_vm) == vm)
		return;
	__this_cpu_write(last_vm, vm);
	barrier_write();
}

/**
 * speculation_leave() - after a guest, with interrupts off
 *
 * The kernel puts a barrier before it goes back to userspace, on processors
 * that want one there.
 */
void speculation_leave(void)
{
	ibpb_before_user();
}
