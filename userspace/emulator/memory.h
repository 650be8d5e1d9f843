/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instructions with an explicit memory operand */
#ifndef EMULATOR_MEMORY_H
#define EMULATOR_MEMORY_H

#include "execution.h"

/* Return 0, EXECUTION_RESUME or a negative errno. */
int memory_execute(struct execution *execution);

#endif /* EMULATOR_MEMORY_H */
