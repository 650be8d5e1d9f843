/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exits: the library handles some of them, and converts the others for the program */
#ifndef NVMM_EXITS_H
#define NVMM_EXITS_H

#include "instruction.h"

/* Handle the exit in the VMCB. For EXIT_TO_PROGRAM, @vcpu->exit is filled in. */
enum exit_action exits_handle(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_EXITS_H */
