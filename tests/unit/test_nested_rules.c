// SPDX-License-Identifier: GPL-2.0
/* nested_rules: the rules that a VMCB12 breaks, and warnings about legal ones */
#include "broken_rules.h"
#include "nested_guest.h"

/* ---- rules ---------------------------------------------------------------- */

START_TEST(each_broken_rule_is_refused_and_named)
{
	const struct broken_rule *rule = &broken_rules[_i];

	break_rule(vmcb12, rule);
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
			    ARRAY_SIZE(broken_rules));
	return suite;
}
