// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/array_size.h"
#include "lib/x86.h"
#include "vmcb_msr.h"

/* The permission map: bytes until the second range, and MSRs per range */
#define PERMISSION_EXTENDED 0x800
#define PERMISSION_RANGE 0x2000

#define MSR_EXTENDED 0xc0000000 /* the first of the second range */

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

void vmcb_msr_permit(struct svmrun_vcpu *vcpu)
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

bool vmcb_msr_has(uint32_t msr)
{
	return find_vmcb_msr(msr);
}

bool vmcb_msr_is_pat(uint64_t value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (!is_pat_type((value >> (8 * i)) & 0xff))
			return false;
	return true;
}

static bool is_valid(enum values values, uint64_t value, unsigned int width)
{
	switch (values) {
	case CANONICAL:
		return is_canonical(value, width);
	case MEMORY_TYPES:
		return vmcb_msr_is_pat(value);
	default:
		return true;
	}
}

bool vmcb_msr_read(const struct svm_vmcb_save *save, uint32_t msr,
		   uint64_t *value)
{
	const struct vmcb_msr *found = find_vmcb_msr(msr);

	if (found)
		*value = *(const __u64 *)((const char *)save + found->offset);
	return found;
}

/* Of these MSRs only the PAT belongs to a group that has a clean bit (APM 15.15.3). */
bool vmcb_msr_write(struct svm_vmcb *vmcb, uint32_t msr, uint64_t value,
		    unsigned int width)
{
	const struct vmcb_msr *found = find_vmcb_msr(msr);

	if (!found || !is_valid(found->values, value, width))
		return false;
	*(__u64 *)((char *)&vmcb->save + found->offset) = value;
	if (msr == MSR_PAT)
		vmcb->control.clean &= ~SVM_CLEAN_NP;
	return true;
}
