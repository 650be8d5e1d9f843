// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions with one explicit memory operand, by their mnemonics. All that can
 * fault comes before all that changes something.
 */
#include "execution.h"

/* @compute: of those that compute; @keeps: the destination, and only sets flags */
struct operation {
	ZydisMnemonic mnemonic;
	int (*execute)(struct execution *execution,
		       const struct operation *operation);
	arithmetic *compute;
	bool keeps;
};

/* ---- moves ---------------------------------------------------------------- */

static int move(struct execution *execution, const struct operation *operation)
{
	uint64_t value;
	int ret;

	(void)operation;
	ret = operand_read(execution, 1, &value);
	return ret ? ret : operand_write(execution, 0, value);
}

static int move_signed(struct execution *execution,
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

static int move_swapped(struct execution *execution,
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

/* Reads, computes and writes as one, as far as other vCPUs can see */
static void update(struct execution *execution,
		   const struct operation *operation, const struct place *place,
		   uint64_t source, uint64_t *old)
{
	unsigned int size = operand_size(execution, 0);
	uint64_t rflags, value;

	do {
		rflags = execution->save->rflags;
		*old = place_read(execution->bus, place);
		value = operation->compute(*old, source, size, &rflags);
	} while (!operation->keeps &&
		 !place_exchange(execution->bus, place, *old, value));
	execution->save->rflags = rflags;
}

static int compute_register(struct execution *execution,
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
	return operation->keeps ? 0 : operand_write(execution, 0, a);
}

static int compute(struct execution *execution,
		   const struct operation *operation)
{
	struct place place;
	uint64_t source = 0, old;
	int ret;

	if (!operand_is_memory(execution, 0))
		return compute_register(execution, operation);
	ret = operand_find(execution, 0, !operation->keeps, &place);
	if (ret)
		return ret;
	if (execution->instruction.operand_count_visible > 1)
		operand_read(execution, 1, &source);
	update(execution, operation, &place, source, &old);
	return 0;
}

/* A register says which bit of a string of them, before the operand or behind. */
static int bit(struct execution *execution, const struct operation *operation)
{
	unsigned int size = operand_size(execution, 0), unused = 64 - 8 * size;
	uint64_t number, linear, old;
	int64_t offset = 0;
	struct place place;
	int ret;

	operand_read(execution, 1, &number);
	if (execution->operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		offset = ((int64_t)(number << unused) >> unused) /* signed */
			 >> __builtin_ctz(8 * size);
	ret = operand_linear(execution, 0, offset * size, !operation->keeps,
			     &linear);
	if (!ret)
		ret = place_find(execution, linear, size, !operation->keeps,
				 &place);
	if (!ret)
		update(execution, operation, &place, number, &old);
	return ret;
}

static uint64_t replace(uint64_t a, uint64_t b, unsigned int size,
			uint64_t *rflags)
{
	(void)a;
	(void)size;
	(void)rflags;
	return b;
}

/* XCHG and XADD; the operands of XCHG may be named either way round. */
static int exchange(struct execution *execution,
		    const struct operation *operation)
{
	unsigned int memory = operand_is_memory(execution, 0) ? 0 : 1;
	struct place place;
	uint64_t source, old;
	int ret;

	ret = operand_find(execution, memory, true, &place);
	if (ret)
		return ret;
	operand_read(execution, !memory, &source);
	update(execution, operation, &place, source, &old);
	return operand_write(execution, !memory, old);
}

/* What is not as expected is written back as it was (APM volume 3, CMPXCHG). */
static int compare_exchange(struct execution *execution,
			    const struct operation *operation)
{
	struct gpr rax = { SVMRUN_RAX, 0, operand_size(execution, 0) };
	uint64_t expected = gpr_read(execution, rax), source, old, rflags;
	struct place place;
	int ret;

	(void)operation;
	ret = operand_find(execution, 0, true, &place);
	if (ret)
		return ret;
	operand_read(execution, 1, &source);
	do {
		rflags = execution->save->rflags;
		old = place_read(execution->bus, &place);
		arithmetic_sub(expected, old, rax.size, &rflags);
	} while (!place_exchange(execution->bus, &place, old,
				 old == expected ? source : old));
	execution->save->rflags = rflags;
	if (old != expected)
		gpr_write(execution, rax, old);
	return 0;
}

/* ---- which of them -------------------------------------------------------- */

static const struct operation operations[] = {
	{ ZYDIS_MNEMONIC_MOV, move, NULL, false },
	{ ZYDIS_MNEMONIC_MOVZX, move, NULL, false },
	{ ZYDIS_MNEMONIC_MOVNTI, move, NULL, false },
	{ ZYDIS_MNEMONIC_MOVSX, move_signed, NULL, false },
	{ ZYDIS_MNEMONIC_MOVSXD, move_signed, NULL, false },
	{ ZYDIS_MNEMONIC_MOVBE, move_swapped, NULL, false },
	{ ZYDIS_MNEMONIC_AND, compute, arithmetic_and, false },
	{ ZYDIS_MNEMONIC_OR, compute, arithmetic_or, false },
	{ ZYDIS_MNEMONIC_XOR, compute, arithmetic_xor, false },
	{ ZYDIS_MNEMONIC_TEST, compute, arithmetic_and, true },
	{ ZYDIS_MNEMONIC_CMP, compute, arithmetic_sub, true },
	{ ZYDIS_MNEMONIC_ADD, compute, arithmetic_add, false },
	{ ZYDIS_MNEMONIC_SUB, compute, arithmetic_sub, false },
	{ ZYDIS_MNEMONIC_ADC, compute, arithmetic_adc, false },
	{ ZYDIS_MNEMONIC_SBB, compute, arithmetic_sbb, false },
	{ ZYDIS_MNEMONIC_INC, compute, arithmetic_inc, false },
	{ ZYDIS_MNEMONIC_DEC, compute, arithmetic_dec, false },
	{ ZYDIS_MNEMONIC_NOT, compute, arithmetic_not, false },
	{ ZYDIS_MNEMONIC_NEG, compute, arithmetic_neg, false },
	{ ZYDIS_MNEMONIC_BT, bit, arithmetic_bt, true },
	{ ZYDIS_MNEMONIC_BTS, bit, arithmetic_bts, false },
	{ ZYDIS_MNEMONIC_BTR, bit, arithmetic_btr, false },
	{ ZYDIS_MNEMONIC_BTC, bit, arithmetic_btc, false },
	{ ZYDIS_MNEMONIC_XCHG, exchange, replace, false },
	{ ZYDIS_MNEMONIC_XADD, exchange, arithmetic_add, false },
	{ ZYDIS_MNEMONIC_CMPXCHG, compare_exchange, NULL, false },
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

/* A segment register can be stored; loading one needs its descriptor. */
static bool operand_is_known(const struct execution *execution, unsigned int i)
{
	const ZydisDecodedOperand *operand = &execution->operand[i];
	struct gpr gpr;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return true;
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return operand_is_memory(execution, i);
	return gpr_find(operand->reg.value, &gpr) ||
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
