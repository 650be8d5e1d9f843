/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accesses of a processor to I/O ports and to addresses without memory, and the emulation
 * of the instructions that make them
 */
#ifndef BUS_H
#define BUS_H

#include <stdint.h>

#include "cpu.h"

/* Access @size bytes at a port of the PC. @cpu: a struct cpu */
uint32_t bus_port_read(void *cpu, uint16_t port, unsigned int size);
void bus_port_write(void *cpu, uint16_t port, unsigned int size,
		    uint32_t value);

/* Return the length of the instruction that exited; 0 if it cannot be read. */
unsigned int bus_instruction_length(struct cpu *cpu);

/* Read the instruction. Return the number of bytes, or a negative errno. */
int bus_instruction_bytes(struct cpu *cpu, uint8_t *bytes);

/* Execute the instruction that exited, or end the run. */
void bus_execute(struct cpu *cpu);

/* IN, OUT, INS and OUTS; accesses to CR0 and CR4; nested page faults */
void exit_ioio(struct cpu *cpu);
void exit_control_register(struct cpu *cpu);
void exit_nested_fault(struct cpu *cpu);

#endif /* BUS_H */
