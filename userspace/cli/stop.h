/* SPDX-License-Identifier: GPL-2.0 */
/* What ends a run from outside: a time-out, or a signal from the user. */
#ifndef STOP_H
#define STOP_H

#include <svmrun.h>

/* From now on they end the run of @vcpu instead of the program. */
void stop_begin(struct svmrun_vcpu *vcpu);

/* @vcpu is about to go away. */
void stop_end(void);

/* Sets the time-out: 0, or a negative errno. */
int stop_after(double seconds);

/* The signal that asked for an end, SIGALRM for the time-out, or 0. */
int stop_reason(void);

#endif /* STOP_H */
