/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accesses of a processor to I/O ports and to addresses without memory, and the emulation
 * of the instructions that make them
 */
#ifndef BUS_H
#define BUS_H

#include <stdint.h>

#include "cpu.h"

#define HLT_LENGTH 1

/*
 * Return the length of the instruction that exited: from NRIP if the processor has saved
 * it, otherwise from memory; 0 if it cannot be read.
 */
unsigned int bus_instruction_length(struct cpu *cpu);

/*
 * Complete the instruction that exited, as svmrun_instruction_complete().
 * @length: its length without prefixes, if it cannot be read any more
 */
void bus_complete(struct cpu *cpu, unsigned int length);

/* Read the instruction. Return the number of bytes, or a negative errno. */
int bus_instruction_bytes(struct cpu *cpu, uint8_t *bytes);

/* Execute the instruction that exited, such as IN and OUT, or end the run. */
void bus_execute(struct cpu *cpu);

/* Accesses to CR0 and CR4; nested page faults */
void exit_control_register(struct cpu *cpu);
void exit_nested_fault(struct cpu *cpu);

#endif /* BUS_H */
