// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which bits registers may have on this processor, by CPUID (APM volume 3). */
#include <cpuid.h>

#include <svmrun.h>

#include "register.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CPUID_BASIC	1
#define CPUID_STRUCTURED 7
#define CPUID_EXTENDED	0x80000001
#define CPUID_CAPACITY	0x80000008
#define CPUID_EXTENDED_2 0x80000021

/* Of the physical address in it, at most (APM 3.1.2) */
#define CR3_WIDTH	52

/* No rule; the bits that APM chapter 18 defines */
#define S_CET_ANY	(~0ull)
#define S_CET_SHADOW_STACK 3ull

enum output { EAX, EBX, ECX, EDX };

struct feature {
	uint32_t leaf;
	enum output output;
	unsigned int bit;
	uint64_t bits; /* that a register may have with it */
};

/* A table is read as one. */
/* clang-format off */
static const struct feature cr4_features[] = {
	{ CPUID_BASIC, EDX, 1, CR4_VME | CR4_PVI },
	{ CPUID_BASIC, EDX, 2, CR4_DE },
	{ CPUID_BASIC, EDX, 3, CR4_PSE },
	{ CPUID_BASIC, EDX, 4, CR4_TSD },
	{ CPUID_BASIC, EDX, 6, CR4_PAE },
	{ CPUID_BASIC, EDX, 7, CR4_MCE },
	{ CPUID_BASIC, EDX, 13, CR4_PGE },
	{ CPUID_BASIC, EDX, 24, CR4_OSFXSR },
	{ CPUID_BASIC, EDX, 25, CR4_OSXMMEXCPT },
	{ CPUID_BASIC, ECX, 17, CR4_PCIDE },
	{ CPUID_BASIC, ECX, 26, CR4_OSXSAVE },
	{ CPUID_STRUCTURED, EBX, 0, CR4_FSGSBASE },
	{ CPUID_STRUCTURED, EBX, 7, CR4_SMEP },
	{ CPUID_STRUCTURED, EBX, 20, CR4_SMAP },
	{ CPUID_STRUCTURED, ECX, 2, CR4_UMIP },
	{ CPUID_STRUCTURED, ECX, 3, CR4_PKE },
	{ CPUID_STRUCTURED, ECX, 7, CR4_CET },
	{ CPUID_STRUCTURED, ECX, 16, CR4_LA57 },
};

static const struct feature efer_features[] = {
	{ CPUID_EXTENDED, ECX, 17, EFER_TCE },
	{ CPUID_EXTENDED, EDX, 11, EFER_SCE },
	{ CPUID_EXTENDED, EDX, 20, EFER_NXE },
	{ CPUID_EXTENDED, EDX, 25, EFER_FFXSR },
	{ CPUID_EXTENDED, EDX, 29, EFER_LME | EFER_LMA },
	{ CPUID_CAPACITY, EBX, 8, EFER_MCOMMIT },
	{ CPUID_CAPACITY, EBX, 13, EFER_INTWB },
	{ CPUID_EXTENDED_2, EAX, 7, EFER_UAIE },
	{ CPUID_EXTENDED_2, EAX, 8, EFER_AIBRSE },
};

/* clang-format on */

static const struct feature lmsle_is_gone = { CPUID_CAPACITY, EBX, 20, 0 };
static const struct feature branch_tracking = { CPUID_STRUCTURED, EDX, 20, 0 };

/* 0 for a leaf that the processor does not have */
static uint32_t cpuid(uint32_t leaf, enum output output)
{
	uint32_t r[4] = { 0 };

	__get_cpuid_count(leaf, 0, &r[EAX], &r[EBX], &r[ECX], &r[EDX]);
	return r[output];
}

static bool has(const struct feature *feature)
{
	return cpuid(feature->leaf, feature->output) >> feature->bit & 1;
}

static uint64_t bits_with(const struct feature *features, size_t count)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (has(&features[i]))
			bits |= features[i].bits;
	return bits;
}

/* The architecture's limit, and the processor's */
static uint64_t cr3_bits(void)
{
	uint32_t width = cpuid(CPUID_CAPACITY, EAX) & 0xff;

	return (1ull << (width < CR3_WIDTH ? width : CR3_WIDTH)) - 1;
}

static uint64_t cr4_bits(void)
{
	return CR4_PCE | bits_with(cr4_features, ARRAY_SIZE(cr4_features));
}

static uint64_t efer_bits(void)
{
	uint64_t bits = EFER_SVME | EFER_RAZ |
			bits_with(efer_features, ARRAY_SIZE(efer_features));

	return has(&lmsle_is_gone) ? bits : bits | EFER_LMSLE;
}

/* Branch tracking has bits there that the manual does not define. */
static uint64_t s_cet_bits(uint64_t cr4)
{
	if (!(cr4 & CR4_CET) || has(&branch_tracking))
		return S_CET_ANY;
	return S_CET_SHADOW_STACK;
}

void svmrun_processor_identify(struct svmrun_processor *processor,
			       const struct svmrun_info *info)
{
	*processor = (struct svmrun_processor){
		.svm_features = info->out_svm_features,
		.cr3 = cr3_bits(),
		.cr4 = cr4_bits(),
		.efer = efer_bits(),
		.xcr0 = info->out_xcr0,
	};
	processor->s_cet = s_cet_bits(processor->cr4);
}
