// SPDX-License-Identifier: GPL-2.0
/*
 * The library explains why VMRUN fails: svmrun_vmcb_explain() must agree with the
 * module and the processor. Each rule is broken alone, and RUN must refuse the VMCB
 * because of it.
 */
#include <stdlib.h>

#include <linux/svmrun_policy.h>

#include "machine.h"

#define RULES 8
#define ROUNDS rounds(3000)
#define HLT 0xf4

#define CR0_PE (1ull << 0)
#define CR0_PG (1ull << 31)
#define CR4_PAE (1ull << 5)
#define CR4_CET (1ull << 23)
#define EFER_LME (1ull << 8)
#define EFER_LMSLE (1ull << 13)
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))

GUEST(halt, 64, "hlt"); /* the same bytes in each mode */

static struct svmrun_broken_rule rules[RULES];

static int explain(struct machine *m)
{
	struct svmrun_processor processor;
	int n;

	svmrun_processor_identify(&processor, &m->info);
	memset(rules, 0, sizeof(rules));
	n = svmrun_vmcb_explain(m->vcpu.vmcb, &processor, rules, RULES);
	return n ? n :
		   svmrun_registers_explain(m->vcpu.regs, &processor, rules,
					    RULES);
}

static bool run_refuses(struct machine *m)
{
	return !machine_run(m) &&
	       m->vcpu.vmcb->control.exitcode == VMEXIT_INVALID;
}

/* Return whether the registers page names the rule that the library names first. */
static bool module_agrees(struct machine *m)
{
	return m->vcpu.regs->out_invalid_reason == rules[0].reason &&
	       (rules[0].reason == SVMRUN_INVALID_PROCESSOR ||
		m->vcpu.regs->out_invalid_offset == rules[0].offset);
}

MACHINE_FIXTURE(explain)

TEST_F(explain, legal_modes)
{
	static const enum machine_mode modes[] = { MODE_REAL, MODE_PROTECTED,
						   MODE_LONG };

	for (int i = 0; i < 3; i++) {
		MACHINE_LOAD(&self->m, modes[i], halt);
		EXPECT_EQ(0, explain(&self->m));
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
	}
	svmrun_mode_reset(&self->m.vcpu);
	EXPECT_EQ(0, explain(&self->m));
	ASSERT_EQ(0, machine_run(&self->m));
	EXPECT_NE(VMEXIT_INVALID, self->m.vcpu.vmcb->control.exitcode);
}

/* ---- the processor's rules ----------------------------------------------- */

FIXTURE(processor)
{
	struct machine m;
};

FIXTURE_VARIANT(processor)
{
	const char *field;
	uint32_t offset;
	uint32_t size;
	uint64_t clear;
	uint64_t set;
};

FIXTURE_SETUP(processor)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(processor)
{
	machine_destroy(&self->m);
}

#define RULE(name, member, cleared, set_)                                      \
	FIXTURE_VARIANT_ADD(processor, name)                                   \
	{                                                                      \
		.field = #member, .offset = offsetof(struct svm_vmcb, member), \
		.size = sizeof(((struct svm_vmcb *)0)->member),                \
		.clear = (cleared), .set = (set_),                             \
	}

RULE(cr3_bit_52, save.cr3, 0, 1ull << 52);
RULE(cr3_bit_63, save.cr3, 0, 1ull << 63);
RULE(dr6_bit_32, save.dr6, 0, 1ull << 32);
RULE(dr6_bit_63, save.dr6, 0, 1ull << 63);
RULE(dr7_bit_32, save.dr7, 0, 1ull << 32);
RULE(dr7_bit_63, save.dr7, 0, 1ull << 63);
RULE(long_mode_without_pae, save.cr4, CR4_PAE, 0);
RULE(long_mode_without_pe, save.cr0, CR0_PE, 0);
RULE(code_of_both_sizes, save.cs.attrib, 0, SVM_SEG_L | SVM_SEG_DB);
RULE(event_type_1, control.eventinj, 0, SVM_EVENT_VALID | 1 << 8);
RULE(event_type_5, control.eventinj, 0, SVM_EVENT_VALID | 5 << 8);
RULE(event_type_6, control.eventinj, 0, SVM_EVENT_VALID | 6 << 8);
RULE(event_type_7, control.eventinj, 0, SVM_EVENT_VALID | 7 << 8);
RULE(exception_2, control.eventinj, 0, EXCEPTION(2));
RULE(exception_9, control.eventinj, 0, EXCEPTION(9));
RULE(exception_15, control.eventinj, 0, EXCEPTION(15));
RULE(exception_31, control.eventinj, 0, EXCEPTION(31));
RULE(exception_32, control.eventinj, 0, EXCEPTION(32));
RULE(exception_255, control.eventinj, 0, EXCEPTION(255));
RULE(bound_in_64_bit_mode, control.eventinj, 0, EXCEPTION(5));
RULE(cet_without_wp, save.cr4, 0, CR4_CET);
RULE(s_cet_bit_63, save.s_cet, 0, 1ull << 63);
RULE(pat_type_2, save.g_pat, 7, 2);
RULE(pat_reserved_bit, save.g_pat, 0, 1ull << 63);

static void change(struct svm_vmcb *vmcb,
		   const FIXTURE_VARIANT(processor) * variant)
{
	char *field = (char *)vmcb + variant->offset;
	uint64_t value = 0;

	memcpy(&value, field, variant->size);
	value = (value & ~variant->clear) | variant->set;
	memcpy(field, &value, variant->size);
}

TEST_F(processor, refuses)
{
	int broken;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	change(self->m.vcpu.vmcb, variant);
	broken = explain(&self->m);
	if (broken && rules[0].reason == SVMRUN_INVALID_UNSUPPORTED)
		SKIP(return, "the processor does not support it");
	if (!broken && variant->offset == offsetof(struct svm_vmcb, save.s_cet))
		SKIP(return, "the processor has no shadow stacks");
	ASSERT_EQ(1, broken);
	EXPECT_STREQ(variant->field, rules[0].field);
	EXPECT_EQ(variant->offset, rules[0].offset);
	EXPECT_EQ(SVMRUN_INVALID_PROCESSOR, rules[0].reason);
	if (!run_refuses(&self->m))
		SKIP(return, "the processor does not check it");
	EXPECT_TRUE(module_agrees(&self->m));
}

/* ---- the module's rules: each row of its tables -------------------------- */

static bool explained(struct machine *m, const char *field, uint32_t offset,
		      uint32_t reason)
{
	return explain(m) == 1 && !strcmp(rules[0].field, field) &&
	       rules[0].offset == offset && rules[0].reason == reason &&
	       run_refuses(m) && module_agrees(m);
}

#define EXPECT_EXPLAINED(m, member, why)                                       \
	EXPECT_TRUE(explained(m, #member, offsetof(struct svm_vmcb, member),   \
			      SVMRUN_INVALID_##why))                           \
	{                                                                      \
		TH_LOG(#member ", " #why);                                     \
	}

TEST_F(explain, zero)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;

#define CHECK(field, clean)                                                    \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	control->field = PAGE;                                                 \
	EXPECT_EXPLAINED(&self->m, control.field, MUST_BE_ZERO);
	SVMRUN_POLICY_ZERO(CHECK)
#undef CHECK
}

TEST_F(explain, refused_and_required)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;

#define CHECK(field, clean, forced, refused, required)                         \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	if (refused) {                                                         \
		control->field |= (refused);                                   \
		EXPECT_EXPLAINED(&self->m, control.field, MUST_BE_ZERO);       \
	}                                                                      \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	if (required) {                                                        \
		control->field &= ~(required);                                 \
		EXPECT_EXPLAINED(&self->m, control.field, MUST_BE_SET);        \
	}
	SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
}

TEST_F(explain, features)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	uint32_t has = self->m.info.out_svm_features;

#define CHECK(field, bits, feature)                                            \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	control->field |= (bits);                                              \
	if (has & (feature)) {                                                 \
		EXPECT_EQ(0, explain(&self->m));                               \
	} else {                                                               \
		EXPECT_EXPLAINED(&self->m, control.field, UNSUPPORTED);        \
	}
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
}

TEST_F(explain, tlb_control)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	uint32_t has = self->m.info.out_svm_features;

#define CHECK(value, feature)                                                  \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	control->tlb_control = (value);                                        \
	if ((has & (feature)) == (feature)) {                                  \
		EXPECT_EQ(0, explain(&self->m));                               \
	} else {                                                               \
		EXPECT_EXPLAINED(&self->m, control.tlb_control, UNSUPPORTED);  \
	}
	SVMRUN_POLICY_TLB_CONTROL(CHECK)
#undef CHECK
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	control->tlb_control = 2;
	EXPECT_EXPLAINED(&self->m, control.tlb_control, VALUE);
}

TEST_F(explain, asid)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	self->m.vcpu.vmcb->control.asid = 0;
	EXPECT_EXPLAINED(&self->m, control.asid, MUST_BE_SET);
}

TEST_F(explain, svme)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	self->m.vcpu.vmcb->save.efer &= ~SVMRUN_POLICY_EFER_REQUIRED;
	EXPECT_EXPLAINED(&self->m, save.efer, MUST_BE_SET);
}

/*
 * Each bit that the policy does not list, of each register for which it is an allow
 * list
 */
TEST_F(explain, refused_bits_of_registers)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

#define CHECK(register, known)                                                 \
	for (int bit = 0; bit < 64; bit++) {                                   \
		if ((known)&1ull << bit)                                       \
			continue;                                              \
		MACHINE_LOAD(&self->m, MODE_LONG, halt);                       \
		save->register |= 1ull << bit;                                 \
		EXPECT_EXPLAINED(&self->m, save.register, MUST_BE_ZERO);       \
	}
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
}

/* Each bit that the policy lists and this processor lacks */
TEST_F(explain, unsupported_bits_of_registers)
{
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

#define CHECK(register, known)                                                 \
	for (int bit = 0; bit < 64; bit++) {                                   \
		if (!((known) & ~self->m.info.out_##register & 1ull << bit))   \
			continue;                                              \
		MACHINE_LOAD(&self->m, MODE_LONG, halt);                       \
		save->cr0 |= SVM_CR0_WP; /* for CR4.CET */                     \
		save->register |= 1ull << bit;                                 \
		EXPECT_EXPLAINED(&self->m, save.register, UNSUPPORTED);        \
	}
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
}

/* ---- the registers page -------------------------------------------------- */

#define EXPECT_REGISTER_EXPLAINED(m, member, why)                              \
	EXPECT_TRUE(                                                           \
		explained(m, #member,                                          \
			  SVMRUN_VCPU_REGISTERS +                              \
				  offsetof(struct svmrun_registers, member),   \
			  SVMRUN_INVALID_##why))

TEST_F(explain, reserved_registers)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	self->m.vcpu.regs->reserved[6] = 1;
	EXPECT_REGISTER_EXPLAINED(&self->m, reserved, MUST_BE_ZERO);
}

/* Every value of the low byte, and a bit that no processor implements */
TEST_F(explain, xcr0)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	for (int value = 0; value < 256; value++) {
		MACHINE_LOAD(&self->m, MODE_LONG, halt);
		regs->xcr0 = value;
		EXPECT_EQ(!explain(&self->m), !run_refuses(&self->m))
		{
			TH_LOG("XCR0 %#x", value);
		}
	}
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	regs->xcr0 = 1ull << 63 | 1;
	EXPECT_REGISTER_EXPLAINED(&self->m, xcr0, VALUE);
}

TEST_F(explain, tsc_ratio)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	regs->tsc_ratio = 1ull << 32;
	if (self->m.info.out_svm_features & SVM_FEATURE_TSC_RATIO) {
		EXPECT_EQ(0, explain(&self->m));
		regs->tsc_ratio = 1ull << 40;
		EXPECT_REGISTER_EXPLAINED(&self->m, tsc_ratio, VALUE);
	} else {
		EXPECT_REGISTER_EXPLAINED(&self->m, tsc_ratio, UNSUPPORTED);
	}
	regs->tsc_ratio = 0;
}

/* ---- every refusal is explained ------------------------------------------ */

static unsigned int below(unsigned int *seed, unsigned int limit)
{
	return rand_r(seed) % limit;
}

/* Flip some random bits in fields that VMRUN reads. */
static void scribble(unsigned int *seed, struct svm_vmcb *vmcb)
{
	static const uint32_t fields[] = {
		offsetof(struct svm_vmcb, control.eventinj),
		offsetof(struct svm_vmcb, control.vintr),
		offsetof(struct svm_vmcb, control.asid),
		offsetof(struct svm_vmcb, control.nested_ctl),
		offsetof(struct svm_vmcb, save.cs),
		offsetof(struct svm_vmcb, save.cr0),
		offsetof(struct svm_vmcb, save.cr3),
		offsetof(struct svm_vmcb, save.cr4),
		offsetof(struct svm_vmcb, save.efer),
		offsetof(struct svm_vmcb, save.dr6),
		offsetof(struct svm_vmcb, save.dr7),
		offsetof(struct svm_vmcb, save.rflags),
		offsetof(struct svm_vmcb, save.g_pat),
		offsetof(struct svm_vmcb, save.s_cet),
	};

	for (unsigned int n = below(seed, 4); n; n--)
		((uint8_t *)vmcb)[fields[below(seed, 14)] + below(seed, 8)] ^=
			1u << below(seed, 8);
}

/*
 * Avoid states that emulators refuse although the manual permits them: EFER.LMSLE,
 * even if CPUID reports it (APM 3.1.7), and the upper half of CR3 outside long mode
 * (APM 3.1.2). Also avoid a state from which they do not return to the host:
 * EFER.LME with CR4.PAE and CR0.PG clear.
 */
static void spare_emulator(struct svm_vmcb_save *save)
{
	save->efer &= ~EFER_LMSLE;
	if (!(save->cr4 & CR4_PAE))
		save->efer &= ~EFER_LME;
	if (!(save->efer & EFER_LME) || !(save->cr0 & CR0_PG))
		save->cr3 = (uint32_t)save->cr3;
}

/* Fill the memory with HLT, so that the guest halts wherever it starts. */
static void load_scribbled(struct machine *m, unsigned int *seed)
{
	memset(m->memory.base, HLT, m->memory.size);
	if (below(seed, 2))
		MACHINE_LOAD(m, MODE_LONG, halt);
	else
		MACHINE_LOAD(m, MODE_REAL, halt);
	scribble(seed, m->vcpu.vmcb);
	spare_emulator(&m->vcpu.vmcb->save);
}

TEST_F_TIMEOUT(explain, random, 120)
{
	struct machine *m = &self->m;
	unsigned int seed = 1, refused = 0, entered = 0;
	int broken;

	for (int i = 0; i < ROUNDS; i++) {
		load_scribbled(m, &seed);
		broken = explain(m);
		if (!run_refuses(m)) {
			entered++;
			/*
			 * The module accepted it, so only a rule of the processor
			 * may be broken.
			 */
			EXPECT_TRUE(!broken ||
				    rules[0].reason ==
					    SVMRUN_INVALID_PROCESSOR);
			continue;
		}
		refused++;
		ASSERT_LT(0, broken);
		ASSERT_TRUE(module_agrees(m));
	}
	/* Both results must be frequent, or the test is meaningless. */
	EXPECT_LT(ROUNDS / 5, refused);
	EXPECT_LT(ROUNDS / 5, entered);
}

TEST_HARNESS_MAIN
