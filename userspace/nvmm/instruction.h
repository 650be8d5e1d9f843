/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instructions that exit: completed by the library, or left to the program */
#ifndef NVMM_INSTRUCTION_H
#define NVMM_INSTRUCTION_H

#include "vcpu.h"

/* Result of an exit's handler */
enum exit_action { EXIT_HANDLED, EXIT_TO_PROGRAM };

/* Leave the instruction to the program, which sets RIP to @next_rip. */
enum exit_action instruction_exit(struct nvmm_vcpu_private *vcpu,
				  uint64_t reason, uint64_t next_rip);

/* Complete an instruction of @length bytes, or raise a fault. */
enum exit_action instruction_complete(struct nvmm_vcpu_private *vcpu,
				      unsigned int length);
enum exit_action instruction_fault(struct nvmm_vcpu_private *vcpu,
				   unsigned int vector);

#endif /* NVMM_INSTRUCTION_H */
