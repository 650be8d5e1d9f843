/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of fields of a VMCB that rarely change. The module loads a group of fields only if
 * its clean bit is 0 (APM 15.15.3), and it runs a guest faster if all of them are set, so
 * these functions clear the bit only if they change a value.
 */
#ifndef VMCB_CHANGE_H
#define VMCB_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/svm_vmcb.h>

/* Set or clear bits of an intercept vector. */
static inline void vmcb_set_intercept(struct svm_vmcb *vmcb,
				      unsigned int vector, uint32_t bits,
				      bool on)
{
	uint32_t *intercept = &vmcb->control.intercept[vector];
	uint32_t value = on ? *intercept | bits : *intercept & ~bits;

	if (*intercept == value)
		return;
	*intercept = value;
	vmcb->control.clean &= ~SVM_CLEAN_I;
}

/* Set the bits of virtual interrupt control that @mask has to those of @bits. */
static inline void vmcb_set_vintr(struct svm_vmcb *vmcb, uint64_t mask,
				  uint64_t bits)
{
	uint64_t value = (vmcb->control.vintr & ~mask) | bits;

	if (vmcb->control.vintr == value)
		return;
	vmcb->control.vintr = value;
	vmcb->control.clean &= ~SVM_CLEAN_TPR;
}

static inline void vmcb_set_tsc_offset(struct svm_vmcb *vmcb, uint64_t offset)
{
	vmcb->control.tsc_offset = offset;
	vmcb->control.clean &= ~SVM_CLEAN_I;
}

#endif /* VMCB_CHANGE_H */
