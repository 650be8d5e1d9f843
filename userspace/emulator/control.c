// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accesses to CR0, CR4 and CR8, with the checks of the processor (APM 3.1.1, 3.1.3, 14.6
 * and 14.7; volume 3, MOV CRn, LMSW, SMSW, CLTS).
 */
#include <linux/svmrun_policy.h>

#include "execution.h"
#include "fetch.h"
#include "operand.h"

/* Bits whose change flushes the TLB (APM 5.5.2) */
#define CR0_FLUSHES (SVM_CR0_PE | SVM_CR0_WP | SVM_CR0_PG)
#define CR4_FLUSHES                                                            \
	(SVM_CR4_PSE | SVM_CR4_PAE | SVM_CR4_PGE | SVM_CR4_LA57 |              \
	 SVM_CR4_PCIDE | SVM_CR4_SMEP | SVM_CR4_SMAP | SVM_CR4_PKE |           \
	 SVM_CR4_CET)

#define CR0_MSW (SVM_CR0_PE | SVM_CR0_MP | SVM_CR0_EM | SVM_CR0_TS)
#define CR3_PCID 0xfffull
#define CR8_TPR 0xfull
#define TSS_32 (1u << 3) /* type of a TSS that is not a 16-bit one */

static int fault_gp(struct execution *execution)
{
	return fault_set(&execution->fault, VECTOR_GP);
}

/* Change the ASID: the new one has no translations. */
static void flush_translations(struct svm_vmcb_control *control)
{
	control->asid = control->asid == UINT32_MAX ? 1 : control->asid + 1;
	control->clean &= ~SVM_CLEAN_ASID;
}

/* ---- CR0 ------------------------------------------------------------------ */

static int enable_paging(struct execution *execution)
{
	struct svm_vmcb_save *save = execution->save;

	if (!(save->efer & SVM_EFER_LME))
		return 0;
	if (!(save->cr4 & SVM_CR4_PAE) || (save->cs.attrib & SVM_SEG_L) ||
	    !(save->tr.attrib & TSS_32))
		return fault_gp(execution);
	save->efer |= SVM_EFER_LMA;
	return 0;
}

static int disable_paging(struct execution *execution)
{
	struct svm_vmcb_save *save = execution->save;

	if (is_64_bit(save) || (save->cr4 & SVM_CR4_PCIDE))
		return fault_gp(execution);
	save->efer &= ~SVM_EFER_LMA;
	return 0;
}

static bool cr0_is_valid(const struct svm_vmcb_save *save, uint64_t value)
{
	if (value >> 32)
		return false;
	if ((value & SVM_CR0_PG) && !(value & SVM_CR0_PE))
		return false;
	if ((value & SVM_CR0_NW) && !(value & SVM_CR0_CD))
		return false;
	return (value & SVM_CR0_WP) || !(save->cr4 & SVM_CR4_CET);
}

/* CD, NW and reserved bits can be written, but are not stored. */
static int write_cr0(struct execution *execution, uint64_t value)
{
	struct svm_vmcb *vmcb = execution->vcpu->vmcb;
	uint64_t changed;
	int ret = 0;

	if (!cr0_is_valid(&vmcb->save, value))
		return fault_gp(execution);
	value = (value | SVM_CR0_ET) & SVMRUN_POLICY_KNOWN_CR0;
	changed = vmcb->save.cr0 ^ value;
	if (changed & SVM_CR0_PG)
		ret = value & SVM_CR0_PG ? enable_paging(execution) :
					   disable_paging(execution);
	if (ret)
		return ret;
	vmcb->save.cr0 = value;
	vmcb->control.clean &= ~SVM_CLEAN_CRx;
	if (changed & CR0_FLUSHES)
		flush_translations(&vmcb->control);
	return EXECUTION_DONE;
}

/* ---- CR4 ------------------------------------------------------------------ */

static bool cr4_is_valid(const struct svm_vmcb_save *save, uint64_t value)
{
	uint64_t changed = save->cr4 ^ value;
	bool long_mode = save->efer & SVM_EFER_LMA;

	if (long_mode && (!(value & SVM_CR4_PAE) || (changed & SVM_CR4_LA57)))
		return false;
	if ((changed & value & SVM_CR4_PCIDE) &&
	    (!long_mode || (save->cr3 & CR3_PCID)))
		return false;
	return !(value & SVM_CR4_CET) || (save->cr0 & SVM_CR0_WP);
}

static int write_cr4(struct execution *execution, uint64_t value,
		     const struct svmrun_processor *processor)
{
	struct svm_vmcb *vmcb = execution->vcpu->vmcb;
	uint64_t changed = vmcb->save.cr4 ^ value;

	if ((value & ~processor->cr4) || !cr4_is_valid(&vmcb->save, value))
		return fault_gp(execution);
	vmcb->save.cr4 = value;
	vmcb->control.clean &= ~SVM_CLEAN_CRx;
	if (changed & CR4_FLUSHES)
		flush_translations(&vmcb->control);
	return EXECUTION_DONE;
}

/* ---- CR8 ------------------------------------------------------------------ */

/* The VMCB holds it as V_TPR (APM 15.21.1). */
static uint64_t read_cr8(const struct execution *execution)
{
	return execution->vcpu->vmcb->control.vintr & CR8_TPR;
}

static int write_cr8(struct execution *execution, uint64_t value)
{
	struct svm_vmcb_control *control = &execution->vcpu->vmcb->control;

	if (value & ~CR8_TPR)
		return fault_gp(execution);
	control->vintr = (control->vintr & ~SVM_VINTR_V_TPR_MASK) | value;
	control->clean &= ~SVM_CLEAN_TPR;
	return EXECUTION_DONE;
}

/* ---- instructions --------------------------------------------------------- */

static ZydisRegister operand_register(const struct execution *execution,
				      unsigned int i)
{
	return execution->operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER ?
		       execution->operand[i].reg.value :
		       ZYDIS_REGISTER_NONE;
}

static int execute_mov_cr(struct execution *execution,
			  const struct svmrun_processor *processor)
{
	const struct svm_vmcb_save *save = execution->save;
	ZydisRegister to = operand_register(execution, 0);
	uint64_t value;
	int ret;

	if (operand_register(execution, 1) == ZYDIS_REGISTER_CR0)
		return operand_write(execution, 0, save->cr0);
	if (operand_register(execution, 1) == ZYDIS_REGISTER_CR4)
		return operand_write(execution, 0, save->cr4);
	if (operand_register(execution, 1) == ZYDIS_REGISTER_CR8)
		return operand_write(execution, 0, read_cr8(execution));
	if (to != ZYDIS_REGISTER_CR0 && to != ZYDIS_REGISTER_CR4 &&
	    to != ZYDIS_REGISTER_CR8)
		return -EOPNOTSUPP;
	ret = operand_read(execution, 1, &value);
	if (ret)
		return ret;
	if (to == ZYDIS_REGISTER_CR8)
		return write_cr8(execution, value);
	return to == ZYDIS_REGISTER_CR0 ?
		       write_cr0(execution, value) :
		       write_cr4(execution, value, processor);
}

/* LMSW can set PE, but not clear it. */
static int execute_lmsw(struct execution *execution)
{
	uint64_t old = execution->save->cr0, value;
	int ret = operand_read(execution, 0, &value);

	if (ret)
		return ret;
	value = (old & ~CR0_MSW) | (value & CR0_MSW) | (old & SVM_CR0_PE);
	return write_cr0(execution, value);
}

static int execute_control(struct execution *execution,
			   const struct svmrun_processor *processor)
{
	const struct svm_vmcb_save *save = execution->save;
	ZydisMnemonic mnemonic;
	int ret = fetch_instruction(execution, 0);

	if (ret)
		return ret == -EILSEQ ? -EOPNOTSUPP : ret;
	mnemonic = execution->instruction.mnemonic;
	if (save->cpl &&
	    (mnemonic != ZYDIS_MNEMONIC_SMSW || (save->cr4 & SVM_CR4_UMIP)))
		return fault_gp(execution);
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return execute_mov_cr(execution, processor);
	case ZYDIS_MNEMONIC_LMSW:
		return execute_lmsw(execution);
	case ZYDIS_MNEMONIC_SMSW:
		return operand_write(execution, 0, save->cr0);
	case ZYDIS_MNEMONIC_CLTS:
		return write_cr0(execution, save->cr0 & ~SVM_CR0_TS);
	default:
		return -EOPNOTSUPP;
	}
}

int svmrun_instruction_control(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus,
			       const struct svmrun_processor *processor)
{
	struct execution execution = {
		.vcpu = vcpu,
		.save = &vcpu->vmcb->save,
		.bus = bus,
	};

	return execution_finish(&execution,
				execute_control(&execution, processor));
}
