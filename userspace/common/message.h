/* SPDX-License-Identifier: GPL-2.0 */
/* Error messages: one line each on standard error */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

/* Set the subcommand that messages begin with. */
void message_set_command(const char *command);

/* Print messages as JSON objects from now on. */
void message_use_json(bool json);

/* Print a message, and return @status. */
int message_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same; JSON has the member "reason" with a word in addition. */
int message_fail_reason(int status, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Print a message that does not affect the exit status. */
void message_warn(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Print a message without stdio, in a signal handler. @text must be one of the tool's own,
 * without characters that JSON escapes.
 */
void message_write(int status, const char *text);

#endif /* MESSAGE_H */
