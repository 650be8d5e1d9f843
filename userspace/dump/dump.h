/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A saved machine as an ELF core, which gdb and crash(8) open: its memory, at virtual and
 * physical addresses, and the registers of its processors.
 */
#ifndef DUMP_H
#define DUMP_H

#include "vmm/saved.h"

/*
 * Write the core of a machine to a file. @cpus: number of its processors. Return 0, or the exit
 * status after a message.
 */
int dump_machine(struct saved *saved, unsigned int cpus, const char *name);

#endif /* DUMP_H */
