/* SPDX-License-Identifier: GPL-2.0 */
/* VMEXIT_INVALID: explain which rules the VMCB breaks. */
#ifndef INVALID_H
#define INVALID_H

#include <stdint.h>
#include <stdio.h>

#include <svmrun/nested.h>

#include "common/json.h"
#include "cpu.h"
#include "backend/outcome.h"

/* Find the broken rules, and end the run. */
void exit_invalid(struct cpu *cpu);

/* Print a line for each broken rule. */
void invalid_print(const struct outcome *outcome, FILE *file);

/* Write them as members of the JSON object that is open. */
void invalid_print_json(const struct outcome *outcome, struct json *json);

/* --explain: a VMRUN of the guest has been refused. */
void invalid_print_refusal(const struct svmrun_nested_refusal *refusal,
			   bool json);

/* --explain: a VMCB of the guest is legal, but has fields that are probably mistakes. */
void invalid_print_suspicion(const struct svmrun_nested_refusal *suspicion,
			     bool json);

/* --explain: the guest's guest shuts down because its exit is not supported. */
void invalid_print_shutdown(uint64_t exitcode, uint64_t rip, const char *why,
			    bool json);

/* --explain: there have been @count reports, and there will be no others. */
void invalid_print_last(unsigned int count, bool json);

#endif /* INVALID_H */
