// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's CPUID: the tool's, without what depends on the tool's devices */
#include "cpuid.h"
#include "lib/x86.h"
#include "model/cpuid.h"

#define CPUID_LENGTH 2
#define CPUID_FREQUENCIES 0x40000010

/* Features of devices and MSRs that the program may have, or may not */
#define ECX_APIC (1u << 21 | 1u << 24) /* x2APIC, TSC deadline */
#define EDX_MODEL (1u << 7 | 1u << 12 | 1u << 14) /* MCE, MTRR, MCA */

static struct cpuid processor_cpuid(const struct nvmm_vcpu_private *vcpu,
				    uint32_t leaf, uint32_t subleaf)
{
	const struct svmrun_info *info = &vcpu->machine->info;
	const struct cpuid_guest guest = {
		.host = cpuid_host,
		.hypervisor = HYPERVISOR_KVM,
		.tsc_khz = info->out_tsc_khz,
		.id = vcpu->id,
		.cpus = vcpu->machine->vcpu_count,
		.cr4 = vcpu->cpu.vmcb->save.cr4,
		.cr4_offered = info->out_cr4,
		.efer_offered = GUEST_EFER & info->out_efer,
		.xcr0 = vcpu->cpu.regs->xcr0,
		.xcr0_offered = info->out_xcr0,
		.has_apic = true,
		.gpa_bits = info->out_gpa_bits,
	};

	return cpuid_answer(&guest, leaf, subleaf);
}

/* The frequency of the local APIC's timer is the program's. */
static void hide_devices(uint32_t leaf, struct cpuid *c)
{
	if (leaf == CPUID_FEATURES)
		c->ecx &= ~ECX_APIC;
	if (leaf == CPUID_FEATURES || leaf == CPUID_EXTENDED_FEATURES)
		c->edx &= ~EDX_MODEL;
	if (leaf == CPUID_FREQUENCIES)
		c->ebx = 0;
}

static void apply_mask(const struct nvmm_vcpu_conf_cpuid *conf, struct cpuid *c)
{
	c->eax = (c->eax & ~conf->u.mask.del.eax) | conf->u.mask.set.eax;
	c->ebx = (c->ebx & ~conf->u.mask.del.ebx) | conf->u.mask.set.ebx;
	c->ecx = (c->ecx & ~conf->u.mask.del.ecx) | conf->u.mask.set.ecx;
	c->edx = (c->edx & ~conf->u.mask.del.edx) | conf->u.mask.set.edx;
}

static const struct nvmm_vcpu_conf_cpuid *
find_configuration(const struct nvmm_vcpu_private *vcpu, uint32_t leaf)
{
	unsigned int i;

	for (i = 0; i < vcpu->cpuid_count; i++)
		if (vcpu->cpuid[i].leaf == leaf)
			return &vcpu->cpuid[i];
	return NULL;
}

enum exit_action cpuid_exit(struct nvmm_vcpu_private *vcpu)
{
	struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	struct svmrun_registers *regs = vcpu->cpu.regs;
	uint32_t leaf = save->rax;
	const struct nvmm_vcpu_conf_cpuid *conf = find_configuration(vcpu,
								     leaf);
	struct cpuid c;

	if (conf && conf->exit) {
		vcpu->exit.u.insn.npc = vcpu_next_rip(vcpu, CPUID_LENGTH);
		return instruction_exit(vcpu, NVMM_VCPU_EXIT_CPUID,
					vcpu->exit.u.insn.npc);
	}
	c = processor_cpuid(vcpu, leaf, regs->rcx);
	hide_devices(leaf, &c);
	if (conf)
		apply_mask(conf, &c);
	save->rax = c.eax;
	regs->rbx = c.ebx;
	regs->rcx = c.ecx;
	regs->rdx = c.edx;
	return instruction_complete(vcpu, CPUID_LENGTH);
}
