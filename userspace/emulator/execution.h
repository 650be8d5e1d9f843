/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * State of an instruction that is being executed, and its end: completion, interruption,
 * or a fault.
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

#define EXECUTION_OPERANDS 4 /* maximum number of explicit operands */

/* Vectors with an error code: one bit per vector (APM 8.2) */
#define WITH_ERROR_CODE 0x00227d00u

/* Segment registers, as instructions encode them and Zydis numbers them */
enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS };

/* Results of the functions that execute an instruction; otherwise a negative errno */
#define EXECUTION_DONE 0
#define EXECUTION_RESUME 1 /* interrupted between two iterations of a REP */

/**
 * struct fault - an exception that the guest should get
 * @vector: its vector
 * @has_error_code: it has an error code
 * @error_code: the error code
 * @address: CR2 for #PF
 */
struct fault {
	uint8_t vector;
	bool has_error_code;
	uint32_t error_code;
	uint64_t address;
};

/**
 * struct execution - an instruction that is being executed
 * @vcpu: the vCPU
 * @save: state save area of its VMCB
 * @bus: memory and devices that it accesses
 * @instruction: the decoded instruction
 * @operand: its explicit operands
 * @io: the decoded exit if it was VMEXIT_IOIO
 * @fault: the exception, after a function has returned -EFAULT
 * @hits: breakpoints that accesses have hit: bits of DR6
 */
struct execution {
	struct svmrun_vcpu *vcpu;
	struct svm_vmcb_save *save;
	const struct svmrun_bus *bus;
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operand[EXECUTION_OPERANDS];
	struct svmrun_ioio io;
	struct fault fault;
	uint64_t hits;
};

/* Set an exception, and return -EFAULT for the caller to return. */
static inline int fault_set(struct fault *fault, uint8_t vector)
{
	*fault = (struct fault){
		.vector = vector,
		.has_error_code = WITH_ERROR_CODE >> vector & 1,
	};
	return -EFAULT;
}

static inline uint64_t size_mask(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

/* ---- execution.c: the end of an instruction ---------------------------------- */

/*
 * Set RIP to @next, end the interrupt shadow, and trap if RFLAGS.TF is set or the
 * instruction has hit breakpoints, which are bits of DR6.
 */
void complete_instruction(struct svm_vmcb *vmcb, uint64_t next, uint64_t hits);

/*
 * @ret: what executing it returned. Complete it, interrupt it or inject its fault, and
 * return the result for the caller of the library.
 */
int execution_finish(struct execution *execution, int ret);

#endif /* EXECUTION_H */
