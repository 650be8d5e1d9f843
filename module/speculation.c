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

DEFINE_PER_CPU(u64, speculation_last_vm);

/**
 * speculation_barrier() - the indirect branch prediction barrier (APM 3.2.9)
 *
 * If the processor has one, and mitigations are on.
 */
void speculation_barrier(void)
{
	if (boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off())
		wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}
