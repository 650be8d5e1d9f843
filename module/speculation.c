// SPDX-License-Identifier: GPL-2.0
/*
 * Branch predictors that one guest has trained must not steer another guest or the
 * program. The kernel itself is protected by untrain.S.
 */
#include "speculation.h"

#include <linux/cpu.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>

#include "compat.h"

DEFINE_PER_CPU(u64, speculation_last_vcpu);

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
