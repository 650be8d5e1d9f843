// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions with one explicit memory operand, by mnemonic. Everything that can fault
 * is done before anything is changed.
 */
#include "lib/array_size.h"
#include "access.h"
#include "arithmetic.h"
#include "memory.h"
#include "operand.h"
#include "vector.h"

/* @compute: NULL for moves; @only_flags: the result is discarded, only RFLAGS changes */
struct operation {
	ZydisMnemonic mnemonic;
	int (*execute)(struct execution *execution,
		       const struct operation *operation);
	arithmetic *compute;
	bool only_flags;
};

/* ---- moves ---------------------------------------------------------------- */

static int execute_mov(struct execution *execution,
		       const struct operation *operation)
{
	uint64_t value;
	int ret;

	(void)operation;
	ret = operand_read(execution, 1, &value);
	return ret ? ret : operand_write(execution, 0, value);
}

static int execute_movsx(struct execution *execution,
			 const struct operation *operation)
{
	unsigned int unused = 64 - 8 * operand_size(execution, 1);
	uint64_t value;
	int ret;

	(void)operation;
	ret = operand_read(execution, 1, &value);
	if (ret)
		return ret;
	value = (uint64_t)((int64_t)(value << unused) >> unused);
	return operand_write(execution, 0, value);
}

static int execute_movbe(struct execution *execution,
			 const struct operation *operation)
{
	unsigned int unused = 64 - 8 * operand_size(execution, 1);
	uint64_t value;
	int ret;

	(void)operation;
	ret = operand_read(execution, 1, &value);
	if (ret)
		return ret;
	return operand_write(execution, 0, __builtin_bswap64(value) >> unused);
}

/* ---- arithmetic ----------------------------------------------------------- */

/* Read, compute and write atomically with respect to other vCPUs. */
static void update_memory(struct execution *execution,
			  const struct operation *operation,
			  const struct memory_access *access, uint64_t source,
			  uint64_t *old)
{
	unsigned int size = operand_size(execution, 0);
	uint64_t rflags, value;

	do {
		rflags = execution->save->rflags;
		*old = access_read(execution->bus, access);
		value = operation->compute(*old, source, size, &rflags);
	} while (!operation->only_flags &&
		 !access_compare_exchange(execution->bus, access, *old, value));
	execution->save->rflags = rflags;
}

static int compute_in_register(struct execution *execution,
			       const struct operation *operation)
{
	unsigned int size = operand_size(execution, 0);
	uint64_t rflags = execution->save->rflags, a, b;
	int ret;

	ret = operand_read(execution, 1, &b);
	if (ret)
		return ret;
	operand_read(execution, 0, &a);
	a = operation->compute(a, b, size, &rflags);
	execution->save->rflags = rflags;
	return operation->only_flags ? 0 : operand_write(execution, 0, a);
}

static int execute_arithmetic(struct execution *execution,
			      const struct operation *operation)
{
	struct memory_access access;
	uint64_t source = 0, old;
	int ret;

	if (!operand_is_memory(execution, 0))
		return compute_in_register(execution, operation);
	ret = operand_translate(execution, 0, !operation->only_flags, &access);
	if (ret)
		return ret;
	if (execution->instruction.operand_count_visible > 1)
		operand_read(execution, 1, &source);
	update_memory(execution, operation, &access, source, &old);
	return 0;
}

/* A bit number in a register may select a bit before or after the operand. */
static int execute_bit_test(struct execution *execution,
			    const struct operation *operation)
{
	unsigned int size = operand_size(execution, 0), unused = 64 - 8 * size;
	uint64_t number, linear, old;
	int64_t offset = 0;
	struct memory_access access;
	int ret;

	operand_read(execution, 1, &number);
	if (execution->operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		offset = ((int64_t)(number << unused) >> unused) /* signed */
			 >> __builtin_ctz(8 * size);
	ret = operand_linear(execution, 0, offset * size,
			     !operation->only_flags, &linear);
	if (!ret)
		ret = access_translate(execution, linear, size,
				       !operation->only_flags, &access);
	if (!ret)
		update_memory(execution, operation, &access, number, &old);
	return ret;
}

static uint64_t second_operand(uint64_t a, uint64_t b, unsigned int size,
			       uint64_t *rflags)
{
	(void)a;
	(void)size;
	(void)rflags;
	return b;
}

/* XCHG and XADD. The memory operand of XCHG may be the first or the second one. */
static int execute_exchange(struct execution *execution,
			    const struct operation *operation)
{
	unsigned int memory = operand_is_memory(execution, 0) ? 0 : 1;
	struct memory_access access;
	uint64_t source, old;
	int ret;

	ret = operand_translate(execution, memory, true, &access);
	if (ret)
		return ret;
	operand_read(execution, !memory, &source);
	update_memory(execution, operation, &access, source, &old);
	return operand_write(execution, !memory, old);
}

/* If the comparison fails, the old value is written back (APM volume 3, CMPXCHG). */
static int execute_cmpxchg(struct execution *execution,
			   const struct operation *operation)
{
	struct gpr rax = { SVMRUN_RAX, 0, operand_size(execution, 0) };
	uint64_t expected = gpr_read(execution, rax), source, old, rflags;
	struct memory_access access;
	int ret;

	(void)operation;
	ret = operand_translate(execution, 0, true, &access);
	if (ret)
		return ret;
	operand_read(execution, 1, &source);
	do {
		rflags = execution->save->rflags;
		old = access_read(execution->bus, &access);
		arithmetic_sub(expected, old, rax.size, &rflags);
	} while (!access_compare_exchange(execution->bus, &access, old,
					  old == expected ? source : old));
	execution->save->rflags = rflags;
	if (old != expected)
		gpr_write(execution, rax, old);
	return 0;
}

/* ---- the instructions ----------------------------------------------------- */

static const struct operation operations[] = {
	{ ZYDIS_MNEMONIC_MOV, execute_mov, NULL, false },
	{ ZYDIS_MNEMONIC_MOVZX, execute_mov, NULL, false },
	{ ZYDIS_MNEMONIC_MOVNTI, execute_mov, NULL, false },
	{ ZYDIS_MNEMONIC_MOVSX, execute_movsx, NULL, false },
	{ ZYDIS_MNEMONIC_MOVSXD, execute_movsx, NULL, false },
	{ ZYDIS_MNEMONIC_MOVBE, execute_movbe, NULL, false },
	{ ZYDIS_MNEMONIC_AND, execute_arithmetic, arithmetic_and, false },
	{ ZYDIS_MNEMONIC_OR, execute_arithmetic, arithmetic_or, false },
	{ ZYDIS_MNEMONIC_XOR, execute_arithmetic, arithmetic_xor, false },
	{ ZYDIS_MNEMONIC_TEST, execute_arithmetic, arithmetic_and, true },
	{ ZYDIS_MNEMONIC_CMP, execute_arithmetic, arithmetic_sub, true },
	{ ZYDIS_MNEMONIC_ADD, execute_arithmetic, arithmetic_add, false },
	{ ZYDIS_MNEMONIC_SUB, execute_arithmetic, arithmetic_sub, false },
	{ ZYDIS_MNEMONIC_ADC, execute_arithmetic, arithmetic_adc, false },
	{ ZYDIS_MNEMONIC_SBB, execute_arithmetic, arithmetic_sbb, false },
	{ ZYDIS_MNEMONIC_INC, execute_arithmetic, arithmetic_inc, false },
	{ ZYDIS_MNEMONIC_DEC, execute_arithmetic, arithmetic_dec, false },
	{ ZYDIS_MNEMONIC_NOT, execute_arithmetic, arithmetic_not, false },
	{ ZYDIS_MNEMONIC_NEG, execute_arithmetic, arithmetic_neg, false },
	{ ZYDIS_MNEMONIC_BT, execute_bit_test, arithmetic_bt, true },
	{ ZYDIS_MNEMONIC_BTS, execute_bit_test, arithmetic_bts, false },
	{ ZYDIS_MNEMONIC_BTR, execute_bit_test, arithmetic_btr, false },
	{ ZYDIS_MNEMONIC_BTC, execute_bit_test, arithmetic_btc, false },
	{ ZYDIS_MNEMONIC_XCHG, execute_exchange, second_operand, false },
	{ ZYDIS_MNEMONIC_XADD, execute_exchange, arithmetic_add, false },
	{ ZYDIS_MNEMONIC_CMPXCHG, execute_cmpxchg, NULL, false },
};

static const struct {
	ZydisMnemonic mnemonic;
	bool aligned;
} vectors[] = {
	{ ZYDIS_MNEMONIC_MOVUPS, false },  { ZYDIS_MNEMONIC_MOVUPD, false },
	{ ZYDIS_MNEMONIC_MOVDQU, false },  { ZYDIS_MNEMONIC_LDDQU, false },
	{ ZYDIS_MNEMONIC_MOVAPS, true },   { ZYDIS_MNEMONIC_MOVAPD, true },
	{ ZYDIS_MNEMONIC_MOVDQA, true },   { ZYDIS_MNEMONIC_MOVNTPS, true },
	{ ZYDIS_MNEMONIC_MOVNTPD, true },  { ZYDIS_MNEMONIC_MOVNTDQ, true },
	{ ZYDIS_MNEMONIC_MOVNTDQA, true },
};

/* A segment register can only be the source: loading one would need its descriptor. */
static bool operand_is_known(const struct execution *execution, unsigned int i)
{
	const ZydisDecodedOperand *operand = &execution->operand[i];
	struct gpr gpr;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return true;
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return operand_is_memory(execution, i);
	return gpr_lookup(operand->reg.value, &gpr) ||
	       (i == 1 && operand->reg.value >= ZYDIS_REGISTER_ES &&
		operand->reg.value <= ZYDIS_REGISTER_GS);
}

static bool operands_are_known(const struct execution *execution)
{
	unsigned int i, count = execution->instruction.operand_count_visible;

	for (i = 0; i < count; i++)
		if (!operand_is_known(execution, i))
			return false;
	return operand_is_memory(execution, 0) ||
	       operand_is_memory(execution, 1);
}

int memory_execute(struct execution *execution)
{
	ZydisMnemonic mnemonic = execution->instruction.mnemonic;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].mnemonic == mnemonic)
			return operands_are_known(execution) ?
				       operations[i].execute(execution,
							     &operations[i]) :
				       -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		if (vectors[i].mnemonic == mnemonic)
			return vector_move(execution, vectors[i].aligned);
	return -EOPNOTSUPP;
}
