// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Explain why VMRUN fails. The module's rules are those of linux/svmrun_policy.h, in the
 * order in which the module checks them; the processor's rules are those of APM 15.5.1,
 * 15.20 and 15.25.4, except for those on bits that the module refuses anyway.
 */
#include <string.h>

#include <linux/svmrun_policy.h>
#include <svmrun.h>

#include "array_size.h"
#include "x86.h"

#define UPPER_HALF	(~0ull << 32)
#define ASID_BITS	0xffffffffull
#define TLB_CONTROL_BITS 0xffull

/* tsc_ratio in the registers page has 8 bits of integer and 32 bits of fraction. */
#define TSC_RATIO_RESERVED (~0ull << 40)

/* #DE to #DB; #BP to #DF; #TS to #PF; #MF to #XF; #CP; #HV to #SX (APM 8.2) */
#define EXCEPTIONS \
	(3u << 0 | 0x3fu << 3 | 0x1fu << 10 | 0xfu << 16 | 1u << 21 | 7u << 28)

/**
 * struct subject - the page that is checked
 * @vmcb: a VMCB, or NULL if @regs is checked
 * @regs: a registers page
 * @processor: properties of the processor
 */
struct subject {
	const struct svm_vmcb *vmcb;
	const struct svmrun_registers *regs;
	const struct svmrun_processor *processor;
};

/**
 * struct rule - a rule for a field
 * @field: name of the field
 * @offset: its offset in the vCPU's pages
 * @size: its size in bytes
 * @reason: SVMRUN_INVALID_*
 * @zero: bits that must be 0, with the exceptions of @with and @feature
 * @with: if not 0, @zero does not apply when all of these bits are 1
 * @feature: if not 0, @zero does not apply when the processor has one of these features
 * @set: bits that must be 1
 * @wrong: for rules that the members above cannot express: return the wrong bits
 * @why: the rule in words
 * @source: the manual's section, or the header, that contains it
 */
struct rule {
	const char *field;
	uint32_t offset;
	uint32_t size;
	uint32_t reason;
	uint64_t zero;
	uint64_t with;
	uint32_t feature;
	uint64_t set;
	uint64_t (*wrong)(const struct subject *subject);
	const char *why;
	const char *source;
};

/* ---- rules of the module that need a function ----------------------------- */

static uint64_t asid_is_zero(const struct subject *subject)
{
	return subject->vmcb->control.asid ? 0 : ASID_BITS;
}

static uint64_t tlb_control_unknown(const struct subject *subject)
{
	switch (subject->vmcb->control.tlb_control) {
#define KNOWN(value, feature) case value:
		SVMRUN_POLICY_TLB_CONTROL(KNOWN)
#undef KNOWN
		return 0;
	default:
		return TLB_CONTROL_BITS;
	}
}

static uint64_t tlb_control_unsupported(const struct subject *subject)
{
	uint32_t features = subject->processor->svm_features;

	switch (subject->vmcb->control.tlb_control) {
#define KNOWN(value, feature)                                                  \
	case value:                                                            \
		return (feature) & ~features ? TLB_CONTROL_BITS : 0;
		SVMRUN_POLICY_TLB_CONTROL(KNOWN)
#undef KNOWN
	default:
		return 0;
	}
}

#define UNSUPPORTED(register, known)                                           \
	static uint64_t register##_unsupported(const struct subject *subject)  \
	{                                                                      \
		return subject->vmcb->save.register & (known) &                \
		       ~subject->processor->register;                          \
	}
SVMRUN_POLICY_ALLOWED(UNSUPPORTED)
#undef UNSUPPORTED

static uint64_t xcr0_not_offered(const struct subject *subject)
{
	return subject->regs->xcr0 & ~subject->processor->xcr0;
}

/* ---- rules of the processor that need a function --------------------------- */

static bool is_long_mode(const struct svm_vmcb_save *save)
{
	return (save->efer & SVM_EFER_LME) && (save->cr0 & SVM_CR0_PG);
}

/* Only long mode's CR3 has bits that must be zero (APM 3.1.2). */
static uint64_t cr3_reserved(const struct subject *subject)
{
	const struct svm_vmcb_save *save = &subject->vmcb->save;

	return is_long_mode(save) ? save->cr3 & ~subject->processor->cr3 : 0;
}

static uint64_t efer_reserved(const struct subject *subject)
{
	return subject->vmcb->save.efer & ~subject->processor->efer;
}

static uint64_t cr4_reserved(const struct subject *subject)
{
	return subject->vmcb->save.cr4 & ~subject->processor->cr4;
}

static uint64_t n_cr3_reserved(const struct subject *subject)
{
	const struct svm_vmcb_control *control = &subject->vmcb->control;

	if (!(control->nested_ctl & SVM_NESTED_NP_ENABLE))
		return 0;
	return control->n_cr3 & ~subject->processor->cr3;
}

static uint64_t cr0_nw_without_cd(const struct subject *subject)
{
	uint64_t cr0 = subject->vmcb->save.cr0;

	return cr0 & SVM_CR0_CD ? 0 : cr0 & SVM_CR0_NW;
}

/* The processor ignores bits 11:0 of the address of a permission map. */
static uint64_t map_beyond_memory(const struct subject *subject,
				  uint64_t address, uint64_t size)
{
	uint64_t largest = subject->processor->cr3 | (PAGE_SIZE - 1);

	address &= ~(PAGE_SIZE - 1);
	return address > largest || size - 1 > largest - address ? ~0ull : 0;
}

static uint64_t iopm_beyond_memory(const struct subject *subject)
{
	return map_beyond_memory(subject, subject->vmcb->control.iopm_base_pa,
				 IOPM_SIZE);
}

static uint64_t msrpm_beyond_memory(const struct subject *subject)
{
	return map_beyond_memory(subject, subject->vmcb->control.msrpm_base_pa,
				 MSRPM_SIZE);
}

static uint64_t long_mode_without_pae(const struct subject *subject)
{
	const struct svm_vmcb_save *save = &subject->vmcb->save;

	return is_long_mode(save) ? ~save->cr4 & SVM_CR4_PAE : 0;
}

static uint64_t long_mode_without_pe(const struct subject *subject)
{
	const struct svm_vmcb_save *save = &subject->vmcb->save;

	return is_long_mode(save) ? ~save->cr0 & SVM_CR0_PE : 0;
}

static uint64_t long_mode_cs_l_and_d(const struct subject *subject)
{
	const struct svm_vmcb_save *save = &subject->vmcb->save;
	uint64_t sizes = SVM_SEG_L | SVM_SEG_DB;

	if (!is_long_mode(save) || !(save->cr4 & SVM_CR4_PAE))
		return 0;
	return (save->cs.attrib & sizes) == sizes ? sizes : 0;
}

static uint64_t event_type_reserved(const struct subject *subject)
{
	uint64_t event = subject->vmcb->control.eventinj;

	if (!(event & SVM_EVENT_VALID))
		return 0;
	switch (event & SVM_EVENT_TYPE_MASK) {
	case SVM_EVENT_TYPE_INTR:
	case SVM_EVENT_TYPE_NMI:
	case SVM_EVENT_TYPE_EXCEPTION:
	case SVM_EVENT_TYPE_SOFT_INTERRUPT:
		return 0;
	default:
		return SVM_EVENT_TYPE_MASK;
	}
}

static bool injects_exception(const struct svm_vmcb *vmcb)
{
	uint64_t event = vmcb->control.eventinj;

	return (event & SVM_EVENT_VALID) &&
	       (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_EXCEPTION;
}

static uint64_t event_vector_invalid(const struct subject *subject)
{
	const struct svm_vmcb *vmcb = subject->vmcb;
	unsigned int vector = vmcb->control.eventinj & SVM_EVENT_VECTOR_MASK;

	if (!injects_exception(vmcb) ||
	    (vector < 32 && (EXCEPTIONS >> vector & 1)))
		return 0;
	return SVM_EVENT_VECTOR_MASK;
}

/* BOUND is not an instruction of 64-bit mode. */
static uint64_t event_br_in_64_bit_mode(const struct subject *subject)
{
	const struct svm_vmcb *vmcb = subject->vmcb;
	unsigned int vector = vmcb->control.eventinj & SVM_EVENT_VECTOR_MASK;

	if (!injects_exception(vmcb) || vector != VECTOR_BR ||
	    !is_long_mode(&vmcb->save) || !(vmcb->save.cs.attrib & SVM_SEG_L))
		return 0;
	return SVM_EVENT_VECTOR_MASK;
}

static uint64_t s_cet_reserved(const struct subject *subject)
{
	return subject->vmcb->save.s_cet & ~subject->processor->s_cet;
}

static uint64_t cet_without_wp(const struct subject *subject)
{
	const struct svm_vmcb_save *save = &subject->vmcb->save;

	if (save->cr0 & SVM_CR0_WP)
		return 0;
	return save->cr4 & SVM_CR4_CET;
}

/* UC, WC, WT, WP, WB and UC- in each byte (APM 7.8.1) */
static uint64_t pat_type_invalid(const struct subject *subject)
{
	const struct svm_vmcb *vmcb = subject->vmcb;
	uint64_t type, bits = 0;
	unsigned int shift;

	if (!(vmcb->control.nested_ctl & SVM_NESTED_NP_ENABLE))
		return 0;
	for (shift = 0; shift < 64; shift += 8) {
		type = vmcb->save.g_pat >> shift & 0xff;
		if (!is_pat_type(type))
			bits |= 0xffull << shift;
	}
	return bits;
}

/* ---- the tables ------------------------------------------------------------ */

#define POLICY "linux/svmrun_policy.h"

/* clang-format off */
#define VMCB(member)                                                           \
	.field = #member, .offset = offsetof(struct svm_vmcb, member),         \
	.size = sizeof(((struct svm_vmcb *)0)->member)
#define REGISTER(member)                                                       \
	.field = #member, .offset = SVMRUN_VCPU_REGISTERS +                    \
		offsetof(struct svmrun_registers, member),                     \
	.size = sizeof(((struct svmrun_registers *)0)->member)
#define REASON(name) .reason = SVMRUN_INVALID_##name

#define ZERO(member, clean)                                                    \
	{ VMCB(control.member), REASON(MUST_BE_ZERO), .zero = ~0ull,           \
	  .why = "must be 0: the module sets it itself, or does not use it",   \
	  .source = POLICY },
#define CONTROL(member, clean, forced, refused, required)                      \
	{ VMCB(control.member), REASON(MUST_BE_ZERO), .zero = (refused),       \
	  .why = "bits that must be 0: the module does not permit them",       \
	  .source = POLICY },                                                  \
	{ VMCB(control.member), REASON(MUST_BE_SET), .set = (required),        \
	  .why = "bits that must be 1: the module requires them",              \
	  .source = POLICY },
#define FEATURE(member, bits, needed)                                          \
	{ VMCB(control.member), REASON(UNSUPPORTED), .zero = (bits),           \
	  .feature = (needed),                                                 \
	  .why = "requires " #needed ", which this processor does not support", \
	  .source = POLICY },
#define ALLOWED(register, known)                                               \
	{ VMCB(save.register), REASON(MUST_BE_ZERO), .zero = ~(known),         \
	  .why = "bits that must be 0: the module does not permit them",       \
	  .source = POLICY },                                                  \
	{ VMCB(save.register), REASON(UNSUPPORTED),                            \
	  .wrong = register##_unsupported,                                     \
	  .why = "bits that this processor or the host's kernel does not support", \
	  .source = POLICY },

static const struct rule module_rules[] = {
	SVMRUN_POLICY_ZERO(ZERO)
	SVMRUN_POLICY_CONTROL(CONTROL)
	SVMRUN_POLICY_FEATURES(FEATURE)
	{ VMCB(control.asid), REASON(MUST_BE_SET), .wrong = asid_is_zero,
	  .why = "0 is the ASID of the host", .source = "APM 15.5.1" },
	{ VMCB(control.tlb_control), REASON(VALUE), .wrong = tlb_control_unknown,
	  .why = "not a value that the manual defines",
	  .source = "APM 15.16.2" },
	{ VMCB(control.tlb_control), REASON(UNSUPPORTED),
	  .wrong = tlb_control_unsupported,
	  .why = "this processor does not support this flush",
	  .source = POLICY },
	{ VMCB(save.efer), REASON(MUST_BE_SET),
	  .set = SVMRUN_POLICY_EFER_REQUIRED,
	  .why = "SVME must be 1", .source = "APM 15.5.1" },
	SVMRUN_POLICY_ALLOWED(ALLOWED)
};

/* Rules of the processor that the module checks, too */
static const struct rule vmrun_rules[] = {
	{ VMCB(save.efer), REASON(PROCESSOR), .set = SVM_EFER_SVME,
	  .why = "SVME must be 1", .source = "APM 15.5.1" },
	{ VMCB(save.efer), REASON(PROCESSOR), .wrong = efer_reserved,
	  .why = "reserved bits must be 0", .source = "APM 15.5.1" },
	{ VMCB(save.cr0), REASON(PROCESSOR), .wrong = cr0_nw_without_cd,
	  .why = "NW must be 0 if CD is", .source = "APM 15.5.1" },
	{ VMCB(save.cr0), REASON(PROCESSOR), .zero = UPPER_HALF,
	  .why = "bits 63:32 must be 0", .source = "APM 15.5.1" },
	{ VMCB(save.cr4), REASON(PROCESSOR), .wrong = cr4_reserved,
	  .why = "reserved bits must be 0", .source = "APM 15.5.1" },
	{ VMCB(control.intercept[4]), REASON(PROCESSOR),
	  .set = SVM_INTERCEPT4_VMRUN,
	  .why = "VMRUN must be intercepted", .source = "APM 15.5.1" },
	{ VMCB(control.iopm_base_pa), REASON(PROCESSOR),
	  .wrong = iopm_beyond_memory,
	  .why = "the map must end below the largest physical address",
	  .source = "APM 15.5.1" },
	{ VMCB(control.msrpm_base_pa), REASON(PROCESSOR),
	  .wrong = msrpm_beyond_memory,
	  .why = "the map must end below the largest physical address",
	  .source = "APM 15.5.1" },
	{ VMCB(control.asid), REASON(PROCESSOR), .wrong = asid_is_zero,
	  .why = "0 is the ASID of the host", .source = "APM 15.5.1" },
	{ VMCB(control.tlb_control), REASON(PROCESSOR),
	  .wrong = tlb_control_unknown,
	  .why = "not a value that the manual defines",
	  .source = "APM 15.16.2" },
	{ VMCB(control.nested_ctl), REASON(PROCESSOR),
	  .zero = SVM_NESTED_NP_ENABLE, .feature = SVM_FEATURE_NP,
	  .why = "NP_ENABLE requires nested paging, which this processor does not support",
	  .source = "APM 15.25.3" },
	{ VMCB(control.n_cr3), REASON(PROCESSOR), .wrong = n_cr3_reserved,
	  .why = "bits beyond the physical address must be 0",
	  .source = "APM 15.25.4" },
};

/* Rules that the module leaves to the processor */
static const struct rule processor_rules[] = {
	{ VMCB(save.cr3), REASON(PROCESSOR), .wrong = cr3_reserved,
	  .why = "bits beyond the physical address must be 0 in long mode",
	  .source = "APM 15.5.1" },
	{ VMCB(save.dr6), REASON(PROCESSOR), .zero = UPPER_HALF,
	  .why = "bits 63:32 must be 0", .source = "APM 15.5.1" },
	{ VMCB(save.dr7), REASON(PROCESSOR), .zero = UPPER_HALF,
	  .why = "bits 63:32 must be 0", .source = "APM 15.5.1" },
	{ VMCB(save.cr4), REASON(PROCESSOR), .wrong = long_mode_without_pae,
	  .why = "PAE must be 1 if EFER.LME and CR0.PG are",
	  .source = "APM 15.5.1" },
	{ VMCB(save.cr0), REASON(PROCESSOR), .wrong = long_mode_without_pe,
	  .why = "PE must be 1 if EFER.LME and PG are",
	  .source = "APM 15.5.1" },
	{ VMCB(save.cs.attrib), REASON(PROCESSOR),
	  .wrong = long_mode_cs_l_and_d,
	  .why = "L and D must not both be 1 if EFER.LME, CR0.PG and CR4.PAE are",
	  .source = "APM 15.5.1" },
	{ VMCB(control.eventinj), REASON(PROCESSOR),
	  .wrong = event_type_reserved,
	  .why = "TYPE is reserved", .source = "APM 15.20" },
	{ VMCB(control.eventinj), REASON(PROCESSOR),
	  .wrong = event_vector_invalid,
	  .why = "TYPE is an exception, but VECTOR is not that of one",
	  .source = "APM 15.20" },
	{ VMCB(control.eventinj), REASON(PROCESSOR),
	  .wrong = event_br_in_64_bit_mode,
	  .why = "there is no #BR in 64-bit mode", .source = "APM 15.20" },
	{ VMCB(save.s_cet), REASON(PROCESSOR), .wrong = s_cet_reserved,
	  .why = "reserved bits must be 0", .source = "APM 15.5.1" },
	{ VMCB(save.cr4), REASON(PROCESSOR), .wrong = cet_without_wp,
	  .why = "CET must be 0 if CR0.WP is", .source = "APM 15.5.1" },
	{ VMCB(save.g_pat), REASON(PROCESSOR), .wrong = pat_type_invalid,
	  .why = "not a memory type", .source = "APM 15.25.4" },
};

static const struct rule register_rules[] = {
	{ REGISTER(reserved), REASON(MUST_BE_ZERO), .zero = ~0ull,
	  .why = "reserved, must be 0", .source = "linux/svmrun.h" },
	{ REGISTER(xcr0), REASON(VALUE), .wrong = xcr0_not_offered,
	  .why = "bits of XCR0 that this host does not support",
	  .source = "linux/svmrun.h" },
	{ REGISTER(xcr0), REASON(VALUE), .set = XCR0_X87,
	  .why = "x87 must be 1", .source = "APM 11.5.2" },
	{ REGISTER(xcr0), REASON(VALUE), .zero = XCR0_AVX, .with = XCR0_SSE,
	  .why = "AVX must be 0 if SSE is", .source = "APM 11.5.2" },
	{ REGISTER(xcr0), REASON(VALUE), .zero = XCR0_BOUND, .with = XCR0_BOUND,
	  .why = "BNDREGS and BNDCSR must be both 0 or both 1",
	  .source = "APM 11.5.2" },
	{ REGISTER(xcr0), REASON(VALUE), .zero = XCR0_AVX512,
	  .with = XCR0_AVX512 | XCR0_AVX,
	  .why = "AVX-512 requires its three bits, and AVX",
	  .source = "APM 11.5.2" },
	{ REGISTER(xcr0), REASON(VALUE), .zero = XCR0_TILE, .with = XCR0_TILE,
	  .why = "TILECFG and TILEDATA must be both 0 or both 1",
	  .source = "APM 11.5.2" },
	{ REGISTER(tsc_ratio), REASON(VALUE), .zero = TSC_RATIO_RESERVED,
	  .why = "bits 63:40 must be 0", .source = "APM 15.30.5" },
	{ REGISTER(tsc_ratio), REASON(UNSUPPORTED), .zero = ~0ull,
	  .feature = SVM_FEATURE_TSC_RATIO,
	  .why = "requires SVM_FEATURE_TSC_RATIO, which this processor does not support",
	  .source = "linux/svmrun.h" },
};

/* clang-format on */

/* ---- checks ---------------------------------------------------------------- */

static uint64_t rule_value(const struct rule *rule,
			   const struct subject *subject)
{
	const char *page = subject->vmcb ? (const char *)subject->vmcb :
					   (const char *)subject->regs;
	uint64_t value = 0;

	memcpy(&value, page + rule->offset % PAGE_SIZE, rule->size);
	return value;
}

static bool rule_is_excepted(const struct rule *rule, uint64_t value,
			     uint32_t features)
{
	return (rule->with && (value & rule->with) == rule->with) ||
	       (features & rule->feature);
}

static uint64_t rule_wrong_bits(const struct rule *rule, uint64_t value,
				const struct subject *subject)
{
	if (rule->wrong)
		return rule->wrong(subject);
	if (rule_is_excepted(rule, value, subject->processor->svm_features))
		return 0;
	return (value & rule->zero) | (~value & rule->set);
}

static bool breaks_rule(const struct rule *rule, const struct subject *subject,
			struct svmrun_broken_rule *broken)
{
	uint64_t value = rule_value(rule, subject);
	uint64_t bits = rule_wrong_bits(rule, value, subject);

	if (!bits)
		return false;
	*broken = (struct svmrun_broken_rule){
		.field = rule->field,
		.offset = rule->offset,
		.reason = rule->reason,
		.value = value,
		.bits = bits,
		.why = rule->why,
		.source = rule->source,
	};
	return true;
}

/* Return the number of broken rules, including the @n that were found before. */
static size_t check_rules(const struct rule *rules, size_t size,
			  const struct subject *subject,
			  struct svmrun_broken_rule *broken, size_t count,
			  size_t n)
{
	struct svmrun_broken_rule found;
	size_t i;

	for (i = 0; i < size; i++) {
		if (!breaks_rule(&rules[i], subject, &found))
			continue;
		if (n < count)
			broken[n] = found;
		n++;
	}
	return n;
}

int svmrun_vmcb_explain(const struct svm_vmcb *vmcb,
			const struct svmrun_processor *processor,
			struct svmrun_broken_rule *rules, size_t count)
{
	const struct subject subject = { .vmcb = vmcb, .processor = processor };
	size_t n;

	n = check_rules(module_rules, ARRAY_SIZE(module_rules), &subject, rules,
			count, 0);
	return check_rules(processor_rules, ARRAY_SIZE(processor_rules),
			   &subject, rules, count, n);
}

int svmrun_vmrun_explain(const struct svm_vmcb *vmcb,
			 const struct svmrun_processor *processor,
			 struct svmrun_broken_rule *rules, size_t count)
{
	const struct subject subject = { .vmcb = vmcb, .processor = processor };
	size_t n;

	n = check_rules(vmrun_rules, ARRAY_SIZE(vmrun_rules), &subject, rules,
			count, 0);
	return check_rules(processor_rules, ARRAY_SIZE(processor_rules),
			   &subject, rules, count, n);
}

int svmrun_registers_explain(const struct svmrun_registers *regs,
			     const struct svmrun_processor *processor,
			     struct svmrun_broken_rule *rules, size_t count)
{
	const struct subject subject = { .regs = regs, .processor = processor };

	return check_rules(register_rules, ARRAY_SIZE(register_rules), &subject,
			   rules, count, 0);
}
