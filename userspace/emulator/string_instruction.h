/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MOVS, CMPS, STOS, LODS, SCAS, INS and OUTS */
#ifndef EMULATOR_STRING_INSTRUCTION_H
#define EMULATOR_STRING_INSTRUCTION_H

#include "execution.h"

bool is_string_instruction(const struct execution *execution);

/* Return 0, EXECUTION_RESUME or a negative errno. */
int string_execute(struct execution *execution);

/* Return enum segment of the source, which a prefix may replace. */
unsigned int string_source_segment(const struct execution *execution);

#endif /* EMULATOR_STRING_INSTRUCTION_H */
