/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instructions that the emulator executes */
#ifndef NVMM_ASSIST_H
#define NVMM_ASSIST_H

#include "vcpu.h"

/* Return the length of the instruction at CS:RIP, or a negative errno. */
int assist_instruction_length(struct nvmm_vcpu_private *vcpu);

/* Execute an access to CR0, CR4 or CR8. Return 0 or a negative errno. */
int assist_control(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_ASSIST_H */
