/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MSRs that the VMCB holds, except for EFER */
#ifndef VMCB_MSR_H
#define VMCB_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>

/* Let the guest access those MSRs without an exit that VMLOAD and VMSAVE switch. */
void vmcb_msr_permit(struct svmrun_vcpu *vcpu);

/* Does the VMCB hold the MSR? */
bool vmcb_msr_has(uint32_t msr);

/* Is it a legal value of PAT? */
bool vmcb_msr_is_pat(uint64_t value);

/*
 * Read and write an MSR. Return false if the access raises #GP.
 * @width: significant bits of a linear address
 */
bool vmcb_msr_read(const struct svm_vmcb_save *save, uint32_t msr,
		   uint64_t *value);
bool vmcb_msr_write(struct svm_vmcb_save *save, uint32_t msr, uint64_t value,
		    unsigned int width);

#endif /* VMCB_MSR_H */
