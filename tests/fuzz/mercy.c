// SPDX-License-Identifier: GPL-2.0
#include "mercy.h"

#define CR4_PAE (1ull << 5)
#define EFER_LME (1ull << 8)

#define CR_WRITES (SVM_INTERCEPT0_CR_WRITE(4) | SVM_INTERCEPT0_CR_WRITE(8))
#define DR_WRITES 0xffff0000u
#define TOGETHER (SVM_CLEAN_I | SVM_CLEAN_CRx)

#define TSS_MASK (SVM_SEG_P | SVM_SEG_S | SVM_SEG_TYPE_MASK)
#define AVAILABLE_TSS (SVM_SEG_P | 0x9)

/* In the MSR permission map (APM 15.11) */
#define PAT_BYTE (0x277 / 4)
#define PAT_WRITE (2u << 0x277 % 4 * 2)

void mercy_grant(struct svmrun_vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->vmcb->control;
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	if (save->efer & EFER_LME)
		save->cr4 |= CR4_PAE;
	if ((control->clean & TOGETHER) != TOGETHER)
		control->clean &= ~TOGETHER;
	control->intercept[0] |= CR_WRITES;
	control->intercept[1] |= DR_WRITES;
	control->intercept[3] |= SVM_INTERCEPT3_TR_WRITE;
	save->tr.attrib = (save->tr.attrib & ~TSS_MASK) | AVAILABLE_TSS;
	vcpu->msrpm[PAT_BYTE] |= PAT_WRITE;
}

uint8_t mercy_bits(uint32_t offset)
{
	static const struct svm_vmcb vmcb = {
		.control.intercept[0] = CR_WRITES,
		.control.intercept[1] = DR_WRITES,
		.control.intercept[3] = SVM_INTERCEPT3_TR_WRITE,
		.control.clean = TOGETHER,
		.save.efer = EFER_LME,
		.save.cr4 = CR4_PAE,
		.save.tr.attrib = TSS_MASK,
	};

	if (offset < sizeof(vmcb))
		return ((const uint8_t *)&vmcb)[offset];
	return offset == SVMRUN_VCPU_MSRPM + PAT_BYTE ? PAT_WRITE : 0;
}
