/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's MSRs: those that the VMCB holds, the time stamp counter, and those of the
 * local APIC
 */
#ifndef MSR_H
#define MSR_H

#include "cpu.h"

/* VMEXIT_MSR: RDMSR and WRMSR */
void exit_msr(struct cpu *cpu);

#endif /* MSR_H */
