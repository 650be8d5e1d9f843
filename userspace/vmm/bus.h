/* SPDX-License-Identifier: GPL-2.0 */
/* What a processor reaches: ports, and addresses where no memory is. */
#ifndef BUS_H
#define BUS_H

#include <stdint.h>

#include "cpu.h"

uint32_t bus_port_read(void *cpu, uint16_t port, unsigned int size);
void bus_port_write(void *cpu, uint16_t port, unsigned int size,
		    uint32_t value);

/* Of the instruction that the guest left at; 0 if it cannot be read any more */
unsigned int bus_instruction_length(struct cpu *cpu);

/* What lies there: how many bytes, or a negative errno */
int bus_instruction_bytes(struct cpu *cpu, uint8_t *bytes);

/* Carries out the instruction that the guest left at, or ends the run. */
void bus_execute(struct cpu *cpu);

#endif /* BUS_H */
