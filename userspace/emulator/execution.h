/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One instruction on its way, between the files that execute it. */
#ifndef EXECUTION_H
#define EXECUTION_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include <svmrun/instruction.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define EXECUTION_OPERANDS 4 /* visible ones, that is */

#define RFLAGS_CF (1ull << 0)
#define RFLAGS_PF (1ull << 2)
#define RFLAGS_AF (1ull << 4)
#define RFLAGS_ZF (1ull << 6)
#define RFLAGS_SF (1ull << 7)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_OF (1ull << 11)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_VM (1ull << 17)
#define RFLAGS_AC (1ull << 18)

/* Vectors (APM 8.2) */
#define VECTOR_DB 1
#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_AC 17

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

static inline uint64_t mask_of(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

/* ---- instruction.c -------------------------------------------------------- */

/* @ret: of what executed it; gives what the program is told */
int execution_finish(struct execution *execution, int ret);

/* ---- fetch.c -------------------------------------------------------------- */

/* The instruction at CS:RIP, and its visible operands */
int fetch_instruction(struct execution *execution);

/* ---- place.c -------------------------------------------------------------- */

/**
 * struct piece - a part of a memory operand that lies in one page
 * @gpa: where
 * @size: bytes, 0 if there is none
 * @host: the memory, NULL if there is none
 * @rom: that the guest cannot write to
 */
struct piece {
	uint64_t gpa;
	unsigned int size;
	void *host;
	bool rom;
};

/**
 * struct place - a memory operand that may be accessed
 * @piece: one, or two if a page's end lies between
 */
struct place {
	struct piece piece[2];
};

/* @size: up to 16; a fault is one now, and none later */
int place_find(struct execution *execution, uint64_t linear, unsigned int size,
	       bool write, struct place *place);
void place_load(const struct svmrun_bus *bus, const struct place *place,
		void *bytes);
void place_store(const struct svmrun_bus *bus, const struct place *place,
		 const void *bytes);

static inline uint64_t place_read(const struct svmrun_bus *bus,
				  const struct place *place)
{
	uint64_t value = 0;

	place_load(bus, place, &value);
	return value;
}

/* False: another vCPU was faster, and @old is no more what was there. */
bool place_exchange(const struct svmrun_bus *bus, const struct place *place,
		    uint64_t old, uint64_t value);

/* ---- operand.c ------------------------------------------------------------ */

/**
 * struct gpr - a general-purpose register, or part of it
 * @number: enum svmrun_gpr
 * @shift: 8 for AH to BH
 * @size: bytes
 */
struct gpr {
	unsigned int number;
	unsigned int shift;
	unsigned int size;
};

bool gpr_find(ZydisRegister name, struct gpr *gpr);
uint64_t gpr_read(const struct execution *execution, struct gpr gpr);
void gpr_write(const struct execution *execution, struct gpr gpr,
	       uint64_t value);

/* Segment, offset to linear address; @size bytes of it are accessed */
int segment_linear(struct execution *execution, unsigned int segment,
		   uint64_t offset, unsigned int size, bool write,
		   uint64_t *linear);
const struct svm_seg *segment_at(const struct execution *execution,
				 unsigned int segment);

/* @i: which operand. Neither is more than 16 bytes. */
unsigned int operand_size(const struct execution *execution, unsigned int i);
bool operand_is_memory(const struct execution *execution, unsigned int i);
/* @offset: bytes from where it points to */
int operand_linear(struct execution *execution, unsigned int i, int64_t offset,
		   bool write, uint64_t *linear);
int operand_find(struct execution *execution, unsigned int i, bool write,
		 struct place *place);
int operand_read(struct execution *execution, unsigned int i, uint64_t *value);
int operand_write(struct execution *execution, unsigned int i, uint64_t value);

/* ---- arithmetic.c: two values to a third, and RFLAGS ---------------------- */

typedef uint64_t arithmetic(uint64_t a, uint64_t b, unsigned int size,
			    uint64_t *rflags);
arithmetic arithmetic_add, arithmetic_adc, arithmetic_sub, arithmetic_sbb,
	arithmetic_and, arithmetic_or, arithmetic_xor, arithmetic_inc,
	arithmetic_dec, arithmetic_not, arithmetic_neg, arithmetic_bt,
	arithmetic_bts, arithmetic_btr, arithmetic_btc;

/* ---- what executes: 0, EXECUTION_RESUME or a negative errno --------------- */

/* memory.c: everything with a memory operand */
int memory_execute(struct execution *execution);

/* string.c: MOVS, CMPS, STOS, LODS, SCAS, INS and OUTS */
bool string_is(const struct execution *execution);
int string_execute(struct execution *execution);

/* vector.c */
int vector_move(struct execution *execution, bool aligned);

#endif /* EXECUTION_H */
