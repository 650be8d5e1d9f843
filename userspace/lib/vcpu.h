/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layout of the pages of a vCPU */
#ifndef VCPU_H
#define VCPU_H

#include <svmrun.h>

static inline void vcpu_set_pages(struct svmrun_vcpu *vcpu, uint8_t *pages)
{
	vcpu->vmcb = (struct svm_vmcb *)(pages + SVMRUN_VCPU_VMCB);
	vcpu->regs = (struct svmrun_registers *)(pages + SVMRUN_VCPU_REGISTERS);
	vcpu->msrpm = pages + SVMRUN_VCPU_MSRPM;
	vcpu->xsave = pages + SVMRUN_VCPU_XSAVE;
}

/* Map the pages of the next vCPU below an address, if nothing is there. */
void vcpu_place_below(const struct svmrun_vm *vm, void *address);

#endif /* VCPU_H */
