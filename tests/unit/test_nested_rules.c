// SPDX-License-Identifier: GPL-2.0
/* nested_rules: the rules that a VMCB12 breaks, and warnings about legal ones */
#include "nested_guest.h"

/* ---- rules ---------------------------------------------------------------- */

#define AT(member) offsetof(struct svm_vmcb, member)

/* Each rule alone: bits that are set and cleared in a VMCB12 that is legal */
static const struct broken {
	const char *field;
	size_t offset;
	uint64_t set;
	uint64_t clear;
	size_t size;
} broken[] = {
	{ "save.efer", AT(save.efer), 0, SVM_EFER_SVME, 8 },
	{ "save.efer", AT(save.efer), 1ull << 40, 0, 8 },
	{ "save.cr0", AT(save.cr0), SVM_CR0_NW, 0, 8 },
	{ "save.cr0", AT(save.cr0), 1ull << 32, 0, 8 },
	{ "save.cr0", AT(save.cr0), 0, SVM_CR0_PE, 8 },
	{ "save.cr3", AT(save.cr3), 1ull << 60, 0, 8 },
	{ "save.cr4", AT(save.cr4), 1ull << 31, 0, 8 },
	{ "save.cr4", AT(save.cr4), 0, SVM_CR4_PAE, 8 },
	{ "save.dr6", AT(save.dr6), 1ull << 32, 0, 8 },
	{ "save.dr7", AT(save.dr7), 1ull << 63, 0, 8 },
	{ "save.cs.attrib", AT(save.cs.attrib), SVM_SEG_L | SVM_SEG_DB, 0, 2 },
	{ "control.intercept[4]", AT(control.intercept[4]), 0,
	  SVM_INTERCEPT4_VMRUN, 4 },
	{ "control.iopm_base_pa", AT(control.iopm_base_pa), 1ull << 52, 0, 8 },
	{ "control.msrpm_base_pa", AT(control.msrpm_base_pa), 1ull << 52, 0,
	  8 },
	{ "control.asid", AT(control.asid), 0, ~0u, 4 },
	{ "control.tlb_control", AT(control.tlb_control), 2, 0, 1 },
	{ "control.eventinj", AT(control.eventinj), SVM_EVENT_VALID | 1ull << 8,
	  0, 8 },
	{ "control.eventinj", AT(control.eventinj),
	  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 2, 0, 8 },
};

static void break_rule(const struct broken *rule)
{
	uint64_t value = 0;
	char *at = (char *)vmcb12 + rule->offset;

	memcpy(&value, at, rule->size);
	value = (value & ~rule->clear) | rule->set;
	memcpy(at, &value, rule->size);
}

START_TEST(each_broken_rule_is_refused_and_named)
{
	const struct broken *rule = &broken[_i];

	break_rule(rule);
	vmcb12->control.exitcode = 0;
	vmrun();
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(refusals, 1);
	ck_assert_uint_ge(refused_count, 1);
	ck_assert_str_eq(refused[0].field, rule->field);
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			 SVMRUN_NESTED_HOLD);
	prepare_vmcb12();
	vmrun();
	ck_assert(svmrun_nested_is_active(nested));
}
END_TEST

START_TEST(n_cr3_and_pat_are_checked_with_nested_paging)
{
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.n_cr3 |= 1ull << 60;
	vmrun();
	ck_assert_str_eq(refused[0].field, "control.n_cr3");
	map_nested(0x5000, PTE_ALL);
	vmcb12->save.g_pat = 2;
	vmrun();
	ck_assert_str_eq(refused[0].field, "save.g_pat");
}
END_TEST

START_TEST(a_refusal_of_the_module_is_explained)
{
	vmrun();
	exit_with(VMEXIT_INVALID, 0, 0);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(refusals, 1);
}
END_TEST

/* ---- warnings ---------------------------------------------------- */

START_TEST(missing_intercepts_are_reported_once)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_IOIO |
				       SVM_INTERCEPT3_SHUTDOWN |
				       SVM_INTERCEPT3_INTR |
				       SVM_INTERCEPT3_NMI | SVM_INTERCEPT3_HLT;
	vmcb12->control.vintr = SVM_VINTR_V_INTR_MASKING;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
	ck_assert_uint_eq(suspected_count, 1);
	ck_assert_str_eq(suspected[0].field, "control.intercept[3]");
	ck_assert_uint_eq(suspected[0].bits, SVM_INTERCEPT3_MSR);
	exit_with(VMEXIT_HLT, 0, 0);
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
}
END_TEST

START_TEST(clean_bits_of_changed_fields_are_reported)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	exit_with(VMEXIT_HLT, 0, 0);
	suspicions = 0;
	vmcb12->save.rip = CODE;
	vmcb12->control.clean = SVM_CLEAN_ALL;
	vmrun();
	ck_assert_uint_eq(suspicions, 0);
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->save.cr2 = 0x1000;
	vmcb12->save.es.base = 0x2000;
	vmcb12->control.tsc_offset = 5;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
	ck_assert_uint_eq(suspected_count, 3);
	ck_assert_str_eq(suspected[0].field, "control.tsc_offset");
	ck_assert_uint_eq(suspected[0].bits, 5);
	ck_assert_str_eq(suspected[1].field, "save.es");
	ck_assert_str_eq(suspected[2].field, "save.cr2");
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->save.cr2 = 0x3000;
	vmcb12->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_CR2;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
}
END_TEST

Suite *nested_rules_suite(void)
{
	const TTest *const tests[] = {
		n_cr3_and_pat_are_checked_with_nested_paging,
		a_refusal_of_the_module_is_explained,
		missing_intercepts_are_reported_once,
		clean_bits_of_changed_fields_are_reported,
	};
	TCase *tcase;
	Suite *suite = nested_suite_of("nested_rules", tests, ARRAY_SIZE(tests),
				       &tcase);

	tcase_add_loop_test(tcase, each_broken_rule_is_refused_and_named, 0,
			    ARRAY_SIZE(broken));
	return suite;
}
