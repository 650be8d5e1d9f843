/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's MSRs */
#ifndef NVMM_MSR_H
#define NVMM_MSR_H

#include "instruction.h"

/* VMEXIT_MSR: RDMSR and WRMSR */
enum exit_action msr_exit(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_MSR_H */
