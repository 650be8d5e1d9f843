// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_vmcb_explain() and svmrun_registers_explain(): each rule of the module and of
 * the processor (APM 15.5.1) alone, and several at once. For random VMCBs, the rules must
 * agree with vmcb_load(), the module's own check.
 */
#include "policy.h"
#include "suites.h"
#include "vcpu_pages.h"

#include "../../module/vmcb.h"

#include <stdlib.h>

#define AT(member) offsetof(struct svm_vmcb, member)
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))
#define UPPER_HALF (~0ull << 32)
#define MANY 128

#define CR0_PE (1ull << 0)
#define CR0_WP (1ull << 16)
#define CR4_PAE (1ull << 5)
#define CR4_CET (1ull << 23)

/* The values that svmrun_mode_long() sets */
#define CR0 0x80000033ull
#define CR4 0x620ull
#define EFER 0x1500ull

static const struct svmrun_processor has_all = {
	.svm_features = ~0u,
	.cr3 = (1ull << 48) - 1,
	.cr0 = SVMRUN_POLICY_KNOWN_CR0,
	.cr4 = SVMRUN_POLICY_KNOWN_CR4,
	.efer = SVMRUN_POLICY_KNOWN_EFER,
	.s_cet = 3,
	.xcr0 = 0x602ff,
	.dbgctl = SVMRUN_POLICY_KNOWN_DBGCTL,
};

static struct svmrun_processor processor;
static struct vcpu_pages pages;
static struct svmrun_vcpu vcpu;
static struct svm_vmcb *const vmcb = &pages.vmcb;
static struct svmrun_registers *const regs = &pages.regs;
static struct svmrun_broken_rule broken[MANY];

static struct svmrun_memory guest_memory(void)
{
	static _Alignas(4096) uint8_t bytes[SVMRUN_LONG_TABLES_SIZE];

	return (struct svmrun_memory){ .base = bytes, .size = sizeof(bytes) };
}

static void long_mode(void)
{
	struct svmrun_memory memory = guest_memory();

	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, 0, 0, 0), 0);
}

static void setup(void)
{
	processor = has_all;
	vcpu = vcpu_pages_fill(&pages);
	memset(regs, 0, sizeof(*regs));
	long_mode();
}

static int explain_vmcb(void)
{
	memset(broken, 0, sizeof(broken));
	return svmrun_vmcb_explain(vmcb, &processor, broken, MANY);
}

static int explain_registers(void)
{
	memset(broken, 0, sizeof(broken));
	return svmrun_registers_explain(regs, &processor, broken, MANY);
}

static void is(const struct svmrun_broken_rule *rule, const char *field,
	       u32 offset, u32 reason, u64 value, u64 bits)
{
	ck_assert_str_eq(rule->field, field);
	ck_assert_uint_eq(rule->offset, offset);
	ck_assert_uint_eq(rule->reason, reason);
	ck_assert_uint_eq(rule->value, value);
	ck_assert_uint_eq(rule->bits, bits);
	ck_assert_uint_gt(strlen(rule->why), 0);
	ck_assert_uint_gt(strlen(rule->source), 0);
}

static void only(const char *field, u32 offset, u32 reason, u64 value, u64 bits)
{
	ck_assert_msg(explain_vmcb() == 1, "%s: %s, %s", field,
		      broken[0].field ? broken[0].field : "no rule",
		      broken[1].field ? broken[1].field : "no other");
	is(&broken[0], field, offset, reason, value, bits);
}

START_TEST(modes_break_nothing)
{
	/* A processor that has only the bits that the modes use */
	processor = (struct svmrun_processor){
		.cr0 = CR0, .cr3 = 0xfff, .cr4 = CR4, .efer = EFER, .xcr0 = 1
	};
	ck_assert_int_eq(explain_vmcb(), 0);
	ck_assert_int_eq(explain_registers(), 0);
	svmrun_mode_reset(&vcpu);
	ck_assert_int_eq(explain_vmcb(), 0);
	ck_assert_int_eq(explain_registers(), 0);
	svmrun_mode_real(&vcpu, 0x1000, 0);
	ck_assert_int_eq(explain_vmcb(), 0);
	svmrun_mode_protected(&vcpu, 0x1000, 0);
	ck_assert_int_eq(explain_vmcb(), 0);
}
END_TEST

/* ---- the processor's rules ------------------------------------------------- */

/**
 * struct change - a change of one field of a legal VMCB in long mode
 * @field: name of the field
 * @offset: offset of the field in the VMCB
 * @size: size of the field
 * @value: the new value
 * @bits: bits of the new value that are wrong, 0 if it is legal
 */
struct change {
	const char *field;
	u32 offset;
	u32 size;
	u64 value;
	u64 bits;
};

#define CHANGE(member, becomes, wrong)                                         \
	{                                                                      \
		.field = #member, .offset = AT(member),                        \
		.size = sizeof(vmcb->member), .value = (becomes),              \
		.bits = (wrong)                                                \
	}

static const struct change changes[] = {
	CHANGE(save.cr0, CR0 & ~CR0_PE, CR0_PE),
	CHANGE(save.cr3, 1ull << 48, 1ull << 48),
	CHANGE(save.cr3, 1ull << 63, 1ull << 63),
	CHANGE(save.cr3, (1ull << 48) - 1, 0),
	CHANGE(save.cr4, CR4 | 0x771fff, 0),
	CHANGE(save.cr4, CR4 & ~CR4_PAE, CR4_PAE),
	CHANGE(save.cr4, CR4 | CR4_CET, CR4_CET),
	CHANGE(save.dr6, 1ull << 32, 1ull << 32),
	CHANGE(save.dr6, ~0ull, UPPER_HALF),
	CHANGE(save.dr6, 0xffffffff, 0),
	CHANGE(save.dr7, 1ull << 63, 1ull << 63),
	CHANGE(save.dr7, 0xffffffff, 0),
	CHANGE(save.efer, EFER & ~(1ull << 10), 0), /* LMA */
	CHANGE(save.cs.attrib, 0xe9b, 0x600),
	CHANGE(save.cs.attrib, 0xc9b, 0),
	CHANGE(control.eventinj, SVM_EVENT_VALID | 1 << 8, SVM_EVENT_TYPE_MASK),
	CHANGE(control.eventinj, SVM_EVENT_VALID | 7 << 8, SVM_EVENT_TYPE_MASK),
	CHANGE(control.eventinj, 7 << 8, 0),
	CHANGE(control.eventinj, EXCEPTION(2), 0xff),
	CHANGE(control.eventinj, EXCEPTION(32), 0xff),
	CHANGE(control.eventinj, EXCEPTION(0xff), 0xff),
	CHANGE(control.eventinj, EXCEPTION(2) & ~SVM_EVENT_VALID, 0),
	CHANGE(control.eventinj, EXCEPTION(5), 0xff), /* #BR */
	CHANGE(control.eventinj, SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | 2, 0),
	CHANGE(control.eventinj, SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | 5, 0),
	CHANGE(control.eventinj,
	       SVM_EVENT_VALID | SVM_EVENT_TYPE_SOFT_INTERRUPT | 0x80, 0),
	CHANGE(save.s_cet, 4, 4),
	CHANGE(save.s_cet, 3, 0),
	CHANGE(save.g_pat, 0x0706050401000002, 0xff),
	CHANGE(save.g_pat, 0x0306050401000000, 0xffull << 56),
	CHANGE(save.g_pat, 0x0706050408000000, 0xffull << 24),
	CHANGE(save.g_pat, 0x8002030401000000, 0xffffffull << 40),
	CHANGE(save.g_pat, 0x0706050401000000, 0),
};

static void change(const struct change *c)
{
	memcpy((char *)vmcb + c->offset, &c->value, c->size);
}

START_TEST(each_change_breaks_its_rule)
{
	const struct change *c;

	for (c = changes; c < changes + ARRAY_SIZE(changes); c++) {
		setup();
		change(c);
		if (c->bits)
			only(c->field, c->offset, SVMRUN_INVALID_PROCESSOR,
			     c->value, c->bits);
		else
			ck_assert_msg(explain_vmcb() == 0, "%s: %#llx",
				      c->field, (unsigned long long)c->value);
	}
}
END_TEST

START_TEST(vectors_of_exceptions_are_those_of_the_manual)
{
	static const char none[33] = "..n......n.....n....n.nnnnnn...n";
	unsigned int vector;

	vmcb->save.cs.attrib = 0xc9b; /* not 64-bit code, which has no #BR */
	for (vector = 0; vector < 32; vector++) {
		vmcb->control.eventinj = EXCEPTION(vector);
		ck_assert_int_eq(explain_vmcb(), none[vector] == 'n');
	}
}
END_TEST

/* These values are wrong in long mode only. */
START_TEST(long_mode_has_rules_of_its_own)
{
	vmcb->save.cr3 = ~0ull;
	vmcb->save.cr4 &= ~CR4_PAE;
	vmcb->save.cs.attrib |= SVM_SEG_L | SVM_SEG_DB;
	vmcb->control.eventinj = EXCEPTION(5);
	ck_assert_int_eq(explain_vmcb(), 3); /* L with D is right without PAE */
	vmcb->save.efer &= ~(1ull << 8);
	ck_assert_int_eq(explain_vmcb(), 0);
	long_mode();
	vmcb->save.cr3 = ~0ull;
	vmcb->save.cr0 &= ~(1ull << 31);
	ck_assert_int_eq(explain_vmcb(), 0);
}
END_TEST

START_TEST(shadow_stacks_need_write_protection)
{
	vmcb->save.cr4 |= CR4_CET;
	vmcb->save.cr0 |= CR0_WP;
	ck_assert_int_eq(explain_vmcb(), 0);
}
END_TEST

START_TEST(pat_is_nested_pagings)
{
	vmcb->save.g_pat = 2;
	vmcb->control.nested_ctl = 0;
	only("control.nested_ctl", AT(control.nested_ctl),
	     SVMRUN_INVALID_MUST_BE_SET, 0, SVM_NESTED_NP_ENABLE);
}
END_TEST

/* ---- the module's rules ----------------------------------------------------- */

START_TEST(zero_fields)
{
	unsigned int bit;

#define CHECK(member, clean)                                                   \
	for (bit = 0; bit < 64; bit++) {                                       \
		setup();                                                       \
		vmcb->control.member = 1ull << bit;                            \
		only("control." #member, AT(control.member),                   \
		     SVMRUN_INVALID_MUST_BE_ZERO, 1ull << bit, 1ull << bit);   \
	}
	SVMRUN_POLICY_ZERO(CHECK)
#undef CHECK
}
END_TEST

START_TEST(refused_and_required_bits)
{
	unsigned int bit;

#define CHECK(member, clean, forced, refused, required)                        \
	for (bit = 0; bit < 8 * sizeof(vmcb->control.member); bit++) {         \
		u64 mask = 1ull << bit;                                        \
                                                                               \
		setup();                                                       \
		vmcb->control.member |= mask;                                  \
		if (mask & (refused))                                          \
			only("control." #member, AT(control.member),           \
			     SVMRUN_INVALID_MUST_BE_ZERO,                      \
			     vmcb->control.member, mask);                      \
		else                                                           \
			ck_assert_int_eq(explain_vmcb(), 0);                   \
	}                                                                      \
	if (required) {                                                        \
		setup();                                                       \
		vmcb->control.member = 0;                                      \
		only("control." #member, AT(control.member),                   \
		     SVMRUN_INVALID_MUST_BE_SET, 0, required);                 \
	}
	SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
}
END_TEST

START_TEST(features)
{
#define CHECK(member, which, feature)                                          \
	setup();                                                               \
	vmcb->control.member |= (which);                                       \
	ck_assert_int_eq(explain_vmcb(), 0);                                   \
	processor.svm_features = ~(feature);                                   \
	only("control." #member, AT(control.member),                           \
	     SVMRUN_INVALID_UNSUPPORTED, vmcb->control.member, which);         \
	ck_assert_msg(strstr(broken[0].why, #feature), "%s", broken[0].why);
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
}
END_TEST

/* Add each bit to a register of a legal VMCB, on processors with and without the bit. */
static void check_allowed(__u64 *field, const char *name, u32 offset, u64 known,
			  uint64_t *has)
{
	u64 bit;

	for (bit = 1; bit; bit <<= 1) {
		setup();
		vmcb->save.cr0 |= SVM_CR0_WP; /* CR4.CET requires it */
		if (*field & bit)
			continue;
		*field |= bit;
		if (!(known & bit)) {
			only(name, offset, SVMRUN_INVALID_MUST_BE_ZERO, *field,
			     bit);
			continue;
		}
		ck_assert_int_eq(explain_vmcb(), 0);
		*has &= ~bit;
		only(name, offset, SVMRUN_INVALID_UNSUPPORTED, *field, bit);
	}
}

START_TEST(registers_with_allowed_bits)
{
#define CHECK(member, known)                                                   \
	check_allowed(&vmcb->save.member, "save." #member, AT(save.member),    \
		      known, &processor.member);
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
}
END_TEST

static u32 tlb_control_reason(unsigned int value, u32 has)
{
#define CHECK(known, feature)                                                  \
	if (value == (known))                                                  \
		return ((feature) & ~has) ? SVMRUN_INVALID_UNSUPPORTED :       \
					    SVMRUN_INVALID_NONE;
	SVMRUN_POLICY_TLB_CONTROL(CHECK)
#undef CHECK
	return SVMRUN_INVALID_VALUE;
}

static void tlb_control_is_explained(unsigned int value)
{
	u32 reason = tlb_control_reason(value, processor.svm_features);

	vmcb->control.tlb_control = value;
	if (reason == SVMRUN_INVALID_NONE)
		ck_assert_int_eq(explain_vmcb(), 0);
	else
		only("control.tlb_control", 0x5c, reason, value, 0xff);
}

START_TEST(tlb_control)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		processor.svm_features = ~0u;
		tlb_control_is_explained(value);
		processor.svm_features = 0;
		tlb_control_is_explained(value);
	}
}
END_TEST

START_TEST(asid)
{
	vmcb->control.asid = 0;
	only("control.asid", 0x58, SVMRUN_INVALID_MUST_BE_SET, 0, 0xffffffff);
}
END_TEST

START_TEST(svme)
{
	vmcb->save.efer = EFER & ~SVMRUN_POLICY_EFER_REQUIRED;
	only("save.efer", 0x4d0, SVMRUN_INVALID_MUST_BE_SET, vmcb->save.efer,
	     SVMRUN_POLICY_EFER_REQUIRED);
}
END_TEST

/* ---- the registers page ------------------------------------------------------ */

#define REGISTER(member)                                                       \
	(SVMRUN_VCPU_REGISTERS + offsetof(struct svmrun_registers, member))

static void only_xcr0(u64 value, u64 bits)
{
	regs->xcr0 = value;
	ck_assert_int_eq(explain_registers(), 1);
	is(&broken[0], "xcr0", REGISTER(xcr0), SVMRUN_INVALID_VALUE, value,
	   bits);
}

START_TEST(xcr0_that_xsetbv_would_not_take)
{
	static const u64 legal[] = { 1, 3, 7, 0x1f, 0xe7, 0x207, 0x60003 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(legal); i++) {
		regs->xcr0 = legal[i];
		ck_assert_int_eq(explain_registers(), 0);
	}
	only_xcr0(0, 1);
	only_xcr0(2, 1);
	only_xcr0(5, 4); /* AVX without SSE */
	only_xcr0(9, 8); /* BNDREGS alone */
	only_xcr0(0x11, 0x10); /* BNDCSR alone */
	only_xcr0(0xe3, 0xe0); /* AVX-512 without AVX */
	only_xcr0(0x67, 0x60); /* part of AVX-512 */
	only_xcr0(0x20001, 0x20000); /* TILECFG alone */
	only_xcr0(0x40001, 0x40000); /* TILEDATA alone */
	only_xcr0(1ull << 63 | 1, 1ull << 63);
	processor.xcr0 = 3;
	only_xcr0(7, 4);
}
END_TEST

START_TEST(tsc_ratio)
{
	regs->tsc_ratio = 1ull << 40;
	ck_assert_int_eq(explain_registers(), 1);
	is(&broken[0], "tsc_ratio", REGISTER(tsc_ratio), SVMRUN_INVALID_VALUE,
	   1ull << 40, 1ull << 40);
	regs->tsc_ratio = (1ull << 40) - 1;
	ck_assert_int_eq(explain_registers(), 0);
	processor.svm_features = ~SVM_FEATURE_TSC_RATIO;
	ck_assert_int_eq(explain_registers(), 1);
	is(&broken[0], "tsc_ratio", REGISTER(tsc_ratio),
	   SVMRUN_INVALID_UNSUPPORTED, regs->tsc_ratio, regs->tsc_ratio);
	regs->tsc_ratio = 0;
	ck_assert_int_eq(explain_registers(), 0);
}
END_TEST

START_TEST(reserved_registers)
{
	regs->reserved[0] = 1;
	regs->reserved[6] = 2;
	regs->immediate_exit = 0xff;
	ck_assert_int_eq(explain_registers(), 1);
	is(&broken[0], "reserved", REGISTER(reserved),
	   SVMRUN_INVALID_MUST_BE_ZERO, 2ull << 48 | 1, 2ull << 48 | 1);
}
END_TEST

/* ---- several broken rules ------------------------------------------------------ */

static int break_three(void)
{
	vmcb->control.n_cr3 = 0x1000;
	vmcb->control.asid = 0;
	vmcb->save.dr7 = ~0ull;
	return 3;
}

START_TEST(several_are_all_named)
{
	int all = break_three();

	ck_assert_int_eq(explain_vmcb(), all);
	ck_assert_str_eq(broken[0].field, "control.n_cr3");
	ck_assert_str_eq(broken[1].field, "control.asid");
	ck_assert_str_eq(broken[2].field, "save.dr7");
}
END_TEST

START_TEST(several_of_one_field_are_all_named)
{
	vmcb->save.cr0 = (CR0 | SVM_CR0_NW | 1ull << 32) & ~CR0_PE;
	ck_assert_int_eq(explain_vmcb(), 2);
	vmcb->save.cr0 = CR0;
	processor.svm_features = 0;
	vmcb->control.vintr = ~0ull;
	ck_assert_int_eq(explain_vmcb(), 3);
	is(&broken[0], "control.vintr", 0x60, SVMRUN_INVALID_MUST_BE_ZERO,
	   ~0ull, ~SVMRUN_POLICY_VINTR);
}
END_TEST

START_TEST(no_more_are_written_than_fit)
{
	int count, all = break_three();

	for (count = 0; count <= all; count++) {
		memset(broken, 0, sizeof(broken));
		ck_assert_int_eq(svmrun_vmcb_explain(vmcb, &processor, broken,
						     count),
				 all);
		ck_assert(!count || broken[count - 1].field);
		ck_assert(!broken[count].field);
	}
	ck_assert_int_eq(svmrun_vmcb_explain(vmcb, &processor, NULL, 0), all);
}
END_TEST

START_TEST(clean_bits_are_ignored)
{
	int all = break_three();

	vmcb->control.clean = ~0u;
	ck_assert_int_eq(explain_vmcb(), all);
}
END_TEST

/* ---- comparison with the module ------------------------------------------------ */

static void random_bytes(void *bytes, size_t size, unsigned int *seed)
{
	u8 *byte = bytes;

	while (size--)
		*byte++ = rand_r(seed);
}

/* Change a few bytes of a legal VMCB, so that the reasons for refusal vary. */
static void scribble(unsigned int *seed)
{
	size_t control = offsetof(struct svm_vmcb_control, software);
	unsigned int n = rand_r(seed) % 4;

	while (n--)
		((u8 *)&vmcb->control)[rand_r(seed) % control] = rand_r(seed);
	if (!(rand_r(seed) % 8))
		random_bytes(&vmcb->save.efer, sizeof(vmcb->save.efer), seed);
	if (!(rand_r(seed) % 8))
		((u8 *)&vmcb->save.cr0)[rand_r(seed) % 8] ^= 1 << rand_r(seed) %
									  8;
	if (!(rand_r(seed) % 8))
		((u8 *)&vmcb->save.cr4)[rand_r(seed) % 8] ^= 1 << rand_r(seed) %
									  8;
	if (!(rand_r(seed) % 8))
		vmcb->save.dbgctl = 1ull << rand_r(seed) % 4;
	if (!(rand_r(seed) % 64))
		random_bytes(vmcb, sizeof(*vmcb), seed);
}

static int count_module_rules(int all)
{
	int n = 0;

	while (n < all && broken[n].reason != SVMRUN_INVALID_PROCESSOR)
		n++;
	return n;
}

START_TEST(module_and_explanation_agree)
{
	static struct svm_vmcb hw;
	struct vmcb_limits limits = policy_limits(0);
	struct vmcb_refusal refusal;
	struct vmcb_request request;
	unsigned int seed = 5, i, refused = 0, taken = 0;

	for (i = 0; i < 50000; i++) {
		long_mode();
		scribble(&seed);
		processor.svm_features = (u32)rand_r(&seed) << 16 ^
					 (u32)rand_r(&seed);
		limits.features = processor.svm_features;
		processor.cr4 = rand_r(&seed) | CR4;
		limits.cr4 = processor.cr4;
		if (vmcb_load(&hw, vmcb, 0, &limits, &request, &refusal)) {
			ck_assert_int_eq(count_module_rules(explain_vmcb()), 0);
			taken++;
			continue;
		}
		refused++;
		ck_assert_int_gt(count_module_rules(explain_vmcb()), 0);
		ck_assert_uint_eq(broken[0].offset, refusal.offset);
		ck_assert_uint_eq(broken[0].reason, refusal.reason);
	}
	/* Both outcomes must be frequent, or the test proves nothing. */
	ck_assert_uint_gt(refused, 10000);
	ck_assert_uint_gt(taken, 10000);
}
END_TEST

/* The processor only checks VMCBs that the module has accepted. */
START_TEST(processors_rules_come_last)
{
	unsigned int seed = 6;
	int all, i;

	random_bytes(vmcb, sizeof(*vmcb), &seed);
	processor.svm_features = 0;
	all = explain_vmcb();
	ck_assert_int_lt(all, MANY);
	for (i = count_module_rules(all); i < all; i++)
		ck_assert_uint_eq(broken[i].reason, SVMRUN_INVALID_PROCESSOR);
}
END_TEST

Suite *explain_suite(void)
{
	Suite *suite = suite_create("explain");
	TCase *tests = tcase_create("explain");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, modes_break_nothing);
	tcase_add_test(tests, each_change_breaks_its_rule);
	tcase_add_test(tests, vectors_of_exceptions_are_those_of_the_manual);
	tcase_add_test(tests, long_mode_has_rules_of_its_own);
	tcase_add_test(tests, shadow_stacks_need_write_protection);
	tcase_add_test(tests, pat_is_nested_pagings);
	tcase_add_test(tests, zero_fields);
	tcase_add_test(tests, refused_and_required_bits);
	tcase_add_test(tests, features);
	tcase_add_test(tests, registers_with_allowed_bits);
	tcase_add_test(tests, tlb_control);
	tcase_add_test(tests, asid);
	tcase_add_test(tests, svme);
	tcase_add_test(tests, xcr0_that_xsetbv_would_not_take);
	tcase_add_test(tests, tsc_ratio);
	tcase_add_test(tests, reserved_registers);
	tcase_add_test(tests, several_are_all_named);
	tcase_add_test(tests, several_of_one_field_are_all_named);
	tcase_add_test(tests, no_more_are_written_than_fit);
	tcase_add_test(tests, clean_bits_are_ignored);
	tcase_add_test(tests, module_and_explanation_agree);
	tcase_add_test(tests, processors_rules_come_last);
	suite_add_tcase(suite, tests);
	return suite;
}
