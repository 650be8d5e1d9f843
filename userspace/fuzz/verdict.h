/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict on an input, from the outcome of the run */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdint.h>

#include "backend/outcome.h"

/*
 * Kinds of outcomes that svmrun run does not have: calls of the guest, with the status of a
 * process; and an exit that counts as a crash, with a signal as the status.
 */
#define VERDICT_DONE "done"
#define VERDICT_CRASH "crash"
#define VERDICT_EXIT "exit"
#define VERDICT_TIMEOUT "timeout"
#define VERDICT_KILLED "killed" /* the fuzzer has killed the helper process */

enum verdict_kind {
	INPUT_DONE,
	INPUT_CRASHED,
	INPUT_TIMED_OUT,
	INPUT_FAILED, /* not the guest's fault: the environment */
};

/**
 * struct verdict - the verdict on an input
 * @kind: its kind
 * @number: exit status if INPUT_DONE, otherwise the signal of a process with this end
 */
struct verdict {
	enum verdict_kind kind;
	int number;
};

struct verdict verdict_find(const struct outcome *outcome);

/* Return it as wait() would for a process. */
int verdict_wait_status(const struct verdict *verdict);

/* Return the signal of a process that had an exception (APM 8.2). */
int verdict_signal(unsigned int vector);

#endif /* VERDICT_H */
