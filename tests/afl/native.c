// SPDX-License-Identifier: GPL-2.0
/*
 * The parser as an ordinary target of AFL++, with its own fork server and inputs in shared
 * memory, to compare the cost of a run: afl-cc creates a process for each.
 */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "parser.h"

__AFL_FUZZ_INIT();

int main(void)
{
	__AFL_INIT();
	return parse(__AFL_FUZZ_TESTCASE_BUF, __AFL_FUZZ_TESTCASE_LEN);
}
