// SPDX-License-Identifier: LGPL-2.1-or-later
/* L1's memory, and its nested page table */
#include <errno.h>

#include "lib/memories.h"
#include "nested.h"

void *nested_memory(const struct svmrun_nested *nested, uint64_t gpa,
		    size_t size)
{
	const struct svmrun_nested_config *config = &nested->config;

	return memories_at(config->memories, config->memory_count, gpa, size);
}

void *nested_writable_memory(const struct svmrun_nested *nested, uint64_t gpa,
			     size_t size)
{
	const struct svmrun_nested_config *config = &nested->config;
	size_t count = config->memory_count - config->rom_count;

	return memories_at(config->memories, count, gpa, size);
}

int nested_walk(const struct svmrun_nested *nested, uint64_t gpa,
		uint32_t access, struct svmrun_translation *translation,
		struct svmrun_page_fault *fault)
{
	const struct svmrun_nested_config *config = &nested->config;
	const struct svm_vmcb_save *l1 = &config->vcpu->vmcb->save;
	const struct svmrun_physical physical = {
		.memories = config->memories,
		.memory_count = config->memory_count,
	};
	/* Nested tables have L1's format, but neither SMEP, SMAP nor keys (APM 15.25.5). */
	struct {
		struct svm_vmcb_control control;
		struct svm_vmcb_save save;
	} vmcb;
	const struct svmrun_vcpu walker = {
		.fd = -1,
		.vmcb = (struct svm_vmcb *)&vmcb,
	};

	if (gpa >> config->info->out_gpa_bits)
		return -ENXIO;
	vmcb.save.cr0 = l1->cr0 | SVM_CR0_WP;
	vmcb.save.cr3 = nested->control.n_cr3;
	vmcb.save.cr4 = l1->cr4 & (SVM_CR4_PAE | SVM_CR4_PSE | SVM_CR4_LA57);
	vmcb.save.efer = l1->efer;
	vmcb.save.rflags = 0;
	return svmrun_translate(&walker, &physical, gpa,
				access | SVMRUN_ACCESS_USER, translation,
				fault);
}
