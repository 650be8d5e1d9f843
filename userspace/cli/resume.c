// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "common/message.h"
#include "common/status.h"
#include "options.h"
#include "run.h"

/* Clones have no input: each character could go to another one. */
static void take_input_away(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
}

/* Run a clone in a process of its own, which ends with this one. */
static int start_clone(const struct run_options *options, struct saved *saved,
		       unsigned int number)
{
	pid_t parent = getpid(), child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_SIGNAL + SIGTERM);
	take_input_away();
	saved->number = number;
	exit(run_machine(options, saved));
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* Return the first status that is not 0. */
static int wait_for_clones(void)
{
	int status, first = 0;

	while (wait(&status) > 0 || errno == EINTR)
		if (!first)
			first = status_of(status);
	return first;
}

static int run_clones(const struct run_options *options, struct saved *saved)
{
	unsigned int i;
	int failed = 0, first;

	for (i = 1; i <= options->clones && !failed; i++)
		if (start_clone(options, saved, i) < 0)
			failed =
				message_fail(STATUS_ENVIRONMENT,
					     "--clones %u: cannot create a process: %s",
					     options->clones, strerror(errno));
	first = wait_for_clones();
	return failed ? failed : first;
}

int resume_main(int argc, char **argv)
{
	static struct saved saved; /* too large for the stack */
	struct run_options options;
	int status = options_parse_resume(&options, argc, argv);

	if (status)
		return status;
	status = saved_open(&saved, options.image, &options);
	if (status)
		return status;
	status = options.clones > 1 ? run_clones(&options, &saved) :
				      run_machine(&options, &saved);
	saved_close(&saved);
	return status;
}
