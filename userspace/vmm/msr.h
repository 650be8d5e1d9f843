/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's MSRs */
#ifndef MSR_H
#define MSR_H

#include "cpu.h"

/* VMEXIT_MSR: RDMSR and WRMSR */
void exit_msr(struct cpu *cpu);

#endif /* MSR_H */
