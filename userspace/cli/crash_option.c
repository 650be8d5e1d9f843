// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <svmrun.h>

#include "crash_option.h"

#define PREFIX "VMEXIT_"
#define CODES 0x500 /* exit codes are below, except for negative ones */

bool crash_parse(const char *name, uint64_t *code)
{
	const char *other;

	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	for (*code = 0; *code < CODES; ++*code) {
		other = svmrun_exit_name(*code);
		if (other && !strcmp(other + strlen(PREFIX), name))
			return true;
	}
	return false;
}
