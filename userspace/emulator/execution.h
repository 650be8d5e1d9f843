/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An instruction that is being executed: its state, which the files of this folder share,
 * and how it ends.
 */
#ifndef EXECUTION_H
#define EXECUTION_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include <svmrun/instruction.h>

#include "lib/x86.h"

#define EXECUTION_OPERANDS 4 /* visible ones, that is */

/* Segment registers, as instructions and Zydis number them */
enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS };

/* What a step of an instruction returns, but for errors: */
#define EXECUTION_DONE 0
#define EXECUTION_RESUME                                                       \
	1 /* it is not at its end, but between two iterations */

/**
 * struct fault - an exception that the guest should get
 * @vector: which
 * @error_code: pushed, if @has_error_code
 * @has_error_code: it has one
 * @address: CR2, of #PF
 */
struct fault {
	uint8_t vector;
	bool has_error_code;
	uint32_t error_code;
	uint64_t address;
};

/**
 * struct execution - an instruction
 * @vcpu: the vCPU
 * @save: its state save area
 * @bus: what it reaches
 * @instruction: as decoded
 * @operand: its visible operands
 * @io: the exit, if it was VMEXIT_IOIO
 * @fault: what the guest should get, once a step has returned -EFAULT
 */
struct execution {
	struct svmrun_vcpu *vcpu;
	struct svm_vmcb_save *save;
	const struct svmrun_bus *bus;
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operand[EXECUTION_OPERANDS];
	struct svmrun_ioio io;
	struct fault fault;
};

/* Always -EFAULT, for a step to return */
static inline int fault_set(struct fault *fault, uint8_t vector)
{
	*fault = (struct fault){
		.vector = vector,
		.has_error_code = vector >= VECTOR_SS,
	};
	return -EFAULT;
}

static inline bool is_64_bit(const struct svm_vmcb_save *save)
{
	return (save->efer & SVM_EFER_LMA) && (save->cs.attrib & SVM_SEG_L);
}

static inline uint64_t size_mask(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

/* ---- execution.c: the end of an instruction ---------------------------------- */

/* Set RIP to @next, and what else the processor changes after an instruction. */
void complete_instruction(struct svm_vmcb *vmcb, uint64_t next);

/*
 * @ret: what executing it returned. Complete it, interrupt it or inject its fault, and
 * return the result for the caller of the library.
 */
int execution_finish(struct execution *execution, int ret);

#endif /* EXECUTION_H */
