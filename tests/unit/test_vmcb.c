// SPDX-License-Identifier: GPL-2.0
/* The field policy: what of the program's VMCB reaches the hardware's. */
#include "suites.h"

#include <stdio.h>

#include "../../module/vmcb.h"

static struct svm_vmcb user, hw;
static struct vmcb_wish wish;
static struct vmcb_refusal refusal;

/* The least that is legal. */
static void setup(void)
{
	memset(&user, 0, sizeof(user));
	memset(&hw, 0, sizeof(hw));
	memset(&wish, 0, sizeof(wish));
	memset(&refusal, 0, sizeof(refusal));
	user.control.asid = 1;
	user.control.nested_ctl = SVM_NESTED_NP_ENABLE;
	user.save.efer = SVMRUN_POLICY_EFER_REQUIRED;
}

static bool load(u32 vouched, u32 features)
{
	return vmcb_load(&hw, &user, vouched, features, &wish, &refusal);
}

static void refused(u32 offset, u32 reason)
{
	ck_assert_uint_eq(refusal.offset, offset);
	ck_assert_uint_eq(refusal.reason, reason);
}

static void random_bytes(void *bytes, size_t size, unsigned int *seed)
{
	u8 *byte = bytes;

	while (size--)
		*byte++ = rand_r(seed);
}

START_TEST(least_is_taken)
{
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.intercept[2], SVMRUN_POLICY_FORCED_2);
	ck_assert_uint_eq(hw.control.intercept[3], SVMRUN_POLICY_FORCED_3);
	ck_assert_uint_eq(hw.control.intercept[4], SVMRUN_POLICY_FORCED_4);
	ck_assert_uint_eq(hw.control.intercept[5], SVMRUN_POLICY_FORCED_5);
	ck_assert_uint_eq(hw.control.vintr, SVM_VINTR_V_INTR_MASKING);
	ck_assert_uint_eq(hw.control.nested_ctl, SVM_NESTED_NP_ENABLE);
	ck_assert_uint_eq(hw.save.efer, SVMRUN_POLICY_EFER_REQUIRED);
	ck_assert(!wish.flush);
	ck_assert_uint_eq(wish.exceptions, 0);
}
END_TEST

START_TEST(wishes_reach_the_hardware)
{
	user.control.intercept[0] = 0x12345678;
	user.control.intercept[1] = 0x9abcdef0;
	user.control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(14);
	user.control.tsc_offset = 0x1122334455667788ull;
	user.control.interrupt_shadow = 1;
	user.control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | 2;
	user.control.vintr = SVM_VINTR_V_IRQ | (0x42ull << 32);
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.intercept[0], 0x12345678);
	ck_assert_uint_eq(hw.control.intercept[1], 0x9abcdef0);
	ck_assert_uint_eq(hw.control.intercept[2],
			  SVMRUN_POLICY_FORCED_2 |
				  SVM_INTERCEPT2_EXCEPTION(14));
	ck_assert_uint_eq(wish.exceptions, SVM_INTERCEPT2_EXCEPTION(14));
	ck_assert_uint_eq(hw.control.tsc_offset, 0x1122334455667788ull);
	ck_assert_uint_eq(hw.control.interrupt_shadow, 1);
	ck_assert_uint_eq(hw.control.eventinj, user.control.eventinj);
	ck_assert_uint_eq(hw.control.vintr,
			  user.control.vintr | SVM_VINTR_V_INTR_MASKING);
}
END_TEST

/* Each field that must be 0, with each of its bits alone. */
START_TEST(zero_fields_are_refused)
{
#define OFFSET(field, clean) offsetof(struct svm_vmcb, control.field),
	static const u32 offsets[] = { SVMRUN_POLICY_ZERO(OFFSET) };
#undef OFFSET
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		for (bit = 0; bit < 64; bit++) {
			setup();
			*(u64 *)((u8 *)&user + offsets[i]) = 1ull << bit;
			ck_assert(!load(0, ~0u));
			refused(offsets[i], SVMRUN_INVALID_MUST_BE_ZERO);
		}
}
END_TEST

/*
 * Each bit of each field of the policy alone: it passes, is forced, or is
 * refused, just as the table has it.
 */
START_TEST(every_bit_as_the_table_says)
{
	unsigned int bit;

#define CHECK(field, clean, forced, refuse, require)                           \
	for (bit = 0; bit < 8 * sizeof(user.control.field); bit++) {           \
		u64 value, mask = 1ull << bit;                                 \
                                                                               \
		setup();                                                       \
		user.control.field |= mask;                                    \
		value = user.control.field;                                    \
		if (mask & (refuse)) {                                         \
			ck_assert(!load(0, ~0u));                              \
			refused(offsetof(struct svm_vmcb, control.field),      \
				SVMRUN_INVALID_MUST_BE_ZERO);                  \
			continue;                                              \
		}                                                              \
		ck_assert_msg(load(0, ~0u), #field " bit %u", bit);            \
		ck_assert_uint_eq((u64)hw.control.field, value | (forced));    \
	}                                                                      \
	if (require) {                                                         \
		setup();                                                       \
		user.control.field = 0;                                        \
		ck_assert(!load(0, ~0u));                                      \
		refused(offsetof(struct svm_vmcb, control.field),              \
			SVMRUN_INVALID_MUST_BE_SET);                           \
	}
	SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
}
END_TEST

START_TEST(features_are_asked_of_those_who_have_them)
{
#define CHECK(field, bits, feature)                                            \
	setup();                                                               \
	user.control.field |= bits;                                            \
	ck_assert(!load(0, ~(feature)));                                       \
	refused(offsetof(struct svm_vmcb, control.field),                      \
		SVMRUN_INVALID_UNSUPPORTED);                                   \
	ck_assert(load(0, ~0u));
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
}
END_TEST

START_TEST(asid_zero_is_the_hosts)
{
	user.control.asid = 0;
	ck_assert(!load(0, 0));
	refused(0x58, SVMRUN_INVALID_MUST_BE_SET);
}
END_TEST

/* As on a processor: the translations of another ASID are others. */
START_TEST(another_asid_has_no_translations)
{
	user.control.asid = 5;
	ck_assert(load(0, 0));
	ck_assert(!wish.flush);
	ck_assert(load(0, 0));
	ck_assert(!wish.flush);
	user.control.asid = 6;
	ck_assert(load(SVM_CLEAN_ASID, 0));
	ck_assert(!wish.flush);
	ck_assert(load(~SVM_CLEAN_ASID, 0));
	ck_assert(wish.flush);
	ck_assert(load(0, 0));
	ck_assert(!wish.flush);
}
END_TEST

/* 3 and 7 flush the guest's translations alone (APM 15.16.2). */
static bool tlb_control_is_legal(unsigned int value)
{
	return value == 0 || value == 1 || value == 3 || value == 7;
}

START_TEST(tlb_control_has_four_values)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		bool legal = tlb_control_is_legal(value);

		setup();
		user.control.tlb_control = value;
		ck_assert_int_eq(load(0, SVM_FEATURE_FLUSH_BY_ASID), legal);
		if (legal)
			ck_assert_int_eq(wish.flush, value != 0);
		else
			refused(0x5c, SVMRUN_INVALID_VALUE);
		/* What it does is the module's to say, not the program's. */
		ck_assert_uint_eq(hw.control.tlb_control, 0);
	}
}
END_TEST

START_TEST(tlb_control_by_asid_needs_the_feature)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		setup();
		user.control.tlb_control = value;
		if (!tlb_control_is_legal(value))
			continue;
		ck_assert_int_eq(load(0, ~SVM_FEATURE_FLUSH_BY_ASID),
				 value < 3);
		if (value >= 3)
			refused(0x5c, SVMRUN_INVALID_UNSUPPORTED);
	}
}
END_TEST

START_TEST(efer_without_svme_is_refused)
{
	user.save.efer = 0xd01 & ~SVMRUN_POLICY_EFER_REQUIRED;
	ck_assert(!load(0, 0));
	refused(0x4d0, SVMRUN_INVALID_MUST_BE_SET);
}
END_TEST

/* The module's own fields stay, whatever the program has there. */
START_TEST(the_modules_fields_are_not_the_programs)
{
	hw.control.n_cr3 = 0x1000;
	hw.control.iopm_base_pa = 0x2000;
	hw.control.msrpm_base_pa = 0x3000;
	hw.control.asid = 5;
	user.control.asid = 77;
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.n_cr3, 0x1000);
	ck_assert_uint_eq(hw.control.iopm_base_pa, 0x2000);
	ck_assert_uint_eq(hw.control.msrpm_base_pa, 0x3000);
	ck_assert_uint_eq(hw.control.asid, 5);
}
END_TEST

/* A save area whose every byte differs from its neighbours, policy kept. */
static void fill_save(unsigned int seed)
{
	random_bytes(&user.save, sizeof(user.save), &seed);
	user.save.efer |= SVMRUN_POLICY_EFER_REQUIRED;
}

static bool same_state(const struct svm_vmcb_save *a,
		       const struct svm_vmcb_save *b)
{
#define SAME(field) (memcmp(&a->field, &b->field, sizeof(a->field)) == 0)
	return SAME(es) && SAME(cs) && SAME(ss) && SAME(ds) && SAME(fs) &&
	       SAME(gs) && SAME(gdtr) && SAME(ldtr) && SAME(idtr) && SAME(tr) &&
	       SAME(cpl) && SAME(efer) && SAME(cr4) && SAME(cr3) && SAME(cr0) &&
	       SAME(dr7) && SAME(dr6) && SAME(rflags) && SAME(rip) &&
	       SAME(rsp) && SAME(s_cet) && SAME(ssp) && SAME(isst_addr) &&
	       SAME(rax) && SAME(star) && SAME(lstar) && SAME(cstar) &&
	       SAME(sfmask) && SAME(kernel_gs_base) && SAME(sysenter_cs) &&
	       SAME(sysenter_esp) && SAME(sysenter_eip) && SAME(cr2) &&
	       SAME(g_pat) && SAME(dbgctl) && SAME(br_from) && SAME(br_to) &&
	       SAME(last_excp_from) && SAME(last_excp_to);
#undef SAME
}

START_TEST(state_goes_in_and_comes_back)
{
	struct svm_vmcb before;

	fill_save(3);
	ck_assert(load(0, 0));
	ck_assert(same_state(&hw.save, &user.save));
	before = user;
	memset(&user.save, 0, sizeof(user.save));
	vmcb_publish(&user, &hw);
	ck_assert(same_state(&user.save, &before.save));
}
END_TEST

/* Each group: vouched for it stays as it was, otherwise it is taken over. */
START_TEST(clean_bits_are_believed)
{
	static const struct {
		u32 clean;
		u32 offset;
	} cases[] = {
		{ SVM_CLEAN_I, offsetof(struct svm_vmcb, control.tsc_offset) },
		{ SVM_CLEAN_CRx, offsetof(struct svm_vmcb, save.cr3) },
		{ SVM_CLEAN_DRx, offsetof(struct svm_vmcb, save.dr7) },
		{ SVM_CLEAN_DT, offsetof(struct svm_vmcb, save.gdtr.base) },
		{ SVM_CLEAN_SEG, offsetof(struct svm_vmcb, save.cs.base) },
		{ SVM_CLEAN_CR2, offsetof(struct svm_vmcb, save.cr2) },
		{ SVM_CLEAN_NP, offsetof(struct svm_vmcb, save.g_pat) },
		{ SVM_CLEAN_LBR, offsetof(struct svm_vmcb, save.dbgctl) },
		{ SVM_CLEAN_CET, offsetof(struct svm_vmcb, save.ssp) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 *in = (u64 *)((u8 *)&user + cases[i].offset);
		u64 *out = (u64 *)((u8 *)&hw + cases[i].offset);

		setup();
		ck_assert(load(0, 0));
		*in = 0x1234;
		ck_assert(load(cases[i].clean, 0));
		ck_assert_uint_eq(*out, 0);
		ck_assert(load(~cases[i].clean, 0));
		ck_assert_uint_eq(*out, 0x1234);
	}
}
END_TEST

/*
 * The processor may keep what the program vouches for, since the processor saw
 * it: two loads may come before one entry. A refusal is no exception.
 */
START_TEST(clean_bits_reach_the_hardware)
{
	unsigned int bit;

	ck_assert(load(0, 0));
	hw.control.clean = SVM_CLEAN_ALL;
	ck_assert(load(~0u, 0));
	ck_assert_uint_eq(hw.control.clean, SVM_CLEAN_ALL);
	for (bit = 0; bit < 13; bit++) {
		hw.control.clean = SVM_CLEAN_ALL;
		ck_assert(load(~(1u << bit), 0));
		ck_assert(load(~0u, 0));
		ck_assert_uint_eq(hw.control.clean,
				  SVM_CLEAN_ALL & ~(1u << bit));
	}
	user.control.n_cr3 = 1;
	ck_assert(!load(0, 0));
	ck_assert_uint_eq(hw.control.clean, 0);
}
END_TEST

START_TEST(flow_is_never_vouched_for)
{
	ck_assert(load(0, 0));
	user.save.rip = 0x1000;
	user.save.rsp = 0x2000;
	user.save.rax = 0x3000;
	user.save.rflags = 2;
	user.control.eventinj = SVM_EVENT_VALID | 0x30;
	ck_assert(load(~0u, 0));
	ck_assert_uint_eq(hw.save.rip, 0x1000);
	ck_assert_uint_eq(hw.save.rsp, 0x2000);
	ck_assert_uint_eq(hw.save.rax, 0x3000);
	ck_assert_uint_eq(hw.save.rflags, 2);
	ck_assert_uint_eq(hw.control.eventinj, SVM_EVENT_VALID | 0x30);
}
END_TEST

START_TEST(exit_is_published)
{
	hw.control.exitcode = VMEXIT_NPF;
	hw.control.exitinfo1 = 1;
	hw.control.exitinfo2 = 2;
	hw.control.exitintinfo = 3;
	hw.control.nrip = 4;
	hw.control.insn_len = 15;
	hw.control.insn_bytes[14] = 5;
	hw.control.interrupt_shadow = 1;
	hw.control.vintr = SVM_VINTR_V_INTR_MASKING | SVM_VINTR_V_IRQ | 6;
	hw.control.n_cr3 = 0x1000;
	user.control.vintr = 0x42ull << 32;
	vmcb_publish(&user, &hw);
	ck_assert_uint_eq(user.control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(user.control.exitinfo1, 1);
	ck_assert_uint_eq(user.control.exitinfo2, 2);
	ck_assert_uint_eq(user.control.exitintinfo, 3);
	ck_assert_uint_eq(user.control.nrip, 4);
	ck_assert_uint_eq(user.control.insn_len, 15);
	ck_assert_uint_eq(user.control.insn_bytes[14], 5);
	ck_assert_uint_eq(user.control.interrupt_shadow, 1);
	/* What the program set stays, what #VMEXIT writes is written. */
	ck_assert_uint_eq(user.control.vintr,
			  (0x42ull << 32) | SVM_VINTR_V_IRQ | 6);
	/* Nothing of the host's shows. */
	ck_assert_uint_eq(user.control.n_cr3, 0);
	ck_assert_uint_eq(user.control.intercept[3], 0);
}
END_TEST

START_TEST(refusal_looks_like_vmruns)
{
	user.control.exitinfo1 = 1;
	user.save.rip = 0x1000;
	vmcb_publish_exit(&user, VMEXIT_INVALID);
	ck_assert_uint_eq(user.control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(user.control.exitinfo1, 0);
	ck_assert_uint_eq(user.save.rip, 0x1000);
}
END_TEST

/* Whatever comes: no forced bit is ever clear, no refused bit ever set. */
START_TEST(random_vmcbs_keep_the_policy)
{
	unsigned int seed = 11, i, taken = 0;
	bool loaded = false;

	for (i = 0; i < 50000; i++) {
		u32 features = rand_r(&seed) & 1 ? ~0u : 0;

		random_bytes(&user.control, sizeof(user.control), &seed);
		if (i % 4) {
#define ZERO(field, clean) user.control.field = 0;
			SVMRUN_POLICY_ZERO(ZERO)
#undef ZERO
			user.control.nested_ctl = SVM_NESTED_NP_ENABLE;
			user.control.virt_ext &= SVM_VIRT_LBR_ENABLE;
			user.control.vintr &= SVMRUN_POLICY_VINTR;
			user.control.interrupt_shadow &= SVMRUN_POLICY_SHADOW;
			user.control.tlb_control &= 1;
		}
		user.save.efer = rand_r(&seed) & 7 ?
					 SVMRUN_POLICY_EFER_REQUIRED :
					 0;
		/* Nothing vouches for what comes after none or a refusal. */
		loaded = load(loaded ? user.control.clean : 0, features);
		if (!loaded)
			continue;
		taken++;
#define CHECK(field, clean, forced, refuse, require)                           \
	ck_assert_uint_eq(hw.control.field &(forced), forced);                 \
	ck_assert_uint_eq(hw.control.field &(refuse), 0);                      \
	ck_assert_uint_eq(hw.control.field &(require), require);
		SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
#define CHECK(field, clean) ck_assert_uint_eq(hw.control.field, 0);
		SVMRUN_POLICY_ZERO(CHECK)
#undef CHECK
	}
	/* The test is none if all are refused. */
	ck_assert_uint_gt(taken, 1000);
}
END_TEST

START_TEST(forced_intercepts_are_told)
{
	u32 forced[6];
	unsigned int i;

	vmcb_forced_intercepts(forced);
	ck_assert(load(0, 0));
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(forced[i], hw.control.intercept[i]);
}
END_TEST

Suite *vmcb_suite(void)
{
	Suite *suite = suite_create("vmcb");
	TCase *tests = tcase_create("vmcb");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, least_is_taken);
	tcase_add_test(tests, wishes_reach_the_hardware);
	tcase_add_test(tests, zero_fields_are_refused);
	tcase_add_test(tests, every_bit_as_the_table_says);
	tcase_add_test(tests, features_are_asked_of_those_who_have_them);
	tcase_add_test(tests, asid_zero_is_the_hosts);
	tcase_add_test(tests, another_asid_has_no_translations);
	tcase_add_test(tests, tlb_control_has_four_values);
	tcase_add_test(tests, tlb_control_by_asid_needs_the_feature);
	tcase_add_test(tests, efer_without_svme_is_refused);
	tcase_add_test(tests, the_modules_fields_are_not_the_programs);
	tcase_add_test(tests, state_goes_in_and_comes_back);
	tcase_add_test(tests, clean_bits_are_believed);
	tcase_add_test(tests, clean_bits_reach_the_hardware);
	tcase_add_test(tests, flow_is_never_vouched_for);
	tcase_add_test(tests, exit_is_published);
	tcase_add_test(tests, refusal_looks_like_vmruns);
	tcase_add_test(tests, random_vmcbs_keep_the_policy);
	tcase_add_test(tests, forced_intercepts_are_told);
	suite_add_tcase(suite, tests);
	return suite;
}
