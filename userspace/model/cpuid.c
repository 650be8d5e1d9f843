// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's CPUID is the host's, except for features that the machine does not have:
 * SVM, extended performance counters, and all features that need MSRs which the guest
 * does not have. The local APIC has the features of the emulated one.
 */
#include <cpuid.h>
#include <stdbool.h>
#include <string.h>

#include <linux/svmrun_policy.h>

#include "cpuid.h"
#include "lib/array_size.h"

#define BIT(n) (1u << (n))

#define CPUID_BASIC 0x00000000
#define CPUID_FEATURES 0x00000001
#define CPUID_STRUCTURED 0x00000007
#define CPUID_XSAVE 0x0000000d
#define CPUID_HYPERVISOR 0x40000000
#define CPUID_FREQUENCIES                                                      \
	0x40000010 /* EAX: TSC, EBX: timer of the local APIC, kHz */
#define LAPIC_KHZ 1000000 /* of svmrun/lapic.h: one tick is 1 ns */
#define CPUID_KVM 0x40000100 /* Linux, Documentation/virt/kvm/x86/cpuid.rst */
#define CPUID_KVM_FEATURES 0x40000101
#define CPUID_KVM_END 0x40000102
#define CPUID_EXTENDED 0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_NAME_1 0x80000002
#define CPUID_NAME_3 0x80000004
#define CPUID_CACHE_L1 0x80000005
#define CPUID_CACHE_L2 0x80000006
#define CPUID_POWER 0x80000007
#define CPUID_SIZES 0x80000008

/* 00000001 ECX: MONITOR, DSCPL, VMX, SMX, EIST, TM2, SDBG, PDCM, DCA */
#define HIDE_1_ECX                                                             \
	(BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) |       \
	 BIT(15) | BIT(18))
#define ECX_APIC (BIT(21) | BIT(24)) /* x2APIC, TSC deadline */
#define ECX_OSXSAVE BIT(27)
#define ECX_HYPERVISOR BIT(31)
#define EBX_TOPOLOGY 0xffff0000u /* APIC ID, number of processors */
#define EBX_ID 24
#define EBX_CPUS 16

/* 00000001 EDX: PSN, DS, ACPI, HTT, TM, PBE */
#define HIDE_1_EDX (BIT(18) | BIT(21) | BIT(22) | BIT(28) | BIT(29) | BIT(31))
#define EDX_MODEL (BIT(7) | BIT(12) | BIT(14)) /* MCE, MTRR, MCA */
#define EDX_APIC BIT(9)
#define EDX_HTT BIT(28)

/* 00000007 EBX: TSC_ADJUST, SGX, PQM, MPX, PQE, PT */
#define HIDE_7_EBX (BIT(1) | BIT(2) | BIT(12) | BIT(14) | BIT(15) | BIT(25))
/* ECX: WAITPKG, CET_SS, TME, RDPID, KL, bus lock, ENQCMD, SGX_LC, PKS */
#define HIDE_7_ECX                                                             \
	(BIT(5) | BIT(7) | BIT(13) | BIT(22) | BIT(23) | BIT(24) | BIT(29) |   \
	 BIT(30) | BIT(31))
#define ECX_OSPKE BIT(4)
/* EDX: UINTR, PCONFIG, arch LBR, CET_IBT, IBRS, STIBP, L1D, ARCH_CAP, CORE_CAP,
 * SSBD
 */
#define HIDE_7_EDX                                                             \
	(BIT(5) | BIT(18) | BIT(19) | BIT(20) | BIT(26) | BIT(27) | BIT(28) |  \
	 BIT(29) | BIT(30) | BIT(31))

/* 80000001 ECX: CmpLegacy, SVM, ExtApic, OSVW, IBS, SKINIT, WDT, LWP, TCE,
 * NodeId, TopologyExtensions, PerfCtrExtCore, PerfCtrExtDF, DataBkptExt,
 * PerfTsc, PerfCtrExtLLC, MONITORX, AddrMaskExt
 */
#define HIDE_81_ECX                                                            \
	(BIT(1) | BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) | BIT(13) |     \
	 BIT(15) | BIT(17) | BIT(19) | BIT(22) | BIT(23) | BIT(24) | BIT(26) | \
	 BIT(27) | BIT(28) | BIT(29) | BIT(30))
#define ECX_CMP_LEGACY BIT(1)
/*
 * EDX: FFXSR; RDTSCP, which exits, because its TSC_AUX is the host's: kernels would read
 * the time by it
 */
#define HIDE_81_EDX (BIT(25) | BIT(27))

/* 80000007 EDX: TscInvariant */
#define EDX_INVARIANT_TSC BIT(8)
/* 80000008 EBX: CLZERO, RstrFpErrPtrs */
#define KEEP_88_EBX (BIT(0) | BIT(2))
#define ECX_ID_SIZE 12 /* number of APIC ID bits for cores */

/*
 * --cpu minimal: features of every 64-bit processor. 00000001 ECX: SSE3, CX16; EDX: FPU,
 * VME, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE36,
 * CLFSH, MMX, FXSR, SSE, SSE2; 80000001 ECX: LahfSahf; EDX: those, and SYSCALL, NX, LM
 */
#define MINIMAL_1_ECX (BIT(0) | BIT(13) | ECX_APIC)
#define MINIMAL_1_EDX 0x078bfbffu
#define MINIMAL_81_ECX (BIT(0) | ECX_CMP_LEGACY)
#define MINIMAL_81_EDX (0x0183fbffu | BIT(11) | BIT(20) | BIT(29))

/* 0000000D, subleaf 1 EAX: XSAVES, XFD */
#define HIDE_D1_EAX (BIT(3) | BIT(4))
#define XSAVE_BASE 576 /* legacy region and header (APM 11.5) */
#define XSAVE_COMPONENTS 63
#define ECX_ALIGNED BIT(1) /* of a component in the compacted format */

struct cpuid cpuid_host(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c;

	__cpuid_count(leaf, subleaf, c.eax, c.ebx, c.ecx, c.edx);
	return c;
}

static void edit_basic(const struct cpuid_guest *guest, struct cpuid *c)
{
	if (c->eax > CPUID_XSAVE)
		c->eax = CPUID_XSAVE;
}

/* CPUID of a processor without a local APIC (APM 16.3.1) */
static void hide_apic(const struct cpuid_guest *guest, uint32_t *edx)
{
	if (!guest->has_apic)
		*edx &= ~EDX_APIC;
}

static void edit_features(const struct cpuid_guest *guest, struct cpuid *c)
{
	c->ebx &= ~EBX_TOPOLOGY;
	c->ebx |= guest->id << EBX_ID;
	c->ecx &= ~(HIDE_1_ECX | ECX_OSXSAVE);
	c->ecx |= ECX_APIC;
	c->edx &= ~HIDE_1_EDX;
	c->edx |= EDX_APIC | EDX_MODEL;
	hide_apic(guest, &c->edx);
	if (guest->minimal) {
		c->ecx &= MINIMAL_1_ECX;
		c->edx &= MINIMAL_1_EDX;
	}
	if (guest->cpus > 1) {
		c->ebx |= guest->cpus << EBX_CPUS;
		c->edx |= EDX_HTT;
	}
	if (guest->hypervisor != HYPERVISOR_NONE)
		c->ecx |= ECX_HYPERVISOR;
	else
		c->ecx &= ~ECX_HYPERVISOR;
	if ((guest->cr4 & SVM_CR4_OSXSAVE) && !guest->minimal)
		c->ecx |= ECX_OSXSAVE;
}

static void edit_structured(const struct cpuid_guest *guest, struct cpuid *c)
{
	if (guest->minimal) {
		*c = (struct cpuid){ 0 };
		return;
	}
	c->eax = 0; /* number of the last subleaf */
	c->ebx &= ~HIDE_7_EBX;
	c->ecx &= ~(HIDE_7_ECX | ECX_OSPKE);
	if (guest->cr4 & SVM_CR4_PKE)
		c->ecx |= ECX_OSPKE;
	c->edx &= ~HIDE_7_EDX;
}

static void edit_extended_features(const struct cpuid_guest *guest,
				   struct cpuid *c)
{
	c->ecx &= ~HIDE_81_ECX;
	c->edx &= ~HIDE_81_EDX;
	c->edx |= EDX_APIC | EDX_MODEL;
	hide_apic(guest, &c->edx);
	if (guest->cpus > 1)
		c->ecx |= ECX_CMP_LEGACY;
	if (guest->minimal) {
		c->ecx &= MINIMAL_81_ECX;
		c->edx &= MINIMAL_81_EDX;
	}
}

static void edit_power(const struct cpuid_guest *guest, struct cpuid *c)
{
	*c = (struct cpuid){ .edx = guest->tsc_khz ? EDX_INVARIANT_TSC : 0 };
}

/* Return how many bits can number @count things. */
static uint32_t bits_for_count(uint32_t count)
{
	uint32_t bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

static void edit_sizes(const struct cpuid_guest *guest, struct cpuid *c)
{
	*c = (struct cpuid){
		.eax = (c->eax & 0xff00) | guest->gpa_bits,
		.ebx = guest->minimal ? 0 : c->ebx & KEEP_88_EBX,
	};
	if (guest->cpus > 1)
		c->ecx = (guest->cpus - 1) | bits_for_count(guest->cpus)
						     << ECX_ID_SIZE;
}

static void edit_nothing(const struct cpuid_guest *guest, struct cpuid *c)
{
}

/* Leaves that the guest has; it reads zeros from all others. */
static const struct cpuid_leaf {
	uint32_t first;
	uint32_t last;
	void (*edit)(const struct cpuid_guest *guest, struct cpuid *c);
} leaves[] = {
	{ CPUID_BASIC, CPUID_BASIC, edit_basic },
	{ CPUID_FEATURES, CPUID_FEATURES, edit_features },
	{ CPUID_STRUCTURED, CPUID_STRUCTURED, edit_structured },
	{ CPUID_EXTENDED, CPUID_EXTENDED, edit_nothing },
	{ CPUID_EXTENDED_FEATURES, CPUID_EXTENDED_FEATURES,
	  edit_extended_features },
	{ CPUID_NAME_1, CPUID_NAME_3, edit_nothing },
	{ CPUID_CACHE_L1, CPUID_CACHE_L2, edit_nothing },
	{ CPUID_POWER, CPUID_POWER, edit_power },
	{ CPUID_SIZES, CPUID_SIZES, edit_sizes },
};

/*
 * Return the size of an XSAVE area in the standard format: the end of its last component.
 */
static uint32_t xsave_size(const struct cpuid_guest *guest, uint64_t xcr0)
{
	uint32_t end, size = XSAVE_BASE;
	struct cpuid part;
	unsigned int i;

	for (i = 2; i < XSAVE_COMPONENTS; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		part = guest->host(CPUID_XSAVE, i);
		end = part.ebx + part.eax;
		if (end > size)
			size = end;
	}
	return size;
}

/* Return the size in the compacted format, in which components follow one another. */
static uint32_t xsavec_size(const struct cpuid_guest *guest, uint64_t xcr0)
{
	uint32_t size = XSAVE_BASE;
	struct cpuid part;
	unsigned int i;

	for (i = 2; i < XSAVE_COMPONENTS; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		part = guest->host(CPUID_XSAVE, i);
		if (part.ecx & ECX_ALIGNED)
			size = (size + 63) & ~63u;
		size += part.eax;
	}
	return size;
}

static struct cpuid xsave_sizes(const struct cpuid_guest *guest)
{
	return (struct cpuid){
		.eax = guest->xcr0_offered,
		.ebx = xsave_size(guest, guest->xcr0),
		.ecx = xsave_size(guest, guest->xcr0_offered),
		.edx = guest->xcr0_offered >> 32,
	};
}

static struct cpuid xsave_features(const struct cpuid_guest *guest)
{
	return (struct cpuid){
		.eax = guest->host(CPUID_XSAVE, 1).eax & ~HIDE_D1_EAX,
		.ebx = xsavec_size(guest, guest->xcr0),
	};
}

static struct cpuid xsave_answer(const struct cpuid_guest *guest,
				 uint32_t subleaf)
{
	if (subleaf == 0)
		return xsave_sizes(guest);
	if (subleaf == 1)
		return xsave_features(guest);
	if (subleaf < XSAVE_COMPONENTS && (guest->xcr0_offered >> subleaf & 1))
		return guest->host(CPUID_XSAVE, subleaf);
	return (struct cpuid){ 0 };
}

static struct cpuid named_leaf(uint32_t last, const char name[12])
{
	struct cpuid c = { .eax = last };

	memcpy(&c.ebx, name, 4);
	memcpy(&c.ecx, name + 4, 4);
	memcpy(&c.edx, name + 8, 4);
	return c;
}

/* Features of KVM: no delays at ports, the clock, and its flag that the TSC is stable */
#define KVM_NOP_IO_DELAY BIT(1)
#define KVM_CLOCKSOURCE2 BIT(3)
#define KVM_CLOCKSOURCE_STABLE BIT(24)

static struct cpuid kvm_leaf(const struct cpuid_guest *guest, uint32_t leaf)
{
	struct cpuid features = { .eax = KVM_NOP_IO_DELAY | KVM_CLOCKSOURCE2 };

	if (leaf == CPUID_KVM)
		return named_leaf(CPUID_KVM_FEATURES, "KVMKVMKVM\0\0");
	if (guest->tsc_khz)
		features.eax |= KVM_CLOCKSOURCE_STABLE;
	return features;
}

/*
 * Leaves of a hypervisor. KVM's are not at 40000000, where the name of this one is: Linux
 * and others search in steps of 100.
 */
static struct cpuid hypervisor_leaf(const struct cpuid_guest *guest,
				    uint32_t leaf)
{
	if (guest->hypervisor == HYPERVISOR_KVM && leaf >= CPUID_KVM &&
	    leaf < CPUID_KVM_END)
		return kvm_leaf(guest, leaf);
	if (guest->hypervisor == HYPERVISOR_NONE)
		return (struct cpuid){ 0 };
	if (leaf == CPUID_HYPERVISOR)
		return named_leaf(CPUID_FREQUENCIES, "svmrun\0\0\0\0\0");
	if (leaf == CPUID_FREQUENCIES && guest->tsc_khz)
		return (struct cpuid){ .eax = guest->tsc_khz,
				       .ebx = LAPIC_KHZ };
	return (struct cpuid){ 0 };
}

static uint32_t *cpuid_output(struct cpuid *c, unsigned int output)
{
	uint32_t *const outputs[] = { &c->eax, &c->ebx, &c->ecx, &c->edx };

	return outputs[output];
}

/* Hide features that need a bit of CR4 or EFER which the module does not allow. */
static void hide_denied(const struct cpuid_guest *guest, uint32_t leaf,
			struct cpuid *c)
{
#define HIDE(offered, mask, function, subfunction, output, feature, is)        \
	if (leaf == (function) && !((offered) & (mask))) {                     \
		if (is)                                                        \
			*cpuid_output(c, output) &= ~BIT(feature);             \
		else                                                           \
			*cpuid_output(c, output) |= BIT(feature);              \
	}
#define HIDE_CR4(...) HIDE(guest->cr4_offered, __VA_ARGS__)
#define HIDE_EFER(...) HIDE(guest->efer_offered, __VA_ARGS__)
	SVMRUN_POLICY_CR4(HIDE_CR4)
	SVMRUN_POLICY_EFER(HIDE_EFER)
#undef HIDE_EFER
#undef HIDE_CR4
#undef HIDE
}

/* Return whether the host has the leaf. Otherwise its CPUID may return other values than 0. */
static bool host_has_leaf(const struct cpuid_guest *guest, uint32_t leaf)
{
	uint32_t range = leaf & CPUID_EXTENDED;

	return leaf <= guest->host(range, 0).eax;
}

static struct cpuid model_leaf(const struct cpuid_guest *guest, uint32_t leaf,
			       uint32_t subleaf)
{
	struct cpuid c = { 0 };
	size_t i;

	if (leaf >= CPUID_HYPERVISOR && leaf < CPUID_EXTENDED)
		return hypervisor_leaf(guest, leaf);
	if (!host_has_leaf(guest, leaf) ||
	    (leaf == CPUID_STRUCTURED && subleaf))
		return c;
	if (leaf == CPUID_XSAVE)
		return guest->minimal ? c : xsave_answer(guest, subleaf);
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaf < leaves[i].first || leaf > leaves[i].last)
			continue;
		c = guest->host(leaf, 0);
		leaves[i].edit(guest, &c);
		hide_denied(guest, leaf, &c);
		break;
	}
	return c;
}

static void override_registers(const struct cpuid_override *by, struct cpuid *c)
{
	if (by->given & BIT(0))
		c->eax = by->answer.eax;
	if (by->given & BIT(1))
		c->ebx = by->answer.ebx;
	if (by->given & BIT(2))
		c->ecx = by->answer.ecx;
	if (by->given & BIT(3))
		c->edx = by->answer.edx;
}

struct cpuid cpuid_answer(const struct cpuid_guest *guest, uint32_t leaf,
			  uint32_t subleaf)
{
	struct cpuid c = model_leaf(guest, leaf, subleaf);
	size_t i;

	if (guest->svm)
		guest->svm(guest->svm_owner, leaf, &c);
	for (i = 0; i < guest->override_count; i++)
		if (guest->overrides[i].leaf == leaf &&
		    guest->overrides[i].subleaf == subleaf)
			override_registers(&guest->overrides[i], &c);
	return c;
}
