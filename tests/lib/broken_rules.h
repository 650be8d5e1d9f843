/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each rule of VMRUN (APM 15.5.1, 15.20), for a processor in long mode: for the unit tests of
 * userspace/nested, and for a guest that is a hypervisor
 */
#ifndef BROKEN_RULES_H
#define BROKEN_RULES_H

#include <stddef.h>
#include <stdint.h>

#include <linux/svm_vmcb.h>

/**
 * struct broken_rule - a field that breaks one rule in a VMCB that is legal otherwise
 * @field: its name, as svmrun prints it
 * @offset: its offset in the VMCB
 * @set: bits that are set
 * @clear: bits that are cleared
 * @size: its size in bytes
 */
struct broken_rule {
	const char *field;
	size_t offset;
	uint64_t set;
	uint64_t clear;
	size_t size;
};

#define AT(member) offsetof(struct svm_vmcb, member)
static const struct broken_rule broken_rules[] = {
	{ "save.efer", AT(save.efer), 0, SVM_EFER_SVME, 8 },
	{ "save.efer", AT(save.efer), 1ull << 40, 0, 8 },
	{ "save.cr0", AT(save.cr0), SVM_CR0_NW, 0, 8 },
	{ "save.cr0", AT(save.cr0), 1ull << 32, 0, 8 },
	{ "save.cr0", AT(save.cr0), 0, SVM_CR0_PE, 8 },
	{ "save.cr3", AT(save.cr3), 1ull << 60, 0, 8 },
	{ "save.cr4", AT(save.cr4), 1ull << 31, 0, 8 },
	{ "save.cr4", AT(save.cr4), 0, SVM_CR4_PAE, 8 },
	{ "save.dr6", AT(save.dr6), 1ull << 32, 0, 8 },
	{ "save.dr7", AT(save.dr7), 1ull << 63, 0, 8 },
	{ "save.cs.attrib", AT(save.cs.attrib), SVM_SEG_L | SVM_SEG_DB, 0, 2 },
	{ "control.intercept[4]", AT(control.intercept[4]), 0,
	  SVM_INTERCEPT4_VMRUN, 4 },
	{ "control.iopm_base_pa", AT(control.iopm_base_pa), 1ull << 52, 0, 8 },
	{ "control.msrpm_base_pa", AT(control.msrpm_base_pa), 1ull << 52, 0,
	  8 },
	{ "control.asid", AT(control.asid), 0, ~0u, 4 },
	{ "control.tlb_control", AT(control.tlb_control), 2, 0, 1 },
	{ "control.eventinj", AT(control.eventinj), SVM_EVENT_VALID | 1ull << 8,
	  0, 8 },
	{ "control.eventinj", AT(control.eventinj),
	  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 2, 0, 8 },
};
#undef AT

static inline void break_rule(struct svm_vmcb *vmcb,
			      const struct broken_rule *rule)
{
	char *at = (char *)vmcb + rule->offset;
	uint64_t value = 0;

	__builtin_memcpy(&value, at, rule->size);
	value = (value & ~rule->clear) | rule->set;
	__builtin_memcpy(at, &value, rule->size);
}

#endif /* BROKEN_RULES_H */
