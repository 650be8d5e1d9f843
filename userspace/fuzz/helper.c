// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/thread.h"
#include "helper.h"
#include "sandbox/sandbox.h"

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
		if (number != SIGSYS) /* the sandbox's */
			signal(number, SIG_DFL);
	syscall(SYS_close_range, 0u, ~0u, 0u);
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

static pid_t start_process(void)
{
	pid_t parent = getpid(), child = fork();

	if (!child)
		sleep_for_ever(parent);
	return child < 0 ? -errno : child;
}

static void wait_for_end(pid_t process)
{
	siginfo_t info;

	while (waitid(P_PID, process, &info, WEXITED) && errno == EINTR)
		;
}

static void *create_processes(void *argument)
{
	struct helper *helper = argument;
	int ret = sandbox_enter_thread(SANDBOX_HELPER);

	for (;;) {
		helper->pid = ret ? ret : start_process();
		sem_post(&helper->created);
		if (helper->pid < 0)
			return NULL;
		wait_for_end(helper->pid);
		helper->ended(helper->owner);
	}
}

int helper_start(struct helper *helper, void (*ended)(void *owner), void *owner)
{
	int ret;

	helper->ended = ended;
	helper->owner = owner;
	sem_init(&helper->created, 0, 0);
	ret = thread_start(&helper->thread, 0, create_processes, helper);
	return ret ? ret : helper_replace(helper);
}

int helper_replace(struct helper *helper)
{
	while (sem_wait(&helper->created))
		;
	return helper->pid < 0 ? helper->pid : 0;
}
