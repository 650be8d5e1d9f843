// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_processor_identify(): the bits that guests may set in control registers,
 * compared with CPUID of the processor that the test runs on.
 */
#include <cpuid.h>

#include <svmrun.h>

#include "suites.h"

static struct svmrun_processor processor;

static void setup(void)
{
	const struct svmrun_info info = {
		.out_svm_features = 0x12345678,
		.out_xcr0 = 0x207,
	};

	svmrun_processor_identify(&processor, &info);
}

static uint32_t cpuid(uint32_t leaf, unsigned int output)
{
	uint32_t r[4] = { 0 };

	__get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]);
	return r[output];
}

/* The bit is permitted if, and only if, CPUID has the feature bit. */
static void follows(uint64_t bits, unsigned int bit, uint32_t leaf,
		    unsigned int output, unsigned int feature)
{
	ck_assert_msg((bits >> bit & 1) == (cpuid(leaf, output) >> feature & 1),
		      "bit %u by CPUID %#x, %u, bit %u", bit, leaf, output,
		      feature);
}

START_TEST(info_is_taken_over)
{
	ck_assert_uint_eq(processor.svm_features, 0x12345678);
	ck_assert_uint_eq(processor.xcr0, 0x207);
}

START_TEST(cr3_is_as_wide_as_a_physical_address)
{
	uint32_t width = cpuid(0x80000008, 0) & 0xff;

	ck_assert_uint_eq(processor.cr3 >> (width - 1), 1);
	ck_assert_uint_eq(processor.cr3 & (processor.cr3 + 1), 0);
}

/* APM 3.1.3, with the numbers of APM volume 3, appendix E */
START_TEST(cr4_follows_cpuid)
{
	static const uint8_t by_edx_1[][2] = {
		{ 0, 1 }, { 1, 1 },  { 2, 4 }, { 3, 2 },  { 4, 3 },
		{ 5, 6 }, { 7, 13 }, { 6, 7 }, { 9, 24 }, { 10, 25 },
	};
	static const uint8_t by_ebx_7[][2] = { { 16, 0 },
					       { 20, 7 },
					       { 21, 20 } };
	static const uint8_t by_ecx_7[][2] = {
		{ 11, 2 }, { 12, 16 }, { 22, 3 }, { 23, 7 }
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(by_edx_1); i++)
		follows(processor.cr4, by_edx_1[i][0], 1, 3, by_edx_1[i][1]);
	for (i = 0; i < ARRAY_SIZE(by_ebx_7); i++)
		follows(processor.cr4, by_ebx_7[i][0], 7, 1, by_ebx_7[i][1]);
	for (i = 0; i < ARRAY_SIZE(by_ecx_7); i++)
		follows(processor.cr4, by_ecx_7[i][0], 7, 2, by_ecx_7[i][1]);
	follows(processor.cr4, 17, 1, 2, 17);
	follows(processor.cr4, 18, 1, 2, 26);
	ck_assert(processor.cr4 >> 8 & 1); /* PCE has no feature bit */
	ck_assert_uint_eq(processor.cr4 & ~0xf71fffull, 0);
}

/* APM 3.1.7 */
START_TEST(efer_follows_cpuid)
{
	follows(processor.efer, 0, 0x80000001, 3, 11);
	follows(processor.efer, 8, 0x80000001, 3, 29);
	follows(processor.efer, 10, 0x80000001, 3, 29);
	follows(processor.efer, 11, 0x80000001, 3, 20);
	follows(~processor.efer, 13, 0x80000008, 1, 20);
	follows(processor.efer, 14, 0x80000001, 3, 25);
	follows(processor.efer, 15, 0x80000001, 2, 17);
	follows(processor.efer, 21, 0x80000021, 0, 8);
	ck_assert(processor.efer >> 12 & 1);
	ck_assert_uint_eq(processor.efer & ~0x20fd01ull, 0);
}

START_TEST(what_the_host_does_not_switch)
{
	struct svmrun_info info = { .out_xcr0 = 7 };

	svmrun_processor_identify(&processor, &info);
	ck_assert_uint_eq(processor.cr4 & SVM_CR4_PKE, 0);
	info.out_xcr0 = 0;
	svmrun_processor_identify(&processor, &info);
	ck_assert_uint_eq(processor.cr4 & SVM_CR4_OSXSAVE, 0);
}

START_TEST(what_the_module_says_comes_first)
{
	const struct svmrun_info info = {
		.size = sizeof(info),
		.out_cr0 = 1,
		.out_cr4 = 2,
		.out_efer = 3,
		.out_dbgctl = 4,
	};

	ck_assert_uint_eq(processor.cr0, 0x8005003f);
	ck_assert_uint_eq(processor.dbgctl, 3);
	svmrun_processor_identify(&processor, &info);
	ck_assert_uint_eq(processor.cr0, 1);
	ck_assert_uint_eq(processor.cr4, 2);
	ck_assert_uint_eq(processor.efer, 3);
	ck_assert_uint_eq(processor.dbgctl, 4);
}

/* Without shadow stacks, or with branch tracking, any value of S_CET is accepted. */
START_TEST(s_cet_has_a_rule_with_shadow_stacks)
{
	bool ruled = (cpuid(7, 2) >> 7 & 1) && !(cpuid(7, 3) >> 20 & 1);

	ck_assert_uint_eq(processor.s_cet, ruled ? 3 : ~0ull);
}

Suite *processor_suite(void)
{
	Suite *suite = suite_create("processor");
	TCase *tests = tcase_create("processor");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, info_is_taken_over);
	tcase_add_test(tests, cr3_is_as_wide_as_a_physical_address);
	tcase_add_test(tests, cr4_follows_cpuid);
	tcase_add_test(tests, efer_follows_cpuid);
	tcase_add_test(tests, what_the_host_does_not_switch);
	tcase_add_test(tests, what_the_module_says_comes_first);
	tcase_add_test(tests, s_cet_has_a_rule_with_shadow_stacks);
	suite_add_tcase(suite, tests);
	return suite;
}
