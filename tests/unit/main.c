// SPDX-License-Identifier: GPL-2.0
/* Run all suites, and print TAP, one line per test. */
#include <stdlib.h>

#include "suites.h"
#include "listed.h" /* NOUN_suite() of each test_NOUN.c, from the Makefile */

Suite *suite_of(const char *name, const TTest **const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	size_t i;

	for (i = 0; i < count; i++)
		tcase_add_test(tcase, *tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

/*
 * Keep little freed memory: libcheck frees the messages of each assertion, hundreds of
 * megabytes in all, and every test is a fork of this process.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

int main(void)
{
	SRunner *runner;
	int failed;
	size_t i;

	/* Seconds per test: sanitizers on a busy machine are slow. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	runner = srunner_create(NULL);
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
