/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to say of a VMCB that VMRUN refused, after the message. */
#ifndef INVALID_H
#define INVALID_H

#include <stdio.h>

#include "common/json.h"
#include "machine.h"

/* A line for each rule that is broken; nothing if there is none. */
void invalid_print(const struct outcome *outcome, FILE *file);

/* As a member of the object that is being written. */
void invalid_print_json(const struct outcome *outcome, struct json *json);

#endif /* INVALID_H */
