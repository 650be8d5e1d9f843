/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the state that processors cache: a TLB tagged by ASID (APM 15.16),
 * TLB_CONTROL (15.16.1) and clean bits (15.15). VMRUN refuses an illegal VMCB before it
 * carries out any of these (volume 3, VMRUN). The model caches as much as the manual
 * permits, and drops a TLB entry only when it is flushed.
 */
#ifndef PROCESSOR_MODEL_H
#define PROCESSOR_MODEL_H

#include <stdbool.h>
#include <string.h>

#include <linux/svm_vmcb.h>

#define MODEL_ASIDS 8
#define MODEL_PAGES 8
#define MODEL_VMCBS 8

/**
 * struct model_cpu - one processor
 * @translation: address that each guest page translates to under each ASID; 0 for none
 * @known: cached control area of each VMCB, used while the VMCB's clean bits say that it
 *	has not changed
 * @is_known: the control area has been cached
 */
struct model_cpu {
	uint64_t translation[MODEL_ASIDS][MODEL_PAGES];
	struct svm_vmcb_control known[MODEL_VMCBS];
	bool is_known[MODEL_VMCBS];
};

/* Fill the TLB with @junk, because other software may have used it until now. */
static inline void model_cpu_reset(struct model_cpu *cpu, uint64_t junk)
{
	for (int asid = 0; asid < MODEL_ASIDS; asid++)
		for (int page = 0; page < MODEL_PAGES; page++)
			cpu->translation[asid][page] = junk;
	memset(cpu->is_known, 0, sizeof(cpu->is_known));
}

/*
 * Carry out VMRUN. Return true if the guest was entered; it exits with VMEXIT_HLT. @asid
 * is filled in with the ASID that the guest ran with.
 */
static inline bool model_vmrun(struct model_cpu *cpu, unsigned int vmcb,
			       struct svm_vmcb_control *control, bool is_legal,
			       uint32_t *asid)
{
	struct svm_vmcb_control *known = &cpu->known[vmcb];

	if (!cpu->is_known[vmcb] || !(control->clean & SVM_CLEAN_ASID))
		known->asid = control->asid;
	*asid = known->asid;
	if (!is_legal || !*asid || *asid >= MODEL_ASIDS) {
		cpu->is_known[vmcb] = false;
		control->exitcode = VMEXIT_INVALID;
		return false;
	}
	cpu->is_known[vmcb] = true;
	if (control->tlb_control == SVM_TLB_CONTROL_FLUSH_ALL)
		memset(cpu->translation, 0, sizeof(cpu->translation));
	control->exitcode = VMEXIT_HLT;
	return true;
}

/* Translate a guest's access from the TLB, or else to @table, as the page tables say. */
static inline uint64_t model_translate(struct model_cpu *cpu, uint32_t asid,
				       unsigned int page, uint64_t table)
{
	uint64_t *entry = &cpu->translation[asid][page];

	if (!*entry)
		*entry = table;
	return *entry;
}

#endif /* PROCESSOR_MODEL_H */
