// SPDX-License-Identifier: LGPL-2.1-or-later
/* The instructions of SVM, executed by L1, or by L2 if L1 does not intercept them */
#include "nested.h"

#define SVM_INSTRUCTION_LENGTH 3 /* without prefixes */

static void inject(struct svmrun_nested *nested, unsigned int vector)
{
	svmrun_instruction_fault(nested->current, vector, 0);
}

static void complete(struct svmrun_nested *nested)
{
	svmrun_instruction_complete(nested->current,
				    nested_next_rip(nested,
						    SVM_INSTRUCTION_LENGTH));
}

/* The operand is rAX, in the size of addresses. */
static uint64_t operand(const struct svmrun_nested *nested)
{
	const struct svm_vmcb_save *save = &nested->current->vmcb->save;

	return is_64_bit(save) ? save->rax : (uint32_t)save->rax;
}

/* Return the VMCB that rAX points to. NULL: #GP (APM volume 3, VMRUN). */
static struct svm_vmcb *operand_vmcb(const struct svmrun_nested *nested)
{
	uint64_t gpa = operand(nested);

	if (gpa % PAGE_SIZE)
		return NULL;
	return nested_writable_memory(nested, gpa, sizeof(struct svm_vmcb));
}

static void execute_vmrun(struct svmrun_nested *nested)
{
	struct svm_vmcb *vmcb = operand_vmcb(nested);
	uint64_t gpa = operand(nested);

	if (!vmcb) {
		inject(nested, VECTOR_GP);
		return;
	}
	nested->vmrun_rip = nested->current->vmcb->save.rip;
	complete(nested);
	nested_vmrun(nested, gpa, vmcb);
}

static void execute_vmload_vmsave(struct svmrun_nested *nested, bool load)
{
	struct svm_vmcb *vmcb = operand_vmcb(nested);
	struct svm_vmcb_save *save = &nested->current->vmcb->save;

	if (!vmcb) {
		inject(nested, VECTOR_GP);
		return;
	}
	if (load)
		nested_copy_vmload(save, &vmcb->save);
	else
		nested_copy_vmload(&vmcb->save, save);
	complete(nested);
}

/* ECX is the ASID. ASID 0 is L1's own: an INVLPG (APM 15.16.3). */
static void execute_invlpga(struct svmrun_nested *nested)
{
	nested_flush_asid(nested, nested->current->regs->rcx);
	complete(nested);
}

/*
 * STGI ends the instruction before interrupts are taken. Nothing is pending here: the
 * program looks for events before it runs the vCPU again.
 */
static void execute_stgi_clgi(struct svmrun_nested *nested, bool gif)
{
	nested->gif = gif;
	complete(nested);
}

/* L1's CPUID has no SKINIT. STGI and CLGI need SVME then (APM 15.4). */
void nested_instruction(struct svmrun_nested *nested, uint64_t exitcode)
{
	if (!has_svme(nested) || exitcode == VMEXIT_SKINIT) {
		inject(nested, VECTOR_UD);
		return;
	}
	switch (exitcode) {
	case VMEXIT_VMRUN:
		execute_vmrun(nested);
		return;
	case VMEXIT_VMLOAD:
	case VMEXIT_VMSAVE:
		execute_vmload_vmsave(nested, exitcode == VMEXIT_VMLOAD);
		return;
	case VMEXIT_STGI:
	case VMEXIT_CLGI:
		execute_stgi_clgi(nested, exitcode == VMEXIT_STGI);
		return;
	default:
		execute_invlpga(nested);
	}
}
