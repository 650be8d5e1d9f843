/* SPDX-License-Identifier: GPL-2.0 */
/* Dispatch of the guest's exits by a table: exit code to handler */
#ifndef EXITS_H
#define EXITS_H

#include "cpu.h"

/**
 * struct exit_handler - an entry of the table
 * @code: exit code
 * @count: how many codes from @code on
 * @handle: handles the exit in the VMCB
 */
struct exit_handler {
	uint64_t code;
	uint64_t count;
	void (*handle)(struct cpu *cpu);
};

/* Handle the exit in the VMCB; one that has no handler ends the run. */
void exit_handle(struct cpu *cpu);

#endif /* EXITS_H */
