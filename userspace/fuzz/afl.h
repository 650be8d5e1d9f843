/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AFL++'s fork server: afl-fuzz starts this process once, and requests one run after the
 * other by a pipe. Here no process is created for a run.
 *
 * Descriptor 198 is for requests, 199 for answers; all of them are 32-bit words:
 *
 *	1. The greeting, of which there are two (AFL++ before and since version 4.20).
 *	2. A request: not 0 if the run before has been killed. It is answered with the ID of
 *	   a process, and, when the run has ended, with a status as that of wait().
 */
#ifndef AFL_H
#define AFL_H

#include <stdbool.h>

#include "helper.h"
#include "target.h"

/* Return whether a program of AFL++ has started this process as a fork server. */
bool afl_is_parent(void);

/* Return whether one of them has started it for a single run, and waits for its end. */
bool afl_runs_once(void);

/*
 * Greet, prepare the target when the first run is requested, and run what is requested,
 * until the parent closes the pipe. @file: where inputs are if they are not in shared
 * memory, NULL for standard input. Return 0, or the exit status after a message.
 */
int afl_serve(struct target *target, const char *file);

#endif /* AFL_H */
