// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's MSRs. The library has those of the VMCB, the time stamp counter, KVM's clock, and
 * those of AMD's processors that no feature bit announces; others are the program's.
 */
#include "clock.h"
#include "lib/x86.h"
#include "model/time_page.h"
#include "model/vmcb_msr.h"
#include "msr.h"

#define MSR_LENGTH 2
#define MSR_TSC_AUX 0xc0000103

static bool is_of_library(uint32_t msr)
{
	return msr == MSR_EFER || msr == MSR_TSC || msr == MSR_TSC_AUX ||
	       clock_has_msr(msr) || vmcb_msr_has(msr) || model_msr_has(msr);
}

/* VMRUN requires SVME (APM 15.5.1), which the guest does not have. */
static bool write_efer(struct nvmm_vcpu_private *vcpu, uint64_t value)
{
	uint64_t bits = GUEST_EFER & vcpu->machine->info.out_efer;
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	uint64_t changed = (save->efer ^ value) & bits;

	if ((value & ~bits) || (changed & SVM_EFER_LMA))
		return false;
	if ((changed & SVM_EFER_LME) && (save->cr0 & SVM_CR0_PG))
		return false;
	save->efer = value | SVM_EFER_SVME;
	vcpu->cpu.vmcb->control.clean &= ~SVM_CLEAN_CRx;
	return true;
}

static bool write_msr(struct nvmm_vcpu_private *vcpu, uint32_t msr,
		      uint64_t value)
{
	switch (msr) {
	case MSR_EFER:
		return write_efer(vcpu, value);
	case MSR_TSC:
		vcpu_set_tsc(vcpu, value);
		clock_update(vcpu);
		return true;
	case MSR_TSC_AUX:
		vcpu->tsc_aux = value;
		return true;
	case MSR_WALL_CLOCK:
	case MSR_SYSTEM_TIME:
		clock_write_msr(vcpu, msr, value);
		return true;
	default:
		return vmcb_msr_write(vcpu->cpu.vmcb, msr, value,
				      vcpu_address_width(vcpu)) ||
		       model_msr_write(&vcpu->msrs, msr, value);
	}
}

static bool read_msr(struct nvmm_vcpu_private *vcpu, uint32_t msr,
		     uint64_t *value)
{
	const struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;

	switch (msr) {
	case MSR_EFER:
		*value = save->efer & ~SVM_EFER_SVME;
		return true;
	case MSR_TSC:
		*value = vcpu_tsc(vcpu);
		return true;
	case MSR_TSC_AUX:
		*value = vcpu->tsc_aux;
		return true;
	case MSR_WALL_CLOCK:
	case MSR_SYSTEM_TIME:
		*value = clock_read_msr(vcpu, msr);
		return true;
	default:
		return vmcb_msr_read(save, msr, value) ||
		       model_msr_read(&vcpu->msrs, msr, value);
	}
}

static enum exit_action exit_wrmsr(struct nvmm_vcpu_private *vcpu, uint32_t msr)
{
	uint64_t value = vcpu->cpu.regs->rdx << 32 |
			 (uint32_t)vcpu->cpu.vmcb->save.rax;

	if (!is_of_library(msr)) {
		vcpu->exit.u.wrmsr = (struct nvmm_x86_exit_wrmsr){
			.msr = msr,
			.val = value,
			.npc = vcpu_next_rip(vcpu, MSR_LENGTH),
		};
		return instruction_exit(vcpu, NVMM_VCPU_EXIT_WRMSR,
					vcpu->exit.u.wrmsr.npc);
	}
	if (!write_msr(vcpu, msr, value))
		return instruction_fault(vcpu, VECTOR_GP);
	return instruction_complete(vcpu, MSR_LENGTH);
}

static enum exit_action exit_rdmsr(struct nvmm_vcpu_private *vcpu, uint32_t msr)
{
	uint64_t value;

	if (!is_of_library(msr)) {
		vcpu->exit.u.rdmsr = (struct nvmm_x86_exit_rdmsr){
			.msr = msr,
			.npc = vcpu_next_rip(vcpu, MSR_LENGTH),
		};
		return instruction_exit(vcpu, NVMM_VCPU_EXIT_RDMSR,
					vcpu->exit.u.rdmsr.npc);
	}
	if (!read_msr(vcpu, msr, &value))
		return instruction_fault(vcpu, VECTOR_GP);
	vcpu->cpu.vmcb->save.rax = (uint32_t)value;
	vcpu->cpu.regs->rdx = value >> 32;
	return instruction_complete(vcpu, MSR_LENGTH);
}

/* EXITINFO1 is 0 for RDMSR (APM 15.11). */
enum exit_action msr_exit(struct nvmm_vcpu_private *vcpu)
{
	uint32_t msr = vcpu->cpu.regs->rcx;

	return vcpu->cpu.vmcb->control.exitinfo1 ? exit_wrmsr(vcpu, msr) :
						   exit_rdmsr(vcpu, msr);
}
