/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves between memory and XMM registers */
#ifndef EMULATOR_VECTOR_H
#define EMULATOR_VECTOR_H

#include "execution.h"

/* @aligned: the memory operand must be. Return 0 or a negative errno. */
int vector_move(struct execution *execution, bool aligned);

#endif /* EMULATOR_VECTOR_H */
