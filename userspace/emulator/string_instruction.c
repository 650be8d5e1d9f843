// SPDX-License-Identifier: LGPL-2.1-or-later
/* String instructions (APM volume 1, 3.3.7 and 3.3.13), with or without REP */
#include "lib/array_size.h"
#include "access.h"
#include "arithmetic.h"
#include "breakpoint.h"
#include "operand.h"
#include "string_instruction.h"

#define PREFIX_REPNE 0xf2
#define PREFIX_REP 0xf3

/* Maximum iterations before the guest can get an interrupt and others the lock */
#define ITERATIONS 4096

/*
 * @size: bytes of an element; @width: bytes of an address; @segment: segment of the
 * source; @repeat: the REP prefix, 0 if there is none
 */
struct string {
	unsigned int size;
	unsigned int width;
	unsigned int segment;
	uint8_t repeat;
};

/* ---- one iteration -------------------------------------------------------- */

static struct gpr address_register(const struct string *string,
				   enum svmrun_gpr number)
{
	return (struct gpr){ number, 0, string->width };
}

static int translate_element(struct execution *execution,
			     const struct string *string,
			     enum svmrun_gpr number, bool write,
			     struct memory_access *access)
{
	unsigned int segment = number == SVMRUN_RDI ? SEGMENT_ES :
						      string->segment;
	uint64_t linear;
	int ret;

	ret = segment_linear(execution, segment,
			     gpr_read(execution,
				      address_register(string, number)),
			     string->size, write, &linear);
	if (ret)
		return ret;
	return access_translate(execution, linear, string->size, write, access);
}

static void advance_index(struct execution *execution,
			  const struct string *string, enum svmrun_gpr number)
{
	struct gpr gpr = address_register(string, number);
	uint64_t step = string->size;

	if (execution->save->rflags & RFLAGS_DF)
		step = -step;
	gpr_write(execution, gpr, gpr_read(execution, gpr) + step);
}

static struct gpr accumulator(const struct string *string)
{
	return (struct gpr){ SVMRUN_RAX, 0, string->size };
}

static int once_movs(struct execution *execution, const struct string *string)
{
	struct memory_access from, to;
	uint64_t value;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RSI, false, &from);
	if (!ret)
		ret = translate_element(execution, string, SVMRUN_RDI, true,
					&to);
	if (ret)
		return ret;
	value = access_read(execution->bus, &from);
	access_store(execution->bus, &to, &value);
	advance_index(execution, string, SVMRUN_RSI);
	advance_index(execution, string, SVMRUN_RDI);
	return 0;
}

static int once_stos(struct execution *execution, const struct string *string)
{
	uint64_t value = gpr_read(execution, accumulator(string));
	struct memory_access to;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RDI, true, &to);
	if (ret)
		return ret;
	access_store(execution->bus, &to, &value);
	advance_index(execution, string, SVMRUN_RDI);
	return 0;
}

static int once_lods(struct execution *execution, const struct string *string)
{
	struct memory_access from;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RSI, false, &from);
	if (ret)
		return ret;
	gpr_write(execution, accumulator(string),
		  access_read(execution->bus, &from));
	advance_index(execution, string, SVMRUN_RSI);
	return 0;
}

static void compare_elements(const struct execution *execution,
			     const struct string *string, uint64_t a,
			     uint64_t b)
{
	uint64_t rflags = execution->save->rflags;

	arithmetic_sub(a, b, string->size, &rflags);
	execution->save->rflags = rflags;
}

static int once_cmps(struct execution *execution, const struct string *string)
{
	struct memory_access first, second;
	uint64_t a, b;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RSI, false, &first);
	if (!ret)
		ret = translate_element(execution, string, SVMRUN_RDI, false,
					&second);
	if (ret)
		return ret;
	a = access_read(execution->bus, &first);
	b = access_read(execution->bus, &second);
	compare_elements(execution, string, a, b);
	advance_index(execution, string, SVMRUN_RSI);
	advance_index(execution, string, SVMRUN_RDI);
	return 0;
}

static int once_scas(struct execution *execution, const struct string *string)
{
	struct memory_access access;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RDI, false, &access);
	if (ret)
		return ret;
	compare_elements(execution, string,
			 gpr_read(execution, accumulator(string)),
			 access_read(execution->bus, &access));
	advance_index(execution, string, SVMRUN_RDI);
	return 0;
}

static int once_ins(struct execution *execution, const struct string *string)
{
	const struct svmrun_bus *bus = execution->bus;
	struct memory_access to;
	uint64_t value;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RDI, true, &to);
	if (ret)
		return ret;
	execution->hits |= breakpoint_io(execution->vcpu, execution->io.port,
					 string->size);
	value = bus->port_read(bus->owner, execution->io.port, string->size);
	access_store(bus, &to, &value);
	advance_index(execution, string, SVMRUN_RDI);
	return 0;
}

static int once_outs(struct execution *execution, const struct string *string)
{
	const struct svmrun_bus *bus = execution->bus;
	struct memory_access from;
	int ret;

	ret = translate_element(execution, string, SVMRUN_RSI, false, &from);
	if (ret)
		return ret;
	execution->hits |= breakpoint_io(execution->vcpu, execution->io.port,
					 string->size);
	bus->port_write(bus->owner, execution->io.port, string->size,
			access_read(bus, &from));
	advance_index(execution, string, SVMRUN_RSI);
	return 0;
}

/* ---- all iterations ------------------------------------------------------- */

/* Opcodes without bit 0, which is 0 for byte elements */
static const struct {
	uint8_t opcode;
	bool compares;
	bool io;
	int (*once)(struct execution *execution, const struct string *string);
} strings[] = {
	{ 0x6c, false, true, once_ins },   { 0x6e, false, true, once_outs },
	{ 0xa4, false, false, once_movs }, { 0xa6, true, false, once_cmps },
	{ 0xaa, false, false, once_stos }, { 0xac, false, false, once_lods },
	{ 0xae, true, false, once_scas },
};

#define STRINGS ARRAY_SIZE(strings)

static size_t string_index(const struct execution *execution)
{
	const ZydisDecodedInstruction *instruction = &execution->instruction;
	size_t i = 0;

	if (instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    instruction->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return STRINGS;
	while (i < STRINGS && strings[i].opcode != (instruction->opcode & ~1))
		i++;
	return i;
}

bool is_string_instruction(const struct execution *execution)
{
	return string_index(execution) < STRINGS;
}

static unsigned int element_size(const struct execution *execution, bool io)
{
	unsigned int size = execution->instruction.operand_width / 8;

	if (!(execution->instruction.opcode & 1))
		return 1;
	return io && size == 8 ? 4 : size;
}

unsigned int string_source_segment(const struct execution *execution)
{
	static const ZydisInstructionAttributes overrides[] = {
		ZYDIS_ATTRIB_HAS_SEGMENT_ES, ZYDIS_ATTRIB_HAS_SEGMENT_CS,
		ZYDIS_ATTRIB_HAS_SEGMENT_SS, ZYDIS_ATTRIB_HAS_SEGMENT_DS,
		ZYDIS_ATTRIB_HAS_SEGMENT_FS, ZYDIS_ATTRIB_HAS_SEGMENT_GS,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(overrides); i++)
		if (execution->instruction.attributes & overrides[i])
			return i;
	return SEGMENT_DS;
}

/* The last prefix takes effect. REPNE is the same as REP if nothing is compared. */
static uint8_t repeat_prefix(const ZydisDecodedInstruction *instruction)
{
	uint8_t repeat = 0, value;
	unsigned int i;

	for (i = 0; i < instruction->raw.prefix_count; i++) {
		value = instruction->raw.prefixes[i].value;
		if (value == PREFIX_REP || value == PREFIX_REPNE)
			repeat = value;
	}
	return repeat;
}

/* Return whether another vCPU has replaced the instruction since the exit. */
static bool io_has_changed(const struct execution *execution,
			   const struct string *string)
{
	bool in = (execution->instruction.opcode & ~1) == 0x6c;

	return execution->io.in != in || execution->io.size != string->size;
}

static bool repeat_ends(const struct execution *execution,
			const struct string *string, size_t i)
{
	bool equal = execution->save->rflags & RFLAGS_ZF;

	return strings[i].compares && equal != (string->repeat == PREFIX_REP);
}

/* #DB is raised after each iteration (APM 13.1.4). */
static bool repeat_pauses(const struct execution *execution,
			  unsigned int iterations, int *ret)
{
	const struct svmrun_bus *bus = execution->bus;

	*ret = EXECUTION_RESUME;
	if ((execution->save->rflags & RFLAGS_TF) || execution->hits ||
	    iterations == ITERATIONS)
		return true;
	if (!bus->stop || !bus->stop(bus->owner))
		return false;
	*ret = -EINTR;
	return true;
}

static int repeat_string(struct execution *execution,
			 const struct string *string, size_t i)
{
	struct gpr rcx = address_register(string, SVMRUN_RCX);
	uint64_t count = gpr_read(execution, rcx);
	unsigned int iterations = 0;
	int ret;

	while (count) {
		ret = strings[i].once(execution, string);
		if (ret)
			return ret;
		gpr_write(execution, rcx, --count);
		if (!count || repeat_ends(execution, string, i))
			break;
		if (repeat_pauses(execution, ++iterations, &ret))
			return ret;
	}
	return EXECUTION_DONE;
}

int string_execute(struct execution *execution)
{
	size_t i = string_index(execution);
	struct string string = {
		.size = element_size(execution, strings[i].io),
		.width = execution->instruction.address_width / 8,
		.segment = string_source_segment(execution),
		.repeat = repeat_prefix(&execution->instruction),
	};

	if (strings[i].io && !execution->io.size)
		return -EOPNOTSUPP;
	if (strings[i].io && io_has_changed(execution, &string))
		return -EAGAIN;
	if (string.repeat)
		return repeat_string(execution, &string, i);
	return strings[i].once(execution, &string);
}
