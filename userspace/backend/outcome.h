/* SPDX-License-Identifier: GPL-2.0 */
/* The outcome of a run: how it ended, and the message for the user. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>

#include "sandbox/sandbox.h"

/* Number of broken rules to keep; a guest rarely breaks as many */
#define OUTCOME_RULES 16

/**
 * struct outcome - how a run ended
 * @ended: the run has ended
 * @status: exit status of the tool; 128 plus the number for a signal
 * @kind: one word, for JSON
 * @message: message to print, empty for success
 * @rip: RIP of the processor that ended the run
 * @reset_port: port by which the guest requested a reset, or 0
 * @error: errno of a RUN that failed, or 0
 * @broken: after VMEXIT_INVALID, number of broken rules
 * @rules: the first of these
 * @notify: called once, when the run ends; NULL for none
 * @owner: argument of @notify
 */
struct outcome {
	bool ended;
	int status;
	const char *kind;
	char message[256];
	uint64_t rip;
	uint16_t reset_port;
	int error;
	unsigned int broken;
	struct svmrun_broken_rule rules[OUTCOME_RULES];
	void (*notify)(void *owner);
	void *owner;
};

/* End the run, unless it has already ended. @rip: RIP of the processor, or 0. */
void outcome_end(struct outcome *outcome, uint64_t rip, int status,
		 const char *kind, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Confine this thread, with the machine's lock held, or end the run. */
void outcome_confine(struct outcome *outcome, enum sandbox_thread thread);

#endif /* OUTCOME_H */
