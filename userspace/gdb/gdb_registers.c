// SPDX-License-Identifier: GPL-2.0
/*
 * The registers have the order of gdb's features for x86-64 (gdb's manual, G.5.6).
 * Extended state is in the XSAVE area, which begins with the layout of FXSAVE in 64-bit
 * mode (APM 11.4.4). A component whose bit in XSTATE_BV is clear has its initial state
 * (APM 11.5.6).
 */
#include <stdio.h>
#include <string.h>

#include "gdb_registers.h"
#include "lib/array_size.h"
#include "lib/x86.h"

#define FXSAVE_FCW 0
#define FXSAVE_FSW 2
#define FXSAVE_FTW 4
#define FXSAVE_FOP 6
#define FXSAVE_FIP 8
#define FXSAVE_FDP 16
#define FXSAVE_MXCSR 24
#define FXSAVE_ST 32
#define FXSAVE_XMM 160
#define XSTATE_BV 512
#define XSTATE_X87 (1u << 0)
#define XSTATE_SSE (1u << 1)
#define FCW_RESET 0x037f

/* Storage of a register; the last two are read-only */
enum storage { GPR, X87, TAGS, SSE, XSAVE, SAVE, FLAGS, SELECTOR, SYSTEM };

/**
 * struct description - description of a register
 * @name: its name in gdb
 * @type: its type in gdb
 * @storage: kind of storage
 * @from: number or offset in the storage
 * @size: bytes in gdb
 * @kept: bytes in the storage; the rest reads as 0
 */
struct description {
	const char *name;
	const char *type;
	enum storage storage;
	uint16_t from;
	uint8_t size;
	uint8_t kept;
};

struct feature {
	const char *name;
	const struct description *registers;
	size_t count;
	const char *types;
};

#define AT(member) offsetof(struct svm_vmcb_save, member)
#define GENERAL(name, number)                                                  \
	{                                                                      \
		name, "int64", GPR, number, 8, 8                               \
	}
#define SEGMENT(name)                                                          \
	{                                                                      \
#name, "int32", SELECTOR, AT(name.selector), 4, 2              \
	}
#define ST(n)                                                                  \
	{                                                                      \
		"st" #n, "i387_ext", X87, FXSAVE_ST + 16 * (n), 10, 10         \
	}
#define CONTROL(name, from, kept)                                              \
	{                                                                      \
		name, "int", X87, from, 4, kept                                \
	}
#define XMM(n)                                                                 \
	{                                                                      \
		"xmm" #n, "vec128", SSE, FXSAVE_XMM + 16 * (n), 16, 16         \
	}
#define READ_ONLY(name)                                                        \
	{                                                                      \
#name, "int64", SYSTEM, AT(name), 8, 8                         \
	}

static const struct description core[] = {
	GENERAL("rax", SVMRUN_RAX),
	GENERAL("rbx", SVMRUN_RBX),
	GENERAL("rcx", SVMRUN_RCX),
	GENERAL("rdx", SVMRUN_RDX),
	GENERAL("rsi", SVMRUN_RSI),
	GENERAL("rdi", SVMRUN_RDI),
	{ "rbp", "data_ptr", GPR, SVMRUN_RBP, 8, 8 },
	{ "rsp", "data_ptr", GPR, SVMRUN_RSP, 8, 8 },
	GENERAL("r8", SVMRUN_R8),
	GENERAL("r9", SVMRUN_R9),
	GENERAL("r10", SVMRUN_R10),
	GENERAL("r11", SVMRUN_R11),
	GENERAL("r12", SVMRUN_R12),
	GENERAL("r13", SVMRUN_R13),
	GENERAL("r14", SVMRUN_R14),
	GENERAL("r15", SVMRUN_R15),
	{ "rip", "code_ptr", SAVE, AT(rip), 8, 8 },
	{ "eflags", "x86_eflags", FLAGS, AT(rflags), 4, 4 },
	SEGMENT(cs),
	SEGMENT(ss),
	SEGMENT(ds),
	SEGMENT(es),
	SEGMENT(fs),
	SEGMENT(gs),
	ST(0),
	ST(1),
	ST(2),
	ST(3),
	ST(4),
	ST(5),
	ST(6),
	ST(7),
	CONTROL("fctrl", FXSAVE_FCW, 2),
	CONTROL("fstat", FXSAVE_FSW, 2),
	{ "ftag", "int", TAGS, FXSAVE_FTW, 4, 2 },
	CONTROL("fiseg", FXSAVE_FIP + 4, 2),
	CONTROL("fioff", FXSAVE_FIP, 4),
	CONTROL("foseg", FXSAVE_FDP + 4, 2),
	CONTROL("fooff", FXSAVE_FDP, 4),
	CONTROL("fop", FXSAVE_FOP, 2),
};

static const struct description sse[] = {
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
	{ "mxcsr", "int", XSAVE, FXSAVE_MXCSR, 4, 4 },
};

static const struct description segments[] = {
	{ "fs_base", "int64", SAVE, AT(fs.base), 8, 8 },
	{ "gs_base", "int64", SAVE, AT(gs.base), 8, 8 },
};

static const struct description processor[] = {
	READ_ONLY(cr0), READ_ONLY(cr2),	 READ_ONLY(cr3),
	READ_ONLY(cr4), READ_ONLY(efer),
};

/* gdb requires these types to be defined. */
#define FLAGS_TYPE                                                             \
	"<flags id=\"x86_eflags\" size=\"4\">"                                 \
	"<field name=\"CF\" start=\"0\" end=\"0\"/>"                           \
	"<field name=\"\" start=\"1\" end=\"1\"/>"                             \
	"<field name=\"PF\" start=\"2\" end=\"2\"/>"                           \
	"<field name=\"AF\" start=\"4\" end=\"4\"/>"                           \
	"<field name=\"ZF\" start=\"6\" end=\"6\"/>"                           \
	"<field name=\"SF\" start=\"7\" end=\"7\"/>"                           \
	"<field name=\"TF\" start=\"8\" end=\"8\"/>"                           \
	"<field name=\"IF\" start=\"9\" end=\"9\"/>"                           \
	"<field name=\"DF\" start=\"10\" end=\"10\"/>"                         \
	"<field name=\"OF\" start=\"11\" end=\"11\"/>"                         \
	"<field name=\"NT\" start=\"14\" end=\"14\"/>"                         \
	"<field name=\"RF\" start=\"16\" end=\"16\"/>"                         \
	"<field name=\"VM\" start=\"17\" end=\"17\"/>"                         \
	"<field name=\"AC\" start=\"18\" end=\"18\"/>"                         \
	"<field name=\"VIF\" start=\"19\" end=\"19\"/>"                        \
	"<field name=\"VIP\" start=\"20\" end=\"20\"/>"                        \
	"<field name=\"ID\" start=\"21\" end=\"21\"/>"                         \
	"</flags>"
#define VECTOR_TYPES                                                           \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"                \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"                \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"                    \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"                    \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"                    \
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"                    \
	"<union id=\"vec128\">"                                                \
	"<field name=\"v4_float\" type=\"v4f\"/>"                              \
	"<field name=\"v2_double\" type=\"v2d\"/>"                             \
	"<field name=\"v16_int8\" type=\"v16i8\"/>"                            \
	"<field name=\"v8_int16\" type=\"v8i16\"/>"                            \
	"<field name=\"v4_int32\" type=\"v4i32\"/>"                            \
	"<field name=\"v2_int64\" type=\"v2i64\"/>"                            \
	"<field name=\"uint128\" type=\"uint128\"/>"                           \
	"</union>"

static const struct feature features[] = {
	{ "org.gnu.gdb.i386.core", core, ARRAY_SIZE(core), FLAGS_TYPE },
	{ "org.gnu.gdb.i386.sse", sse, ARRAY_SIZE(sse), VECTOR_TYPES },
	{ "org.gnu.gdb.i386.segments", segments, ARRAY_SIZE(segments), "" },
	{ "svmrun.processor", processor, ARRAY_SIZE(processor), "" },
};

static const struct description *find_register(unsigned int number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (number < features[i].count)
			return &features[i].registers[number];
		number -= features[i].count;
	}
	return NULL;
}

unsigned int gdb_register_count(void)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		count += features[i].count;
	return count;
}

size_t gdb_register_size(unsigned int number)
{
	const struct description *description = find_register(number);

	return description ? description->size : 0;
}

/* ---- extended state ------------------------------------------------------ */

static uint32_t xstate_component(enum storage storage)
{
	return storage == SSE ? XSTATE_SSE : XSTATE_X87;
}

static bool is_initial(struct svmrun_vcpu *vcpu, enum storage storage)
{
	return !(vcpu->xsave[XSTATE_BV] & xstate_component(storage));
}

/* Write a component's initial state into the area, before a part of it is written. */
static void init_component(struct svmrun_vcpu *vcpu, enum storage storage)
{
	const uint16_t fcw = FCW_RESET;

	if (!is_initial(vcpu, storage))
		return;
	if (storage == SSE) {
		memset(vcpu->xsave + FXSAVE_XMM, 0, 16 * 16);
	} else {
		memset(vcpu->xsave, 0, FXSAVE_MXCSR);
		memset(vcpu->xsave + FXSAVE_ST, 0, 8 * 16);
		memcpy(vcpu->xsave + FXSAVE_FCW, &fcw, sizeof(fcw));
	}
	vcpu->xsave[XSTATE_BV] |= xstate_component(storage);
}

static void read_xsave(struct svmrun_vcpu *vcpu, const struct description *from,
		       uint8_t *bytes)
{
	const uint16_t fcw = FCW_RESET;

	if (!is_initial(vcpu, from->storage))
		memcpy(bytes, vcpu->xsave + from->from, from->kept);
	else if (from->storage == X87 && from->from == FXSAVE_FCW)
		memcpy(bytes, &fcw, sizeof(fcw));
}

/* Return a register's tag: 0 is valid, 1 zero, 2 special (APM volume 1, 6.2.4). */
static unsigned int tag_of(const uint8_t *st)
{
	uint16_t exponent;
	uint64_t fraction;

	memcpy(&fraction, st, sizeof(fraction));
	memcpy(&exponent, st + sizeof(fraction), sizeof(exponent));
	exponent &= 0x7fff;
	if (!exponent && !fraction)
		return 1;
	return exponent && exponent != 0x7fff && fraction >> 63 ? 0 : 2;
}

/* FXSAVE has one bit per register, set if it is not empty; gdb has two (APM 11.4.4). */
static void read_tags(struct svmrun_vcpu *vcpu, uint8_t *bytes)
{
	const uint8_t *area = vcpu->xsave;
	unsigned int top = area[FXSAVE_FSW + 1] >> 3 & 7, i;
	uint16_t tags = 0xffff;

	for (i = 0; !is_initial(vcpu, TAGS) && i < 8; i++)
		if (area[FXSAVE_FTW] & 1u << i)
			tags ^= (3 ^ tag_of(area + FXSAVE_ST +
					    16 * ((i - top) & 7)))
				<< 2 * i;
	memcpy(bytes, &tags, sizeof(tags));
}

static void write_tags(struct svmrun_vcpu *vcpu, const uint8_t *bytes)
{
	uint8_t there = 0;
	unsigned int i;

	for (i = 0; i < 8; i++)
		if ((bytes[i / 4] >> 2 * (i % 4) & 3) != 3)
			there |= 1u << i;
	vcpu->xsave[FXSAVE_FTW] = there;
}

/* ---- read and write ------------------------------------------------------ */

static uint8_t *vmcb_register(struct svmrun_vcpu *vcpu,
			      const struct description *what)
{
	return (uint8_t *)&vcpu->vmcb->save + what->from;
}

size_t gdb_register_read(struct svmrun_vcpu *vcpu, unsigned int number,
			 uint8_t bytes[GDB_REGISTER_MAX])
{
	const struct description *from = find_register(number);
	uint64_t gpr;

	if (!from)
		return 0;
	memset(bytes, 0, from->size);
	switch (from->storage) {
	case X87:
	case SSE:
		read_xsave(vcpu, from, bytes);
		break;
	case TAGS:
		read_tags(vcpu, bytes);
		break;
	case XSAVE:
		memcpy(bytes, vcpu->xsave + from->from, from->kept);
		break;
	case GPR:
		gpr = svmrun_vcpu_get_gpr(vcpu, from->from);
		memcpy(bytes, &gpr, sizeof(gpr));
		break;
	default:
		memcpy(bytes, vmcb_register(vcpu, from), from->kept);
	}
	return from->size;
}

static void write_xsave(struct svmrun_vcpu *vcpu, const struct description *to,
			const uint8_t *bytes)
{
	init_component(vcpu, to->storage);
	if (to->storage == TAGS)
		write_tags(vcpu, bytes);
	else
		memcpy(vcpu->xsave + to->from, bytes, to->kept);
}

/*
 * A selector cannot change without the rest of its segment; the same value is accepted.
 */
static bool check_unchanged(struct svmrun_vcpu *vcpu,
			    const struct description *to, const uint8_t *bytes)
{
	return !memcmp(vmcb_register(vcpu, to), bytes, to->kept);
}

bool gdb_register_write(struct svmrun_vcpu *vcpu, unsigned int number,
			const uint8_t bytes[GDB_REGISTER_MAX])
{
	const struct description *to = find_register(number);
	uint64_t gpr;

	if (!to)
		return false;
	switch (to->storage) {
	case GPR:
		memcpy(&gpr, bytes, sizeof(gpr));
		svmrun_vcpu_set_gpr(vcpu, to->from, gpr);
		return true;
	case X87:
	case SSE:
	case TAGS:
		write_xsave(vcpu, to, bytes);
		return true;
	case XSAVE:
		memcpy(vcpu->xsave + to->from, bytes, to->kept);
		return true;
	case SELECTOR:
	case SYSTEM:
		return check_unchanged(vcpu, to, bytes);
	case FLAGS:
		memcpy(vmcb_register(vcpu, to), bytes, to->kept);
		vcpu->vmcb->save.rflags |= RFLAGS_ALWAYS_1;
		return true;
	default:
		memcpy(vmcb_register(vcpu, to), bytes, to->kept);
		return true;
	}
}

/* ---- the description ----------------------------------------------------- */

static void describe_register(struct gdb_writer *writer,
			      const struct description *description)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>",
		 description->name, 8u * description->size, description->type);
	gdb_put_text(writer, text);
}

static void describe_feature(struct gdb_writer *writer,
			     const struct feature *feature)
{
	size_t i;

	gdb_put_text(writer, "<feature name=\"");
	gdb_put_text(writer, feature->name);
	gdb_put_text(writer, "\">");
	gdb_put_text(writer, feature->types);
	for (i = 0; i < feature->count; i++)
		describe_register(writer, &feature->registers[i]);
	gdb_put_text(writer, "</feature>");
}

void gdb_registers_describe(struct gdb_writer *writer)
{
	size_t i;

	gdb_put_text(writer, "<?xml version=\"1.0\"?>");
	gdb_put_text(writer, "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">");
	gdb_put_text(writer, "<target>");
	gdb_put_text(writer, "<architecture>i386:x86-64</architecture>");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		describe_feature(writer, &features[i]);
	gdb_put_text(writer, "</target>");
}
