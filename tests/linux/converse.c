// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command on a terminal of its own and talks to it:
 *	converse [WAIT SEND]... -- COMMAND [ARGUMENT]...
 * waits until it has printed WAIT, then types SEND, and so on, in which \r, \n, \xHH
 * and \\ are as in C; "\hangup" closes the terminal. What it prints goes to standard
 * output. Ends as the command does: 128 + N for a signal, 99 if it said nothing of
 * what was waited for, 98 if the terminal's settings are not as before.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define NOT_SAID 99
#define NOT_AS_BEFORE 98

static char said[1 << 20];
static size_t size;

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Gives false when there is no more. */
static bool listen_once(int terminal)
{
	ssize_t got = read(terminal, said + size, sizeof(said) - 1 - size);

	if (got <= 0)
		return false;
	if (write(STDOUT_FILENO, said + size, got) != got)
		fail("standard output");
	size += got;
	return size < sizeof(said) - 1;
}

/*
 * Looks at what was said since it was last answered. The slave is open here too: the
 * terminal's end is not seen on it.
 */
static bool wait_for(int terminal, const char *text, size_t since, pid_t pid)
{
	struct pollfd fd = { .fd = terminal, .events = POLLIN };
	siginfo_t info = { 0 };

	while (!memmem(said + since, size - since, text, strlen(text))) {
		if (poll(&fd, 1, 100) > 0) {
			if (!listen_once(terminal))
				return false;
			continue;
		}
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid)
			return false;
	}
	return true;
}

static char unescape(const char **text)
{
	const char *at = *text;
	char hex[3] = "";

	if (*at != '\\') {
		*text = at + 1;
		return *at;
	}
	*text = at + 2;
	switch (at[1]) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 'x':
		strncpy(hex, at + 2, 2);
		*text = at + 2 + strlen(hex);
		return strtol(hex, NULL, 16);
	default:
		return at[1];
	}
}

static void type(int terminal, const char *text)
{
	char byte;

	while (*text) {
		byte = unescape(&text);
		if (write(terminal, &byte, 1) != 1)
			fail("write to the terminal");
	}
}

static int ended(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static bool same_settings(int terminal, const struct termios *before)
{
	struct termios now;

	return !tcgetattr(terminal, &now) && now.c_lflag == before->c_lflag &&
	       now.c_iflag == before->c_iflag && now.c_oflag == before->c_oflag;
}

/* The slave is kept open, so that the settings can be looked at afterwards. */
static pid_t start(char **command, int *terminal, int *slave)
{
	pid_t pid;

	if (openpty(terminal, slave, NULL, NULL, NULL))
		fail("openpty");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	close(*terminal);
	if (login_tty(*slave))
		fail("login_tty");
	execvp(command[0], command);
	fail(command[0]);
	return 0;
}

int main(int argc, char **argv)
{
	struct termios before;
	int terminal, slave, status, i, command = 1;
	size_t since = 0;
	pid_t pid;

	while (command < argc && strcmp(argv[command], "--"))
		command++;
	if (command + 1 >= argc || command % 2 == 0) {
		fputs("converse [WAIT SEND]... -- COMMAND [ARGUMENT]...\n",
		      stderr);
		return EXIT_FAILURE;
	}
	pid = start(argv + command + 1, &terminal, &slave);
	if (tcgetattr(slave, &before))
		fail("tcgetattr");
	for (i = 1; i < command; i += 2) {
		if (!wait_for(terminal, argv[i], since, pid)) {
			fprintf(stderr, "not said: %s\n", argv[i]);
			return NOT_SAID;
		}
		since = size;
		if (!strcmp(argv[i + 1], "\\hangup")) {
			close(slave);
			close(terminal);
			return ended(pid);
		}
		type(terminal, argv[i + 1]);
	}
	/* Its end is seen by waiting: the slave is still open here. */
	while (!waitpid(pid, &status, WNOHANG)) {
		struct pollfd fd = { .fd = terminal, .events = POLLIN };

		if (poll(&fd, 1, 100) > 0)
			listen_once(terminal);
	}
	if (!same_settings(slave, &before)) {
		fputs("the terminal's settings are not as before\n", stderr);
		return NOT_AS_BEFORE;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
