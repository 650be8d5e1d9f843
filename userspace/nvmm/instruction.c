// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions that exit */
#include <svmrun/instruction.h>

#include "instruction.h"

enum exit_action instruction_exit(struct nvmm_vcpu_private *vcpu,
				  uint64_t reason, uint64_t next_rip)
{
	vcpu->exit.reason = reason;
	vcpu->next_rip = next_rip;
	vcpu->has_next = true;
	return EXIT_TO_PROGRAM;
}

enum exit_action instruction_complete(struct nvmm_vcpu_private *vcpu,
				      unsigned int length)
{
	svmrun_instruction_complete(&vcpu->cpu, vcpu_next_rip(vcpu, length));
	return EXIT_HANDLED;
}

enum exit_action instruction_fault(struct nvmm_vcpu_private *vcpu,
				   unsigned int vector)
{
	svmrun_instruction_fault(&vcpu->cpu, vector, 0);
	return EXIT_HANDLED;
}
