// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include "bus.h"
#include "common/clock.h"
#include "guest_svm.h"
#include "kvmclock.h"
#include "lib/vmcb_change.h"
#include "machine.h"
#include "model/vmcb_msr.h"
#include "msr.h"

#define MSR_LENGTH 2

#define X2APIC_MSRS 0x100
#define MSR_TSC_AUX 0xc0000103

/* The width does not depend on whether 5-level paging is enabled. */
static unsigned int address_width(const struct cpu *cpu)
{
	return cpu->machine->info.out_cr4 & SVM_CR4_LA57 ?
		       LINEAR_BITS_5_LEVELS :
		       LINEAR_BITS_4_LEVELS;
}

/* VMRUN requires SVME (APM 15.5.1), whether or not the guest has it. */
static bool write_efer(struct cpu *cpu, uint64_t value)
{
	uint64_t bits = (CPU_EFER & cpu->machine->info.out_efer) |
			SVM_EFER_SVME;
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t changed = (save->efer ^ value) & bits;

	if ((value & ~bits) || (changed & SVM_EFER_LMA))
		return false;
	if ((changed & SVM_EFER_LME) && (save->cr0 & SVM_CR0_PG))
		return false;
	if (!guest_svm_set_svme(cpu, value & SVM_EFER_SVME))
		return false;
	save->efer = value | SVM_EFER_SVME;
	cpu->vcpu.vmcb->control.clean &= ~SVM_CLEAN_CRx;
	return true;
}

static bool is_lapic_msr(uint32_t msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       msr - MSR_X2APIC < X2APIC_MSRS;
}

/* Return whether the guest has the MSR. Then --msr ignore does not apply to it. */
static bool has_rules(const struct cpu *cpu, uint32_t msr)
{
	return guest_svm_has_msr(cpu, msr) || msr == MSR_EFER ||
	       msr == MSR_TSC || msr == MSR_TSC_AUX || vmcb_msr_has(msr) ||
	       mtrr_has(msr) || machine_check_has(msr) || model_msr_has(msr) ||
	       is_lapic_msr(msr);
}

/* KVM's clock and the deadline of the local APIC's timer depend on the counter. */
static void write_tsc(struct cpu *cpu, uint64_t value)
{
	vmcb_set_tsc_offset(cpu->vcpu.vmcb, value - __rdtsc());
	kvmclock_update(cpu);
	svmrun_lapic_advance(&cpu->machine->pc.lapics[cpu->id], clock_now());
}

static bool write_cpu_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	if (msr == MSR_EFER)
		return write_efer(cpu, value);
	if (msr == MSR_TSC) {
		write_tsc(cpu, value);
		return true;
	}
	if (msr == MSR_TSC_AUX) {
		cpu->tsc_aux = value;
		return true;
	}
	return vmcb_msr_write(cpu->vcpu.vmcb, msr, value, address_width(cpu));
}

static bool read_cpu_msr(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (msr == MSR_EFER)
		*value = (vmcb->save.efer & ~SVM_EFER_SVME) |
			 (guest_svm_get_svme(cpu) ? SVM_EFER_SVME : 0);
	else if (msr == MSR_TSC)
		*value = cpu_tsc(cpu);
	else if (msr == MSR_TSC_AUX)
		*value = cpu->tsc_aux;
	else
		return vmcb_msr_read(&vmcb->save, msr, value);
	return true;
}

static uint64_t read_model_msr(const struct cpu *cpu, uint32_t msr)
{
	uint64_t value = 0;

	model_msr_read(&cpu->model_msrs, msr, &value);
	return value;
}

static bool write_mtrr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	return mtrr_write(&cpu->mtrr, msr, value,
			  cpu->machine->info.out_gpa_bits,
			  read_model_msr(cpu, MODEL_MSR_SYSCFG) &
				  SYSCFG_FIXED_EXTENSION);
}

static bool write_machine_check(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	return machine_check_write(&cpu->check, msr, value,
				   read_model_msr(cpu, MODEL_MSR_HWCR) &
					   HWCR_STATUS_WRITABLE);
}

static bool write_lapic_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	struct svmrun_lapic *lapic = &cpu->machine->pc.lapics[cpu->id];

	if (msr == MSR_APIC_BASE && value >> cpu->machine->info.out_gpa_bits)
		return false;
	return svmrun_lapic_write_msr(lapic, msr, value, clock_now());
}

/*
 * An MSR of nested SVM is written by it alone: a value that it refuses raises #GP, even if
 * another model has the MSR, too.
 */
static bool write_guest_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	if (guest_svm_has_msr(cpu, msr))
		return guest_svm_write_msr(cpu, msr, value);
	return write_cpu_msr(cpu, msr, value) ||
	       kvmclock_write_msr(cpu, msr, value) ||
	       write_mtrr(cpu, msr, value) ||
	       write_machine_check(cpu, msr, value) ||
	       model_msr_write(&cpu->model_msrs, msr, value) ||
	       write_lapic_msr(cpu, msr, value);
}

static bool read_guest_msr(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	struct svmrun_lapic *lapic = &cpu->machine->pc.lapics[cpu->id];

	return read_cpu_msr(cpu, msr, value) ||
	       kvmclock_read_msr(cpu, msr, value) ||
	       mtrr_read(&cpu->mtrr, msr, value) ||
	       machine_check_read(&cpu->check, msr, value) ||
	       guest_svm_read_msr(cpu, msr, value) ||
	       model_msr_read(&cpu->model_msrs, msr, value) ||
	       svmrun_lapic_read_msr(lapic, msr, value, clock_now());
}

/* Count an access that failed. Return true if --msr ignore applies. */
static bool is_ignored(struct cpu *cpu, uint32_t msr)
{
	cpu->machine->unknown_msrs++;
	return cpu->machine->options->msr == MSR_IGNORE && !has_rules(cpu, msr);
}

static bool access_msr(struct cpu *cpu, uint32_t msr)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	struct svmrun_registers *regs = cpu->vcpu.regs;
	uint64_t value = regs->rdx << 32 | (uint32_t)vmcb->save.rax;

	if (vmcb->control.exitinfo1) /* 0 is RDMSR (APM 15.11) */
		return write_guest_msr(cpu, msr, value) || is_ignored(cpu, msr);
	if (!read_guest_msr(cpu, msr, &value)) {
		if (!is_ignored(cpu, msr))
			return false;
		value = 0;
	}
	vmcb->save.rax = (uint32_t)value;
	regs->rdx = value >> 32;
	return true;
}

void exit_msr(struct cpu *cpu)
{
	if (access_msr(cpu, cpu->vcpu.regs->rcx))
		bus_complete(cpu, MSR_LENGTH);
	else
		cpu_inject_gp(cpu);
}
