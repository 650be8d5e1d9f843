// SPDX-License-Identifier: GPL-2.0
/*
 * The names of exit codes and of the reasons for which the module refuses a VMCB.
 */
#include <stdio.h>

#include <svmrun.h>

#include "suites.h"

/* APM volume 2, appendix C */
START_TEST(name_is_the_manuals)
{
	static const struct {
		uint64_t code;
		const char *name;
	} exits[] = {
		{ 0x000, "VMEXIT_CR0_READ" },
		{ 0x01f, "VMEXIT_CR15_WRITE" },
		{ 0x027, "VMEXIT_DR7_READ" },
		{ 0x04e, "VMEXIT_EXCP14" },
		{ 0x05f, "VMEXIT_EXCP31" },
		{ 0x060, "VMEXIT_INTR" },
		{ 0x072, "VMEXIT_CPUID" },
		{ 0x078, "VMEXIT_HLT" },
		{ 0x07b, "VMEXIT_IOIO" },
		{ 0x07c, "VMEXIT_MSR" },
		{ 0x07f, "VMEXIT_SHUTDOWN" },
		{ 0x081, "VMEXIT_VMMCALL" },
		{ 0x08d, "VMEXIT_XSETBV" },
		{ 0x090, "VMEXIT_CR0_WRITE_TRAP" },
		{ 0x0a6, "VMEXIT_IDLE_HLT" },
		{ 0x400, "VMEXIT_NPF" },
		{ 0x403, "VMEXIT_VMGEXIT" },
		{ UINT64_MAX, "VMEXIT_INVALID" },
		{ UINT64_MAX - 1, "VMEXIT_BUSY" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(exits); i++)
		ck_assert_pstr_eq(svmrun_exit_name(exits[i].code),
				  exits[i].name);
}

START_TEST(name_is_there_for_every_numbered_exit)
{
	unsigned int code;

	for (code = 0; code <= 0xa6; code++)
		ck_assert_msg(svmrun_exit_name(code), "0x%x has no name", code);
}

START_TEST(name_is_null_for_codes_that_are_none)
{
	ck_assert_ptr_null(svmrun_exit_name(0xa7));
	ck_assert_ptr_null(svmrun_exit_name(0x3ff));
	ck_assert_ptr_null(svmrun_exit_name(0x404));
	ck_assert_ptr_null(svmrun_exit_name(UINT64_MAX - 2));
}

START_TEST(reason_is_there_for_every_number)
{
	unsigned int i;

	for (i = 0; i <= SVMRUN_INVALID_UNSUPPORTED; i++)
		ck_assert_ptr_nonnull(svmrun_invalid_reason(i));
	ck_assert_pstr_eq(svmrun_invalid_reason(SVMRUN_INVALID_MUST_BE_ZERO),
			  "must be zero");
}

START_TEST(reason_is_null_for_numbers_that_are_none)
{
	uint32_t next = SVMRUN_INVALID_UNSUPPORTED + 1;

	ck_assert_ptr_null(svmrun_invalid_reason(next));
	ck_assert_ptr_null(svmrun_invalid_reason(UINT32_MAX));
}

static const TTest **const tests[] = {
	&name_is_the_manuals,
	&name_is_there_for_every_numbered_exit,
	&name_is_null_for_codes_that_are_none,
	&reason_is_there_for_every_number,
	&reason_is_null_for_numbers_that_are_none,
};

Suite *exit_suite(void)
{
	return suite_of("exit", tests, ARRAY_SIZE(tests));
}
