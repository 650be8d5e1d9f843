// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command on a new terminal and interact with it:
 *	converse [WAIT SEND]... -- COMMAND [ARGUMENT]...
 * waits until the command has printed WAIT, then types SEND, and so on. \r, \n,
 * \xHH and \\ in SEND are as in C; "\hangup" closes the terminal. The command's
 * output is copied to standard output. The exit status is that of the command; 128
 * + N for a signal; 99 if WAIT was not printed; 98 if the command has changed the
 * terminal's settings.
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

#define NOT_PRINTED 99
#define SETTINGS_CHANGED 98

static char output[1 << 20];
static size_t size;

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Read output; return false when there is no more. */
static bool listen_once(int terminal)
{
	ssize_t got = read(terminal, output + size, sizeof(output) - 1 - size);

	if (got <= 0)
		return false;
	if (write(STDOUT_FILENO, output + size, got) != got)
		fail("standard output");
	size += got;
	return size < sizeof(output) - 1;
}

/*
 * Search the output since the last answer. This process has the slave open too, so
 * the end of the command does not show on the terminal.
 */
static bool wait_for(int terminal, const char *text, size_t since, pid_t pid)
{
	struct pollfd fd = { .fd = terminal, .events = POLLIN };
	siginfo_t info = { 0 };

	while (!memmem(output + since, size - since, text, strlen(text))) {
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

/* Keep the slave open, so that its settings can be checked afterwards. */
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
			fprintf(stderr, "not printed: %s\n", argv[i]);
			return NOT_PRINTED;
		}
		since = size;
		if (!strcmp(argv[i + 1], "\\hangup")) {
			close(slave);
			close(terminal);
			return ended(pid);
		}
		type(terminal, argv[i + 1]);
	}
	/*
	 * The slave is still open, so wait for the process instead of an end of
	 * file.
	 */
	while (!waitpid(pid, &status, WNOHANG)) {
		struct pollfd fd = { .fd = terminal, .events = POLLIN };

		if (poll(&fd, 1, 100) > 0)
			listen_once(terminal);
	}
	if (!same_settings(slave, &before)) {
		fputs("the terminal's settings have changed\n", stderr);
		return SETTINGS_CHANGED;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
