/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From CS:RIP to a decoded instruction */
#ifndef EMULATOR_FETCH_H
#define EMULATOR_FETCH_H

#include "execution.h"

/* The instruction at CS:RIP, and its visible operands */
int fetch_instruction(struct execution *execution);

#endif /* EMULATOR_FETCH_H */
