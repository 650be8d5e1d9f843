/* SPDX-License-Identifier: GPL-2.0 */
/* A processor's registers as gdb numbers them. */
#ifndef GDB_REGISTERS_H
#define GDB_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#include "gdb_packet.h"

/* The largest of them, in bytes */
#define GDB_REGISTER_MAX 16

unsigned int gdb_register_count(void);

/* Both give bytes, 0 if there is no such register. */
size_t gdb_register_size(unsigned int number);
size_t gdb_register_read(struct svmrun_vcpu *vcpu, unsigned int number,
			 uint8_t bytes[GDB_REGISTER_MAX]);

/* Gives false for one that cannot be written to. */
bool gdb_register_write(struct svmrun_vcpu *vcpu, unsigned int number,
			const uint8_t bytes[GDB_REGISTER_MAX]);

/* What gdb is told about them, in XML */
void gdb_registers_describe(struct gdb_writer *writer);

#endif /* GDB_REGISTERS_H */
