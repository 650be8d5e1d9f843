/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fetch and decode */
#ifndef EMULATOR_FETCH_H
#define EMULATOR_FETCH_H

#include "execution.h"

/*
 * Fetch and decode the instruction at CS:RIP. @access is 0 or SVMRUN_ACCESS_PROBE. Return 0
 * or a negative errno.
 */
int fetch_instruction(struct execution *execution, uint32_t access);

#endif /* EMULATOR_FETCH_H */
