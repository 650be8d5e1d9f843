// SPDX-License-Identifier: GPL-2.0
/*
 * A program that is the target of svmrun fuzz in a Linux guest, whose first process it is:
 * the parser with the planted bug, and a handler for the signal of a crash.
 */
#define SVMRUN_GUEST_LINUX
#define SVMRUN_GUEST_COVERAGE
#include <svmrun_guest.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "parser.h"

static uint8_t input[4096];

static void on_crash(int number)
{
	svmrun_guest_crash(number);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE,
				       SIGABRT };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		signal(numbers[i], on_crash);
}

static int map_coverage(void)
{
	struct svmrun_guest_areas areas;

	mkdir("/dev", 0755);
	mknod("/dev/mem", S_IFCHR | 0600, makedev(1, 1));
	svmrun_guest_find(&areas);
	svmrun_guest_map_size = areas.map_size;
	svmrun_guest_map = svmrun_guest_map_area(areas.map, areas.map_size,
						 PROT_READ | PROT_WRITE);
	return svmrun_guest_map ? 0 : -1;
}

int main(void)
{
	long length;

	if (map_coverage()) {
		perror("/dev/mem");
		return 1;
	}
	catch_signals();
	memset(input, 1, sizeof(input)); /* its pages must be present */
	length = svmrun_guest_ready(input, sizeof(input));
	svmrun_guest_done(parse(input, length));
}
