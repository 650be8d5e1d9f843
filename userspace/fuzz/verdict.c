// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/status.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "verdict.h"

/* Kinds that are missing here are the environment's. */
static const struct {
	const char *kind;
	enum verdict_kind verdict;
	int signal; /* 0: the number is the status of the outcome */
} table[] = {
	{ VERDICT_DONE, INPUT_DONE, 0 },
	{ "halt", INPUT_DONE, 0 },
	{ "off", INPUT_DONE, 0 },
	{ "reset", INPUT_DONE, 0 },
	{ "port", INPUT_DONE, 0 },
	{ VERDICT_CRASH, INPUT_CRASHED, SIGABRT },
	{ VERDICT_EXIT, INPUT_CRASHED, 0 },
	{ "shutdown", INPUT_CRASHED, SIGSEGV },
	{ "unhandled", INPUT_CRASHED, SIGBUS },
	{ "invalid", INPUT_CRASHED, SIGILL },
	{ VERDICT_TIMEOUT, INPUT_TIMED_OUT, SIGKILL },
	{ VERDICT_KILLED, INPUT_TIMED_OUT, SIGKILL },
};

/* A host without memory for the guest is what the OOM killer is for a process. */
struct verdict verdict_find(const struct outcome *outcome)
{
	size_t i;

	if (outcome->error == ENOMEM)
		return (struct verdict){ .kind = INPUT_CRASHED,
					 .number = SIGKILL };
	if (outcome->error)
		return (struct verdict){ .kind = INPUT_FAILED,
					 .number = STATUS_ENVIRONMENT };
	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].kind, outcome->kind))
			return (struct verdict){
				.kind = table[i].verdict,
				.number = table[i].signal ? table[i].signal :
							    outcome->status,
			};
	return (struct verdict){ .kind = INPUT_FAILED,
				 .number = outcome->status };
}

/* WIFEXITED() with the status in bits 15:8, or WIFSIGNALED() with the signal */
int verdict_wait_status(const struct verdict *verdict)
{
	return verdict->kind == INPUT_DONE ? (verdict->number & 0xff) << 8 :
					     verdict->number;
}

int verdict_signal(unsigned int vector)
{
	switch (vector) {
	case 0: /* #DE */
	case 16: /* #MF */
	case 19: /* #XF */
		return SIGFPE;
	case VECTOR_DB:
	case VECTOR_BP:
		return SIGTRAP;
	case VECTOR_UD:
		return SIGILL;
	case 17: /* #AC */
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}
