/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers, segments and operands of an instruction */
#ifndef EMULATOR_OPERAND_H
#define EMULATOR_OPERAND_H

#include "access.h"
#include "execution.h"

/**
 * struct gpr - a general-purpose register, or part of one
 * @number: enum svmrun_gpr
 * @shift: 8 for AH, CH, DH and BH, otherwise 0
 * @size: bytes
 */
struct gpr {
	unsigned int number;
	unsigned int shift;
	unsigned int size;
};

/* Return false if it is not a general-purpose register. */
bool gpr_lookup(ZydisRegister name, struct gpr *gpr);
uint64_t gpr_read(const struct execution *execution, struct gpr gpr);
void gpr_write(const struct execution *execution, struct gpr gpr,
	       uint64_t value);

/* Translate segment and offset to a linear address, for an access of @size bytes. */
int segment_linear(struct execution *execution, unsigned int segment,
		   uint64_t offset, unsigned int size, bool write,
		   uint64_t *linear);
const struct svm_seg *segment_register(const struct execution *execution,
				       unsigned int segment);

/* @i is the index of an explicit operand. Operands have up to 16 bytes. */
unsigned int operand_size(const struct execution *execution, unsigned int i);
bool operand_is_memory(const struct execution *execution, unsigned int i);
/* The effective address, before segmentation (APM volume 1, 2.2.2) */
uint64_t operand_address(const struct execution *execution, unsigned int i);
/* @offset is added to the address of the operand, in bytes. */
int operand_linear(struct execution *execution, unsigned int i, int64_t offset,
		   bool write, uint64_t *linear);
int operand_translate(struct execution *execution, unsigned int i, bool write,
		      struct memory_access *access);
int operand_read(struct execution *execution, unsigned int i, uint64_t *value);
int operand_write(struct execution *execution, unsigned int i, uint64_t value);

#endif /* EMULATOR_OPERAND_H */
