/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --start: the guest runs until it is about to execute an instruction. The breakpoint is in a
 * debug register, because the code need not be in memory, nor be mapped, when the guest
 * starts. The debugger's code keeps the guest's own debug registers apart from it.
 */
#ifndef FUZZ_START_H
#define FUZZ_START_H

#include "target.h"

/*
 * Run the guest until it reaches the instruction, or ends. Return 0 or a negative errno. The
 * caller holds the machine's lock.
 */
int start_reach(struct target *target);

#endif /* FUZZ_START_H */
