/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's CPUID */
#ifndef NVMM_CPUID_H
#define NVMM_CPUID_H

#include "instruction.h"

/* VMEXIT_CPUID */
enum exit_action cpuid_exit(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_CPUID_H */
