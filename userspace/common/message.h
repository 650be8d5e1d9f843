/* SPDX-License-Identifier: GPL-2.0 */
/* What the tool has to say when something is wrong: one line on stderr. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

/* The subcommand that messages are from. */
void message_begin(const char *command);

/* From now on messages are objects of JSON, as everything else on stderr. */
void message_use_json(bool json);

/* Says it, and gives the status back to return with. */
int message_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* MESSAGE_H */
