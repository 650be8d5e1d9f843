/* SPDX-License-Identifier: GPL-2.0 */
/* The input in the guest's memory: in the buffer of the guest's call, and at --input */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "target.h"

/* Check that --input is in RAM. Return 0, or the exit status after a message. */
int input_check(const struct target *target);

/* Clear the memory of --input before the snapshot, so that each reset clears it. */
void input_clear(const struct target *target);

/* Write the input and its length to the clone, which has been reset. */
void input_give(struct target *target);

#endif /* FUZZ_INPUT_H */
