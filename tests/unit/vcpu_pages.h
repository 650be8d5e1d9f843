/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU without the module. Its pages are laid out as the module maps them, and are
 * filled with VCPU_PAGES_RUBBISH at first.
 */
#ifndef VCPU_PAGES_H
#define VCPU_PAGES_H

#include <string.h>

#include <svmrun.h>

#define VCPU_PAGES_RUBBISH 0xa5

struct vcpu_pages {
	_Alignas(4096) struct svm_vmcb vmcb;
	_Alignas(4096) struct svmrun_registers regs;
	_Alignas(4096) uint8_t msrpm[8192];
	_Alignas(4096) uint8_t xsave[1024];
};

static inline struct svmrun_vcpu vcpu_pages_fill(struct vcpu_pages *pages)
{
	memset(pages, VCPU_PAGES_RUBBISH, sizeof(*pages));
	return (struct svmrun_vcpu){
		.fd = -1,
		.vmcb = &pages->vmcb,
		.regs = &pages->regs,
		.msrpm = pages->msrpm,
		.xsave = pages->xsave,
		.size = sizeof(*pages),
		.xsave_size = sizeof(pages->xsave),
	};
}

#endif /* VCPU_PAGES_H */
