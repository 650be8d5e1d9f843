// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/thread.h"
#include "helper.h"

/*
 * Sleep until a signal, with the default action of each. Without its descriptors, this
 * process neither keeps the VM nor hides the end of afl-fuzz's pipes. Other threads of the
 * parent may have held locks: only system calls are safe.
 */
static void __attribute__((noreturn)) sleep_for_ever(pid_t parent)
{
	sigset_t none;
	int number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	syscall(SYS_close_range, 0u, ~0u, 0u);
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

static int start_process(struct helper *helper)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		sleep_for_ever(parent);
	helper->pid = child;
	return 0;
}

static void *wait_for_processes(void *argument)
{
	struct helper *helper = argument;
	siginfo_t info;

	for (;;) {
		/* Leave the process to helper_replace(). */
		while (waitid(P_PID, helper->pid, &info, WEXITED | WNOWAIT) &&
		       errno == EINTR)
			;
		helper->ended(helper->owner);
		sem_post(&helper->seen);
		while (sem_wait(&helper->next))
			;
	}
	return NULL;
}

int helper_start(struct helper *helper, void (*ended)(void *owner), void *owner)
{
	int ret;

	helper->ended = ended;
	helper->owner = owner;
	sem_init(&helper->seen, 0, 0);
	sem_init(&helper->next, 0, 0);
	ret = start_process(helper);
	if (ret)
		return ret;
	return thread_start(&helper->thread, 0, wait_for_processes, helper);
}

int helper_replace(struct helper *helper)
{
	int ret;

	while (sem_wait(&helper->seen))
		;
	while (waitpid(helper->pid, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	ret = start_process(helper);
	sem_post(&helper->next);
	return ret;
}
