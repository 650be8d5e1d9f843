// SPDX-License-Identifier: GPL-2.0
/*
 * Measure how long a command takes to print a marker:
 *	boot [--json FILE] NAME MARKER COMMAND [ARGUMENT]...
 * in ticks of the TSC, which counts instructions with --icount, and in seconds. The
 * command is then terminated.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define TAIL 4096

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static pid_t start(char **command, int *output)
{
	int pipes[2];
	pid_t pid;

	if (pipe(pipes))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid) {
		close(pipes[1]);
		*output = pipes[0];
		return pid;
	}
	setpgid(0, 0);
	dup2(pipes[1], STDOUT_FILENO);
	dup2(pipes[1], STDERR_FILENO);
	execvp(command[0], command);
	fail(command[0]);
	return 0;
}

/* Keep all output, up to the marker or the size of the buffer. */
static bool wait_for(int output, const char *marker)
{
	static char text[1 << 20];
	size_t size = 0;
	ssize_t got;

	while (size < sizeof(text) - 1) {
		got = read(output, text + size, sizeof(text) - 1 - size);
		if (got <= 0)
			break;
		size += got;
		text[size] = '\0';
		if (memmem(text, size, marker, strlen(marker)))
			return true;
	}
	fwrite(size > TAIL ? text + size - TAIL : text, 1,
	       size > TAIL ? TAIL : size, stderr);
	fprintf(stderr, "ended without printing: %s\n", marker);
	return false;
}

static void report(FILE *json, const char *name, uint64_t ticks, double seconds)
{
	printf("%-24s %15llu instructions %9.3f s\n", name,
	       (unsigned long long)ticks, seconds);
	if (json)
		fprintf(json,
			"{\"work\":\"boot\",\"with\":\"%s\",\"instructions\":%llu,\"seconds\":%.3f}\n",
			name, (unsigned long long)ticks, seconds);
}

int main(int argc, char **argv)
{
	FILE *json = NULL;
	uint64_t ticks;
	double seconds;
	bool found;
	int output;
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "--json")) {
		json = fopen(argv[2], "a");
		if (!json)
			fail(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc < 4) {
		fputs("boot [--json FILE] NAME MARKER COMMAND [ARGUMENT]...\n",
		      stderr);
		return EXIT_FAILURE;
	}
	seconds = now();
	ticks = __rdtsc();
	pid = start(argv + 3, &output);
	found = wait_for(output, argv[2]);
	ticks = __rdtsc() - ticks;
	seconds = now() - seconds;
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (!found)
		return EXIT_FAILURE;
	report(json, argv[1], ticks, seconds);
	return EXIT_SUCCESS;
}
