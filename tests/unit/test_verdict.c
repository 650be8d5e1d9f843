// SPDX-License-Identifier: GPL-2.0
/* The verdict on an input, from the outcome of the run */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "cli/crash_option.h"
#include "fuzz/verdict.h"
#include "suites.h"

static int wait_status(const char *kind, int status, int error)
{
	struct outcome outcome = {
		.ended = true,
		.kind = kind,
		.status = status,
		.error = error,
	};
	struct verdict verdict = verdict_find(&outcome);

	return verdict_wait_status(&verdict);
}

START_TEST(ends_like_processes)
{
	int status = wait_status(VERDICT_DONE, 7, 0);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_int_eq(wait_status("halt", 0, 0), 0);
	ck_assert_int_eq(WEXITSTATUS(wait_status("port", 9, 0)), 9);
	status = wait_status(VERDICT_CRASH, 0, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
	ck_assert_int_eq(wait_status(VERDICT_EXIT, SIGFPE, 0), SIGFPE);
	ck_assert_int_eq(wait_status("shutdown", 6, 0), SIGSEGV);
	ck_assert_int_eq(wait_status("unhandled", 8, 0), SIGBUS);
	ck_assert_int_eq(wait_status(VERDICT_KILLED, 0, 0), SIGKILL);
}

/* A host without memory is not a crash of the guest, nor is any other error of RUN. */
START_TEST(knows_errors_of_the_host)
{
	const struct outcome outcome = {
		.ended = true,
		.kind = "unhandled",
		.status = 8,
		.error = ENODEV,
	};

	ck_assert_int_eq(wait_status("unhandled", 8, ENOMEM), SIGKILL);
	ck_assert_int_eq(verdict_find(&outcome).kind, INPUT_FAILED);
}

START_TEST(exceptions_have_linux_signals)
{
	ck_assert_int_eq(verdict_signal(0), SIGFPE);
	ck_assert_int_eq(verdict_signal(3), SIGTRAP);
	ck_assert_int_eq(verdict_signal(6), SIGILL);
	ck_assert_int_eq(verdict_signal(13), SIGSEGV);
	ck_assert_int_eq(verdict_signal(14), SIGSEGV);
	ck_assert_int_eq(verdict_signal(17), SIGBUS);
}

START_TEST(finds_exits_by_name)
{
	uint64_t code;

	ck_assert(crash_parse("EXCP6", &code) && code == VMEXIT_EXCP(6));
	ck_assert(crash_parse("VMEXIT_CPUID", &code) && code == VMEXIT_CPUID);
	ck_assert(crash_parse("NPF", &code) && code == VMEXIT_NPF);
	ck_assert(!crash_parse("", &code));
	ck_assert(!crash_parse("EXCP", &code));
	ck_assert(!crash_parse("VMEXIT_", &code));
}

static const TTest **const tests[] = {
	&ends_like_processes,
	&knows_errors_of_the_host,
	&exceptions_have_linux_signals,
	&finds_exits_by_name,
};

Suite *verdict_suite(void)
{
	return suite_of("verdict", tests, ARRAY_SIZE(tests));
}
