/* SPDX-License-Identifier: GPL-2.0 */
/* The features of the guest's processor */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include "cpu.h"
#include "model/cpuid.h"

/* Return what the results of CPUID depend on. */
struct cpuid_guest processor_cpuid(const struct cpu *cpu);

void exit_cpuid(struct cpu *cpu);
void exit_xsetbv(struct cpu *cpu);
void exit_rdtscp(struct cpu *cpu);
void exit_rdpmc(struct cpu *cpu);

#endif /* PROCESSOR_H */
