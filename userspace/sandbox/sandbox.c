// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "filter.h"
#include "landlock.h"
#include "permissions.h"
#include "sandbox.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code, missing in older C libraries */
#endif
#define NUMBER_SIZE 12 /* digits of an int, a sign, and the end */

static struct sandbox_state state;
static struct filter filters[SANDBOX_THREADS];
static void (*on_denial)(void);

/* ---- system calls that are denied ---------------------------------------- */

/* Write the number's digits, which end at @end. Return the first. */
static char *put_number(char *end, unsigned int number)
{
	do {
		*--end = '0' + number % 10;
		number /= 10;
	} while (number);
	return end;
}

/* The process may be anywhere, also in malloc() or stdio. */
static void report_denial(int call)
{
	char text[256], number[NUMBER_SIZE] = { 0 };

	strcpy(text, "sandbox: system call ");
	strcat(text, put_number(number + sizeof(number) - 1, call));
	strcat(text,
	       " is not permitted, and ends the run: a guest may have taken control of svmrun; if it is a mistake of svmrun, report it, and use --sandbox=off");
	message_write(STATUS_SIGNAL + SIGSYS, text);
}

/* SA_RESETHAND has restored the default action, which ends the process. */
static void on_sigsys(int number, siginfo_t *info, void *context)
{
	if (on_denial)
		on_denial();
	if (info->si_code == SYS_SECCOMP)
		report_denial(info->si_syscall);
	raise(number);
}

static void catch_denials(void (*denied)(void))
{
	struct sigaction action = {
		.sa_sigaction = on_sigsys,
		.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER,
	};

	on_denial = denied;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
}

/* ---- the process --------------------------------------------------------- */

/*
 * Close files that the program which has started this one has left open. They have no
 * FD_CLOEXEC flag, while all that the tool opens have.
 */
static int close_inherited_files(void)
{
	const struct dirent *entry;
	DIR *files = opendir("/proc/self/fd");
	int fd;

	if (!files)
		return -errno;
	for (entry = readdir(files); entry; entry = readdir(files)) {
		fd = atoi(entry->d_name);
		if (fd > STDERR_FILENO && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			close(fd);
	}
	closedir(files);
	return 0;
}

static unsigned int used_threads(const struct sandbox_needs *needs)
{
	unsigned int threads = 1 << SANDBOX_MAIN | 1 << SANDBOX_CPU |
			       1 << SANDBOX_OUTPUT;

	if (needs->fuzz)
		return 1 << SANDBOX_FUZZ | 1 << SANDBOX_HELPER |
		       1 << SANDBOX_OUTPUT;
	if (needs->disks)
		threads |= 1 << SANDBOX_DISK;
	if (needs->gdb)
		threads |= 1 << SANDBOX_GDB;
	return threads;
}

/* Return what a thread needs because of the options of this run. */
static unsigned int optional_needs(const struct sandbox_needs *needs,
				   enum sandbox_thread thread)
{
	if (thread == SANDBOX_MAIN)
		return (needs->socket ? PERMISSION_SOCKET : 0) |
		       (needs->save ? PERMISSION_SAVE : 0);
	if (thread == SANDBOX_CPU && needs->nested)
		return PERMISSION_NESTED;
	if (thread == SANDBOX_FUZZ && needs->inputs.count)
		return PERMISSION_INPUTS;
	return 0;
}

static int build_filters(struct filter *all, const struct sandbox_needs *needs)
{
	unsigned int i, threads = used_threads(needs), own;
	unsigned int process = threads | PERMISSION_START;
	int ret = 0;

	if (needs->fuzz)
		process |= PERMISSION_SNAPSHOT;
	for (i = 0; i < SANDBOX_THREADS && !ret; i++) {
		if (!(threads >> i & 1))
			continue;
		own = 1u << i | optional_needs(needs, i);
		process |= own;
		ret = filter_build(&filters[i], own);
	}
	return ret ? ret : filter_build(all, process);
}

static int sandbox_failed(const char *what, int error)
{
	return message_fail(STATUS_ENVIRONMENT,
			    "sandbox: %s: %s; to run without the sandbox, use --sandbox=off",
			    what, strerror(error));
}

int sandbox_enter(const struct sandbox_needs *needs)
{
	static struct filter all;
	int ret = filter_check();

	if (ret)
		return sandbox_failed("the kernel does not filter system calls",
				      -ret);
	ret = needs->inherited ? 0 : close_inherited_files();
	if (ret)
		return sandbox_failed("cannot read /proc/self/fd", -ret);
	ret = build_filters(&all, needs);
	if (ret)
		return sandbox_failed("cannot build a filter of system calls",
				      -ret);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return sandbox_failed("cannot give up privileges of programs",
				      errno);
	ret = landlock_enter(needs);
	if (ret < 0)
		return sandbox_failed("cannot give up files with Landlock",
				      -ret);
	state.landlock = ret;
	catch_denials(needs->denied);
	ret = filter_use(&all);
	if (ret)
		return sandbox_failed("cannot filter system calls", -ret);
	state.is_on = true;
	return 0;
}

/* A thread that blocks SIGSYS would end without a message. */
int sandbox_enter_thread(enum sandbox_thread thread)
{
	sigset_t set;

	if (!state.is_on)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return filter_use(&filters[thread]);
}

int sandbox_confine_thread(enum sandbox_thread thread)
{
	int ret = sandbox_enter_thread(thread);

	return ret ? sandbox_failed("cannot confine a thread", -ret) : 0;
}

const struct sandbox_state *sandbox_state(void)
{
	return &state;
}
