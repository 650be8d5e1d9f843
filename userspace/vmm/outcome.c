// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

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
