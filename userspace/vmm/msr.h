/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's MSRs: those that the VMCB holds, the time stamp counter, those of the local
 * APIC, MTRRs, machine-check registers, and those of the processor's model
 */
#ifndef MSR_H
#define MSR_H

#include "cpu.h"

/* VMEXIT_MSR: RDMSR and WRMSR */
void exit_msr(struct cpu *cpu);

#endif /* MSR_H */
