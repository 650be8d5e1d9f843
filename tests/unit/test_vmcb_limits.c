// SPDX-License-Identifier: GPL-2.0
/*
 * vmcb_limits_find(): the register bits and features that guests may use, derived from
 * CPUID and the host's CR4 and XCR0. The tests make up the processor: it has everything
 * except for what a test takes away.
 */
#include "suites.h"

#include "../../module/vmcb_limits.h"

#define ALL (~0ull)
#define XCR0_ALL 0x207ull

static struct {
	u32 function;
	u32 output;
	u32 bits;
} except;
static u32 last_basic, last_extended;

/*
 * Set all bits of all outputs except for @except. This includes the bit that says that
 * EFER.LMSLE is not supported.
 */
static void read_cpuid(u32 function, u32 subfunction, u32 outputs[4])
{
	unsigned int i;

	ck_assert_uint_eq(subfunction, 0);
	for (i = 0; i < 4; i++)
		outputs[i] = ~0u;
	if (function == 0)
		outputs[0] = last_basic;
	else if (function == 0x80000000)
		outputs[0] = last_extended;
	else if (function == except.function)
		outputs[except.output] &= ~except.bits;
}

static struct vmcb_limits find(u64 cr4, u64 xcr0, bool smt_rsb)
{
	const struct vmcb_limits_host host = {
		.cpuid = read_cpuid,
		.cr4 = cr4,
		.xcr0 = xcr0,
		.smt_rsb = smt_rsb,
	};
	struct vmcb_limits limits;

	vmcb_limits_find(&limits, &host);
	return limits;
}

static void setup(void)
{
	memset(&except, 0, sizeof(except));
	last_basic = 0x10;
	last_extended = 0x80000021;
}

START_TEST(processor_with_everything)
{
	struct vmcb_limits limits = find(ALL, XCR0_ALL, false);

	ck_assert_uint_eq(limits.features, ~0u);
	ck_assert_uint_eq(limits.cr0, SVMRUN_POLICY_KNOWN_CR0);
	ck_assert_uint_eq(limits.cr4, SVMRUN_POLICY_KNOWN_CR4);
	ck_assert_uint_eq(limits.efer,
			  SVMRUN_POLICY_KNOWN_EFER & ~SVM_EFER_LMSLE);
	ck_assert_uint_eq(limits.dbgctl, SVMRUN_POLICY_KNOWN_DBGCTL);
	ck_assert_uint_eq(limits.cr4_hidden, SVM_CR4_MCE);
}
END_TEST

/* APM 3.1.3 and volume 3, appendix E; @output: 0 to 3 for EAX to EDX */
START_TEST(each_bit_of_cr4_needs_its_feature)
{
	static const struct {
		u32 bits, function, output, bit;
	} rows[] = {
		{ 3 << 0, 1, 3, 1 },   { 1 << 2, 1, 3, 4 },
		{ 1 << 3, 1, 3, 2 },   { 1 << 4, 1, 3, 3 },
		{ 1 << 5, 1, 3, 6 },   { 1 << 6, 1, 3, 7 },
		{ 1 << 7, 1, 3, 13 },  { 1 << 8, 1, 3, 5 },
		{ 1 << 9, 1, 3, 24 },  { 1 << 10, 1, 3, 25 },
		{ 1 << 11, 7, 2, 2 },  { 1 << 12, 7, 2, 16 },
		{ 1 << 16, 7, 1, 0 },  { 1 << 17, 1, 2, 17 },
		{ 1 << 18, 1, 2, 26 }, { 1 << 20, 7, 1, 7 },
		{ 1 << 21, 7, 1, 20 }, { 1 << 22, 7, 2, 3 },
		{ 1 << 23, 7, 2, 7 },
	};
	u64 seen = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		except.function = rows[i].function;
		except.output = rows[i].output;
		except.bits = 1u << rows[i].bit;
		ck_assert_uint_eq(find(ALL, XCR0_ALL, false).cr4,
				  SVMRUN_POLICY_KNOWN_CR4 & ~rows[i].bits);
		seen |= rows[i].bits;
	}
	ck_assert_uint_eq(seen, SVMRUN_POLICY_KNOWN_CR4);
}
END_TEST

/* APM 3.1.7 and volume 3, appendix E */
START_TEST(each_bit_of_efer_needs_its_feature)
{
	static const struct {
		u32 bits, function, output, bit;
	} rows[] = {
		{ 1 << 0, 0x80000001, 3, 11 },	{ 5 << 8, 0x80000001, 3, 29 },
		{ 1 << 11, 0x80000001, 3, 20 }, { 1 << 12, 0x80000001, 2, 2 },
		{ 1 << 14, 0x80000001, 3, 25 }, { 1 << 15, 0x80000001, 2, 17 },
		{ 1 << 21, 0x80000021, 0, 8 },
	};
	const u64 most = SVMRUN_POLICY_KNOWN_EFER & ~SVM_EFER_LMSLE;
	u64 seen = SVM_EFER_LMSLE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		except.function = rows[i].function;
		except.output = rows[i].output;
		except.bits = 1u << rows[i].bit;
		ck_assert_uint_eq(find(ALL, XCR0_ALL, false).efer,
				  most & ~rows[i].bits);
		seen |= rows[i].bits;
	}
	ck_assert_uint_eq(seen, SVMRUN_POLICY_KNOWN_EFER);
	except.function = 0x80000008;
	except.output = 1;
	except.bits = 1u << 20;
	ck_assert_uint_eq(find(ALL, XCR0_ALL, false).efer,
			  SVMRUN_POLICY_KNOWN_EFER);
}
END_TEST

/* The outputs of functions above the largest one are meaningless. */
START_TEST(functions_that_are_not_there)
{
	const u64 structured = 1 << 11 | 1 << 12 | 1 << 16 | 1 << 20 | 1 << 21 |
			       1 << 22 | 1 << 23;

	last_basic = 6;
	ck_assert_uint_eq(find(ALL, XCR0_ALL, false).cr4,
			  SVMRUN_POLICY_KNOWN_CR4 & ~structured);
	last_extended = 0x80000020;
	ck_assert_uint_eq(find(ALL, XCR0_ALL, false).efer & SVM_EFER_AIBRSE, 0);
	last_extended = 0x80000007;
	ck_assert_uint_eq(find(ALL, XCR0_ALL, false).efer & SVM_EFER_LMSLE,
			  SVM_EFER_LMSLE);
	ck_assert_uint_eq(find(ALL, XCR0_ALL, false).features, 0);
}
END_TEST

/* With noxsave or nopku, the host does not switch the state, so guests may not use it. */
START_TEST(what_the_host_has_turned_off)
{
	ck_assert_uint_eq(find(ALL & ~SVM_CR4_OSXSAVE, XCR0_ALL, false).cr4,
			  SVMRUN_POLICY_KNOWN_CR4 & ~SVM_CR4_OSXSAVE);
	ck_assert_uint_eq(find(ALL & ~SVM_CR4_PKE, XCR0_ALL, false).cr4,
			  SVMRUN_POLICY_KNOWN_CR4 & ~SVM_CR4_PKE);
	ck_assert_uint_eq(find(ALL, 7, false).cr4,
			  SVMRUN_POLICY_KNOWN_CR4 & ~SVM_CR4_PKE);
	/* All other bits are independent of the host's CR4. */
	ck_assert_uint_eq(find(SVMRUN_POLICY_CR4_LIKE_HOST, XCR0_ALL, false).cr4,
			  SVMRUN_POLICY_KNOWN_CR4);
}
END_TEST

START_TEST(machine_checks_are_hidden_where_the_host_has_them)
{
	ck_assert_uint_eq(find(SVM_CR4_MCE | SVM_CR4_PAE, 7, false).cr4_hidden,
			  SVM_CR4_MCE);
	ck_assert_uint_eq(find(SVM_CR4_PAE, 7, false).cr4_hidden, 0);
}
END_TEST

START_TEST(hlt_is_intercepted_where_threads_teach_each_other)
{
	static const u32 always[6] = {
		SVMRUN_POLICY_FORCED_0, 0,
		SVMRUN_POLICY_FORCED_2, SVMRUN_POLICY_FORCED_3,
		SVMRUN_POLICY_FORCED_4, SVMRUN_POLICY_FORCED_5,
	};
	struct vmcb_limits limits = find(ALL, XCR0_ALL, false);

	ck_assert_mem_eq(limits.intercepts, always, sizeof(always));
	ck_assert_uint_eq(limits.intercepts[3] & SVM_INTERCEPT3_HLT, 0);
	limits = find(ALL, XCR0_ALL, true);
	ck_assert_uint_eq(limits.intercepts[3],
			  SVMRUN_POLICY_FORCED_3 | SVM_INTERCEPT3_HLT);
	limits.intercepts[3] = always[3];
	ck_assert_mem_eq(limits.intercepts, always, sizeof(always));
}
END_TEST

Suite *vmcb_limits_suite(void)
{
	Suite *suite = suite_create("vmcb_limits");
	TCase *tests = tcase_create("vmcb_limits");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, processor_with_everything);
	tcase_add_test(tests, each_bit_of_cr4_needs_its_feature);
	tcase_add_test(tests, each_bit_of_efer_needs_its_feature);
	tcase_add_test(tests, functions_that_are_not_there);
	tcase_add_test(tests, what_the_host_has_turned_off);
	tcase_add_test(tests,
		       machine_checks_are_hidden_where_the_host_has_them);
	tcase_add_test(tests,
		       hlt_is_intercepted_where_threads_teach_each_other);
	suite_add_tcase(suite, tests);
	return suite;
}
