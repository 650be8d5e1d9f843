// SPDX-License-Identifier: GPL-2.0
#include <x86intrin.h>

#include "bus.h"
#include "common/clock.h"
#include "guest_svm.h"
#include "kvmclock.h"
#include "lib/array_size.h"
#include "machine.h"
#include "msr.h"

#define MSR_LENGTH 2

/* The permission map: bytes until the second range, and MSRs per range */
#define PERMISSION_EXTENDED 0x800
#define PERMISSION_RANGE 0x2000

#define MSR_EXTENDED 0xc0000000 /* the first of the second range */
#define X2APIC_MSRS 0x100
#define MSR_TSC_AUX 0xc0000103

#define AT(member) offsetof(struct svm_vmcb_save, member)

/* Legal values of an MSR; a write of others is #GP. */
enum values { ANY, CANONICAL, MEMORY_TYPES };

/*
 * MSRs that the VMCB holds. The guest accesses those that VMLOAD and VMSAVE switch without
 * an exit. Not all processors switch the PAT.
 */
static const struct vmcb_msr {
	uint32_t msr;
	uint16_t offset; /* in the state save area */
	enum values values;
	bool direct;
} vmcb_msrs[] = {
	{ MSR_SYSENTER_CS, AT(sysenter_cs), ANY, true },
	{ MSR_SYSENTER_ESP, AT(sysenter_esp), CANONICAL, true },
	{ MSR_SYSENTER_EIP, AT(sysenter_eip), CANONICAL, true },
	{ MSR_PAT, AT(g_pat), MEMORY_TYPES, false },
	{ MSR_STAR, AT(star), ANY, true },
	{ MSR_LSTAR, AT(lstar), CANONICAL, true },
	{ MSR_CSTAR, AT(cstar), CANONICAL, true },
	{ MSR_SFMASK, AT(sfmask), ANY, true },
	{ MSR_FS_BASE, AT(fs.base), CANONICAL, true },
	{ MSR_GS_BASE, AT(gs.base), CANONICAL, true },
	{ MSR_KERNEL_GS_BASE, AT(kernel_gs_base), CANONICAL, true },
};

/*
 * Place of an MSR's two bits in the permission map (APM 15.11): the MSRs of each range
 * follow those of the range before it.
 */
static size_t permission_bit(uint32_t msr)
{
	size_t range = msr >= MSR_EXTENDED ? PERMISSION_EXTENDED : 0;

	return range * 8 + 2 * (msr % PERMISSION_RANGE);
}

void msr_permit(struct svmrun_vcpu *vcpu)
{
	size_t i, bit;

	for (i = 0; i < ARRAY_SIZE(vmcb_msrs); i++) {
		if (!vmcb_msrs[i].direct)
			continue;
		bit = permission_bit(vmcb_msrs[i].msr);
		vcpu->msrpm[bit / 8] &= ~(3u << bit % 8);
	}
}

static const struct vmcb_msr *find_vmcb_msr(uint32_t msr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vmcb_msrs); i++)
		if (vmcb_msrs[i].msr == msr)
			return &vmcb_msrs[i];
	return NULL;
}

/* The width does not depend on whether 5-level paging is enabled. */
static unsigned int address_width(const struct cpu *cpu)
{
	return cpu->machine->info.out_cr4 & SVM_CR4_LA57 ?
		       LINEAR_BITS_5_LEVELS :
		       LINEAR_BITS_4_LEVELS;
}

static bool is_pat(uint64_t value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (!is_pat_type((value >> (8 * i)) & 0xff))
			return false;
	return true;
}

static bool is_valid(const struct cpu *cpu, enum values values, uint64_t value)
{
	switch (values) {
	case CANONICAL:
		return is_canonical(value, address_width(cpu));
	case MEMORY_TYPES:
		return is_pat(value);
	default:
		return true;
	}
}

static __u64 *vmcb_msr_value(struct svm_vmcb_save *save,
			     const struct vmcb_msr *msr)
{
	return (__u64 *)((char *)save + msr->offset);
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
	return true;
}

static bool is_lapic_msr(uint32_t msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       msr - MSR_X2APIC < X2APIC_MSRS;
}

/* Does the guest have the MSR? Then --msr ignore does not apply to it. */
static bool has_rules(const struct cpu *cpu, uint32_t msr)
{
	return guest_svm_has_msr(cpu, msr) || msr == MSR_EFER ||
	       msr == MSR_TSC || msr == MSR_TSC_AUX || find_vmcb_msr(msr) ||
	       mtrr_has(msr) || machine_check_has(msr) || model_msr_has(msr) ||
	       is_lapic_msr(msr);
}

/* KVM's clock and the deadline of the local APIC's timer depend on the counter. */
static void write_tsc(struct cpu *cpu, uint64_t value)
{
	cpu->vcpu.vmcb->control.tsc_offset = value - __rdtsc();
	kvmclock_update(cpu);
	svmrun_lapic_advance(&cpu->machine->pc.lapics[cpu->id], clock_now());
}

static bool write_cpu_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const struct vmcb_msr *found = find_vmcb_msr(msr);

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
	if (!found || !is_valid(cpu, found->values, value))
		return false;
	*vmcb_msr_value(&vmcb->save, found) = value;
	return true;
}

static bool read_cpu_msr(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const struct vmcb_msr *found = find_vmcb_msr(msr);

	if (msr == MSR_EFER)
		*value = (vmcb->save.efer & ~SVM_EFER_SVME) |
			 (guest_svm_get_svme(cpu) ? SVM_EFER_SVME : 0);
	else if (msr == MSR_TSC)
		*value = cpu_tsc(cpu);
	else if (msr == MSR_TSC_AUX)
		*value = cpu->tsc_aux;
	else if (found)
		*value = *vmcb_msr_value(&vmcb->save, found);
	else
		return false;
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

/* If SVM has the MSR, a value that it refuses is #GP, whatever other models of it there are. */
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
