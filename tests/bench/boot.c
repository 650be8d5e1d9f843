// SPDX-License-Identifier: GPL-2.0
/*
 * Measure how long a command takes to print a marker:
 *	boot [--json FILE] [--from FIRST] [--timeout SECONDS] NAME MARKER COMMAND [ARGUMENT]...
 * in ticks of the TSC, which counts instructions with --icount, in entries into guests, and
 * in seconds: from its start, or from another marker. The command is then terminated, also
 * if it has not printed the marker in time.
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
#define KVM_EXITS "/sys/kernel/debug/kvm/exits"
#define SVMRUN_VMS "/sys/kernel/debug/svmrun/vms"

/* Counters since some moment, or the difference of two of these */
struct figures {
	uint64_t ticks, exits;
	double seconds;
};

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

/* Return the sum of the values of all lines that match a format; a missing file has none. */
static uint64_t sum_lines(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	unsigned long long value;
	uint64_t sum = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, format, &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

/* Both files count for VMs that exist. */
static struct figures sample(void)
{
	struct figures figures = {
		.exits = sum_lines(KVM_EXITS, "%llu") +
			 sum_lines(SVMRUN_VMS, "entries: %llu"),
		.seconds = now(),
	};

	figures.ticks = __rdtsc();
	return figures;
}

static struct figures since(const struct figures *start)
{
	struct figures figures = sample();

	figures.ticks -= start->ticks;
	figures.exits -= start->exits;
	figures.seconds -= start->seconds;
	return figures;
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

/* The signal interrupts read(). */
static void on_alarm(int number)
{
}

static void set_timeout(unsigned int seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

/* Keep all output, up to the marker or the size of the buffer. */
static bool wait_for(int output, const char *marker)
{
	static char text[1 << 20];
	static size_t size;
	ssize_t got;

	while (size < sizeof(text) - 1) {
		if (memmem(text, size, marker, strlen(marker)))
			return true;
		got = read(output, text + size, sizeof(text) - 1 - size);
		if (got <= 0)
			break;
		size += got;
		text[size] = '\0';
	}
	fwrite(size > TAIL ? text + size - TAIL : text, 1,
	       size > TAIL ? TAIL : size, stderr);
	fprintf(stderr, "ended, or did not print in time: %s\n", marker);
	return false;
}

static void report(FILE *json, const char *name, const struct figures *figures)
{
	printf("%-32s %15llu instructions %9llu exits %9.3f s\n", name,
	       (unsigned long long)figures->ticks,
	       (unsigned long long)figures->exits, figures->seconds);
	if (json)
		fprintf(json,
			"{\"work\":\"boot\",\"with\":\"%s\",\"instructions\":%llu,\"exits\":%llu,\"seconds\":%.3f}\n",
			name, (unsigned long long)figures->ticks,
			(unsigned long long)figures->exits, figures->seconds);
}

/* Return false if the command ends before it has printed both markers. */
static bool measure(char **command, const char *first, const char *marker,
		    struct figures *figures)
{
	struct figures begin = sample();
	bool found = true;
	int output;
	pid_t pid;

	pid = start(command, &output);
	if (first) {
		found = wait_for(output, first);
		begin = sample();
	}
	found = found && wait_for(output, marker);
	*figures = since(&begin);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return found;
}

int main(int argc, char **argv)
{
	const char *first = NULL;
	struct figures figures;
	FILE *json = NULL;

	for (; argc > 2 && !strncmp(argv[1], "--", 2); argv += 2, argc -= 2) {
		if (!strcmp(argv[1], "--from")) {
			first = argv[2];
		} else if (!strcmp(argv[1], "--json")) {
			json = fopen(argv[2], "a");
			if (!json)
				fail(argv[2]);
		} else if (!strcmp(argv[1], "--timeout")) {
			set_timeout(strtoul(argv[2], NULL, 10));
		} else {
			break;
		}
	}
	if (argc < 4) {
		fputs("boot [--json FILE] [--from FIRST] [--timeout SECONDS] NAME MARKER COMMAND [ARGUMENT]...\n",
		      stderr);
		return EXIT_FAILURE;
	}
	if (!measure(argv + 3, first, argv[2], &figures))
		return EXIT_FAILURE;
	report(json, argv[1], &figures);
	return EXIT_SUCCESS;
}
