// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/status.h"
#include "outcome.h"

void outcome_end(struct outcome *outcome, uint64_t rip, int status,
		 const char *kind, const char *format, ...)
{
	va_list arguments;

	if (outcome->ended)
		return;
	outcome->ended = true;
	outcome->rip = rip;
	outcome->status = status;
	outcome->kind = kind;
	va_start(arguments, format);
	vsnprintf(outcome->message, sizeof(outcome->message), format,
		  arguments);
	va_end(arguments);
	if (outcome->notify)
		outcome->notify(outcome->owner);
}

void outcome_confine(struct outcome *outcome, enum sandbox_thread thread)
{
	int ret = sandbox_enter_thread(thread);

	if (ret)
		outcome_end(outcome, 0, STATUS_ENVIRONMENT, "environment",
			    "sandbox: cannot confine a thread: %s; to run without the sandbox, use --sandbox=off",
			    strerror(-ret));
}
