/* SPDX-License-Identifier: GPL-2.0 */
/* A processor's registers, with gdb's numbers */
#ifndef GDB_REGISTERS_H
#define GDB_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#include "gdb_packet.h"

/* Bytes of the largest one */
#define GDB_REGISTER_MAX 16

unsigned int gdb_register_count(void);

/* Both return the register's size in bytes, 0 if it does not exist. */
size_t gdb_register_size(unsigned int number);
size_t gdb_register_read(struct svmrun_vcpu *vcpu, unsigned int number,
			 uint8_t bytes[GDB_REGISTER_MAX]);

/* Return false if the register cannot be written. */
bool gdb_register_write(struct svmrun_vcpu *vcpu, unsigned int number,
			const uint8_t bytes[GDB_REGISTER_MAX]);

/* Write the target description, in XML. */
void gdb_registers_describe(struct gdb_writer *writer);

#endif /* GDB_REGISTERS_H */
