/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MSRs that the VMCB holds, except for EFER */
#ifndef VMCB_MSR_H
#define VMCB_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>

/* Clear the intercepts of the MSRs that VMLOAD and VMSAVE switch (APM 15.5.2). */
void vmcb_msr_permit(struct svmrun_vcpu *vcpu);

/* Return whether the VMCB holds the MSR. */
bool vmcb_msr_has(uint32_t msr);

/* Return whether @value is legal for PAT. */
bool vmcb_msr_is_pat(uint64_t value);

/*
 * Read and write an MSR. Return false if the access raises #GP.
 * @width: significant bits of a linear address
 */
bool vmcb_msr_read(const struct svm_vmcb_save *save, uint32_t msr,
		   uint64_t *value);
bool vmcb_msr_write(struct svm_vmcb *vmcb, uint32_t msr, uint64_t value,
		    unsigned int width);

#endif /* VMCB_MSR_H */
