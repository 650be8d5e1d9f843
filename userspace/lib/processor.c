// SPDX-License-Identifier: LGPL-2.1-or-later
/* Bits that registers may have on this processor (APM volume 3, appendix E) */
#include <cpuid.h>

#include <linux/svmrun_policy.h>
#include <svmrun.h>

#include "array_size.h"
#include "x86.h"

/* Maximum width of the physical address in CR3 (APM 3.1.2) */
#define CR3_WIDTH	52

/* All bits (no rule), or only those that APM chapter 18 defines */
#define S_CET_ANY	(~0ull)
#define S_CET_SHADOW_STACK 3ull

/**
 * struct feature - a feature bit of CPUID
 * @bits: register bits that exist with the feature
 * @function: function of CPUID, EAX
 * @subfunction: subfunction of CPUID, ECX
 * @output: SVMRUN_CPUID_*, the output register
 * @bit: number of the bit in it
 * @is: value of the bit if the processor has the feature
 */
struct feature {
	uint64_t bits;
	uint32_t function;
	uint32_t subfunction;
	unsigned int output;
	unsigned int bit;
	uint32_t is;
};

#define FEATURE(...) { __VA_ARGS__ },
static const struct feature cr4_features[] = { SVMRUN_POLICY_CR4(FEATURE) };
static const struct feature efer_features[] = { SVMRUN_POLICY_EFER(FEATURE) };

static const struct feature indirect_branch_tracking = {
	.function = CPUID_STRUCTURED,
	.output = SVMRUN_CPUID_EDX,
	.bit = 20,
	.is = 1,
};

/* Return 0 for a function that the processor does not have. */
static uint32_t cpuid(uint32_t function, uint32_t subfunction,
		      unsigned int output)
{
	uint32_t r[4] = { 0 };

	__get_cpuid_count(function, subfunction, &r[SVMRUN_CPUID_EAX],
			  &r[SVMRUN_CPUID_EBX], &r[SVMRUN_CPUID_ECX],
			  &r[SVMRUN_CPUID_EDX]);
	return r[output];
}

static bool has_feature(const struct feature *feature)
{
	uint32_t output = cpuid(feature->function, feature->subfunction,
				feature->output);

	return (output >> feature->bit & 1) == feature->is;
}

static uint64_t bits_of_features(const struct feature *features, size_t count)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (has_feature(&features[i]))
			bits |= features[i].bits;
	return bits;
}

/* The width is limited by the architecture and by the processor. */
static uint64_t cr3_bits(void)
{
	uint32_t width = cpuid(CPUID_SIZES, 0, SVMRUN_CPUID_EAX) & 0xff;

	return (1ull << (width < CR3_WIDTH ? width : CR3_WIDTH)) - 1;
}

/* Like the module on a host with this XCR0 */
static uint64_t cr4_bits(uint64_t xcr0)
{
	uint64_t bits = bits_of_features(cr4_features,
					 ARRAY_SIZE(cr4_features));

	if (!(xcr0 & XCR0_X87))
		bits &= ~SVM_CR4_OSXSAVE;
	if (!(xcr0 & XCR0_PKRU))
		bits &= ~SVM_CR4_PKE;
	return bits;
}

static uint64_t efer_bits(void)
{
	return SVMRUN_POLICY_EFER_REQUIRED |
	       bits_of_features(efer_features, ARRAY_SIZE(efer_features));
}

/* With indirect branch tracking, S_CET has bits that the manual does not define. */
static uint64_t s_cet_bits(uint64_t cr4)
{
	if (!(cr4 & SVM_CR4_CET) || has_feature(&indirect_branch_tracking))
		return S_CET_ANY;
	return S_CET_SHADOW_STACK;
}

/*
 * Return whether the module has filled in the bits of the registers. EFER is never 0 then. A
 * program that was built with an older header has only @info->size bytes.
 */
static bool registers_are_reported(const struct svmrun_info *info)
{
	const size_t needed = offsetof(struct svmrun_info, out_dbgctl) +
			      sizeof(info->out_dbgctl);

	return info->size >= needed && info->out_efer;
}

void svmrun_processor_identify(struct svmrun_processor *processor,
			       const struct svmrun_info *info)
{
	bool reported = registers_are_reported(info);

	*processor = (struct svmrun_processor){
		.svm_features = info->out_svm_features,
		.cr3 = cr3_bits(),
		.cr0 = reported ? info->out_cr0 : SVMRUN_POLICY_KNOWN_CR0,
		.cr4 = reported ? info->out_cr4 : cr4_bits(info->out_xcr0),
		.efer = reported ? info->out_efer : efer_bits(),
		.dbgctl = reported ? info->out_dbgctl :
				     SVMRUN_POLICY_KNOWN_DBGCTL,
		.xcr0 = info->out_xcr0,
	};
	processor->s_cet = s_cet_bits(processor->cr4);
}
