/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands for the monitor of the QEMU that runs the nested VM, such as "nmi",
 * "mce", "device_add" and "info registers". The monitor is there if the VM was
 * started with tests/vm/run --monitor; tests skip otherwise.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MONITOR_PROMPT "(qemu) "
#define MONITOR_ANSWER_SIZE 65536
#define MONITOR_TIMEOUT_MS 20000

/**
 * struct monitor - a connection to the monitor
 * @fd: the terminal, or a negative number
 * @length: length of @answer
 * @answer: answer to the last command, or the end of a long one; lines end with
 *	"\n"
 */
struct monitor {
	int fd;
	size_t length;
	char answer[MONITOR_ANSWER_SIZE];
};

static inline int monitor_write(struct monitor *monitor, const char *text)
{
	ssize_t length = strlen(text);

	return write(monitor->fd, text, length) == length ? 0 : -EIO;
}

/* Append one byte of input to the answer; skip carriage returns. */
static inline int monitor_read(struct monitor *monitor)
{
	struct pollfd pollfd = { .fd = monitor->fd, .events = POLLIN };
	char byte;

	if (poll(&pollfd, 1, MONITOR_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	if (read(monitor->fd, &byte, 1) != 1)
		return -EIO;
	if (byte == '\r')
		return 0;
	if (monitor->length + 1 == sizeof(monitor->answer)) {
		monitor->length /= 2;
		memmove(monitor->answer, monitor->answer + monitor->length + 1,
			monitor->length);
	}
	monitor->answer[monitor->length++] = byte;
	monitor->answer[monitor->length] = '\0';
	return 0;
}

/* Read until the answer ends with @end. */
static inline int monitor_read_until(struct monitor *monitor, const char *end)
{
	size_t length = strlen(end);
	int err = 0;

	monitor->length = 0;
	monitor->answer[0] = '\0';
	while (!err &&
	       (monitor->length < length ||
		strcmp(monitor->answer + monitor->length - length, end)))
		err = monitor_read(monitor);
	return err;
}

/**
 * monitor_command() - execute a command in the monitor
 * @monitor: the connection
 * @command: one line, without "\n"
 *
 * The command has been executed when the function returns. @monitor->answer contains
 * its output, including an error message.
 *
 * Return: 0, or -EIO, -ETIMEDOUT
 */
static inline int monitor_command(struct monitor *monitor, const char *command)
{
	int err = monitor_write(monitor, command);

	if (!err)
		err = monitor_write(monitor, "\n");
	/* QEMU echoes the command, ends the line, and answers. */
	if (!err)
		err = monitor_read_until(monitor, "\n");
	if (!err)
		err = monitor_read_until(monitor, MONITOR_PROMPT);
	if (!err) {
		monitor->length -= strlen(MONITOR_PROMPT);
		monitor->answer[monitor->length] = '\0';
	}
	return err;
}

/**
 * monitor_open() - connect to the monitor
 * @monitor: the connection; call monitor_close() whatever the result
 *
 * Return: 0; -ENODEV if there is no monitor; another negative errno
 */
static inline int monitor_open(struct monitor *monitor)
{
	const char *path = getenv("SVMRUN_MONITOR");
	char command[32], end[64];
	struct termios termios;
	int err;

	monitor->fd = path ? open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (monitor->fd < 0)
		return -ENODEV;
	if (tcgetattr(monitor->fd, &termios))
		return -errno;
	cfmakeraw(&termios);
	if (tcsetattr(monitor->fd, TCSANOW, &termios))
		return -errno;
	/*
	 * Skip the greeting, and answers to what the terminal echoed until now.
	 * Synchronize by the answer to a command that is unique to this process.
	 */
	snprintf(command, sizeof(command), "\nsync%d\n", getpid());
	snprintf(end, sizeof(end), "unknown command: 'sync%d'\n" MONITOR_PROMPT,
		 getpid());
	err = monitor_write(monitor, command);
	if (!err)
		err = monitor_read_until(monitor, end);
	return err;
}

static inline void monitor_close(struct monitor *monitor)
{
	if (monitor->fd >= 0)
		close(monitor->fd);
}

#endif /* MONITOR_H */
