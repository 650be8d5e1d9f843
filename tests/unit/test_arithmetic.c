// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_instruction_execute() compared with this processor. Both execute the same bytes,
 * the processor on memory at the address of the guest's device. All registers, defined
 * flags and bytes must be equal afterwards.
 */
#include <sys/mman.h>

#include "bus_guest.h"
#include "native.h"
#include "suites.h"
#include "xorshift.h"

#define RFLAGS_CF 0x001ull
#define RFLAGS_AF 0x010ull
#define RFLAGS_DF 0x400ull
#define ARITHMETIC 0x8d5ull /* OF, SF, ZF, AF, PF, CF */
#define SPACE 4096
#define MIDDLE 2048

asm(".pushsection .text\n"
    ".type native_run, @function\n"
    "native_run:\n"
    "	push %rbx; push %rbp; push %r12; push %r14; push %r15\n"
    "	mov %rdi, %r14\n"
    "	mov %rsi, %r15\n"
    "	mov 0x00(%r14), %rax\n"
    "	mov 0x08(%r14), %rcx\n"
    "	mov 0x10(%r14), %rdx\n"
    "	mov 0x18(%r14), %rbx\n"
    "	mov 0x28(%r14), %rbp\n"
    "	mov 0x30(%r14), %rsi\n"
    "	mov 0x38(%r14), %rdi\n"
    "	mov 0x40(%r14), %r8\n"
    "	mov 0x48(%r14), %r9\n"
    "	pushq 0x50(%r14)\n"
    "	popfq\n"
    "	call *%r15\n"
    "	pushfq\n"
    "	cld\n"
    "	mov %rax, 0x00(%r14)\n"
    "	mov %rcx, 0x08(%r14)\n"
    "	mov %rdx, 0x10(%r14)\n"
    "	mov %rbx, 0x18(%r14)\n"
    "	mov %rbp, 0x28(%r14)\n"
    "	mov %rsi, 0x30(%r14)\n"
    "	mov %rdi, 0x38(%r14)\n"
    "	mov %r8, 0x40(%r14)\n"
    "	mov %r9, 0x48(%r14)\n"
    "	popq 0x50(%r14)\n"
    "	pop %r15; pop %r14; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n"
    ".size native_run, .-native_run\n"
    ".popsection\n");

/*
 * @code: opcode; prefixes come before it, and a ModRM byte after it. @extension: the
 * register in ModRM, or -1 for any. @immediate: size of the immediate, or -1 for that of
 * the operand, at most 4. @undefined: flags that are undefined afterwards. @narrow:
 * registers contain small values, because they are used as a bit offset. @lock: LOCK is
 * permitted.
 */
static const struct form {
	uint8_t length, code[3];
	int extension, immediate;
	uint64_t undefined;
	bool narrow, lock;
} forms[] = {
#define ALU(base, flags)                                                       \
	{ 1, { base }, -1, 0, flags, false, (base) != 0x38 },                  \
		{ 1, { (base) + 1 }, -1, 0, flags, false, (base) != 0x38 },    \
		{ 1, { (base) + 2 }, -1, 0, flags, false, false },             \
		{ 1, { (base) + 3 }, -1, 0, flags, false, false },             \
		{ 1, { 0x80 }, (base) / 8, 1, flags, false, (base) != 0x38 },  \
		{ 1, { 0x81 }, (base) / 8, -1, flags, false, (base) != 0x38 }, \
	{                                                                      \
		1, { 0x83 }, (base) / 8, 1, flags, false, (base) != 0x38       \
	}
	ALU(0x00, 0),
	ALU(0x08, RFLAGS_AF),
	ALU(0x10, 0),
	ALU(0x18, 0),
	ALU(0x20, RFLAGS_AF),
	ALU(0x28, 0),
	ALU(0x30, RFLAGS_AF),
	ALU(0x38, 0),
	{ 1, { 0x84 }, -1, 0, RFLAGS_AF, false, false }, /* TEST */
	{ 1, { 0x85 }, -1, 0, RFLAGS_AF, false, false },
	{ 1, { 0xf6 }, 0, 1, RFLAGS_AF, false, false },
	{ 1, { 0xf7 }, 0, -1, RFLAGS_AF, false, false },
	{ 1, { 0xf6 }, 2, 0, 0, false, true }, /* NOT */
	{ 1, { 0xf7 }, 2, 0, 0, false, true },
	{ 1, { 0xf6 }, 3, 0, 0, false, true }, /* NEG */
	{ 1, { 0xf7 }, 3, 0, 0, false, true },
	{ 1, { 0xfe }, 0, 0, 0, false, true }, /* INC */
	{ 1, { 0xff }, 0, 0, 0, false, true },
	{ 1, { 0xfe }, 1, 0, 0, false, true }, /* DEC */
	{ 1, { 0xff }, 1, 0, 0, false, true },
	{ 1, { 0x86 }, -1, 0, 0, false, true }, /* XCHG */
	{ 1, { 0x87 }, -1, 0, 0, false, true },
	{ 2, { 0x0f, 0xb0 }, -1, 0, 0, false, true }, /* CMPXCHG */
	{ 2, { 0x0f, 0xb1 }, -1, 0, 0, false, true },
	{ 2, { 0x0f, 0xc0 }, -1, 0, 0, false, true }, /* XADD */
	{ 2, { 0x0f, 0xc1 }, -1, 0, 0, false, true },
#define BIT(opcode, number, lock)                                              \
	{ 2, { 0x0f, opcode }, -1, 0, ARITHMETIC & ~RFLAGS_CF, true, lock },   \
	{                                                                      \
		2, { 0x0f, 0xba }, number, 1, ARITHMETIC & ~RFLAGS_CF, false,  \
			lock                                                   \
	}
	BIT(0xa3, 4, false),
	BIT(0xab, 5, true),
	BIT(0xb3, 6, true),
	BIT(0xbb, 7, true),
	{ 1, { 0x88 }, -1, 0, 0, false, false }, /* MOV */
	{ 1, { 0x89 }, -1, 0, 0, false, false },
	{ 1, { 0x8a }, -1, 0, 0, false, false },
	{ 1, { 0x8b }, -1, 0, 0, false, false },
	{ 1, { 0xc6 }, 0, 1, 0, false, false },
	{ 1, { 0xc7 }, 0, -1, 0, false, false },
	{ 1, { 0x63 }, -1, 0, 0, false, false }, /* MOVSXD */
	{ 2, { 0x0f, 0xb6 }, -1, 0, 0, false, false },
	{ 2, { 0x0f, 0xb7 }, -1, 0, 0, false, false },
	{ 2, { 0x0f, 0xbe }, -1, 0, 0, false, false },
	{ 2, { 0x0f, 0xbf }, -1, 0, 0, false, false },
	{ 3, { 0x0f, 0x38, 0xf0 }, -1, 0, 0, false, false }, /* MOVBE */
	{ 3, { 0x0f, 0x38, 0xf1 }, -1, 0, 0, false, false },
};

static const uint8_t strings[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa,
				   0xab, 0xac, 0xad, 0xae, 0xaf };

static struct bus_guest guest;
static uint8_t *code, *space;

/* Map memory below 4 GiB, where a device can be, too. */
static void *map(int rights)
{
	void *at = mmap(NULL, SPACE, rights,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static void begin(void)
{
	guest_long(&guest);
	code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
	space = map(PROT_READ | PROT_WRITE);
}

static uint64_t operand(uint64_t *seed)
{
	static const uint64_t values[] = {
		0,	    1,		~0ull,	    0x7f,
		0x80,	    0x7fff,	0x8000,	    0x7fffffff,
		0x80000000, 1ull << 63, ~0ull >> 1, 0x0f0f0f0f0f0f0f0f,
		0xff,	    0x10,
	};
	uint64_t random = xorshift(seed);

	if (random & 1)
		return xorshift(seed);
	return values[(random >> 32) % ARRAY_SIZE(values)] + (random >> 1 & 3) -
	       1;
}

static struct native registers(uint64_t *seed, bool narrow)
{
	struct native native;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(native.gpr); i++)
		native.gpr[i] = narrow ? (uint64_t)(int8_t)xorshift(seed) :
					 operand(seed);
	if (!narrow) {
		native.gpr[SVMRUN_RCX] = xorshift(seed) >> 61;
		native.gpr[SVMRUN_RSI] = (uintptr_t)space + MIDDLE + 64;
	}
	native.gpr[SVMRUN_RDI] = (uintptr_t)space + MIDDLE;
	native.rflags = 0x202 | (xorshift(seed) & ARITHMETIC);
	return native;
}

static void fill(uint64_t *seed)
{
	unsigned int i;

	for (i = 0; i < SPACE / 8; i++)
		((uint64_t *)space)[i] = operand(seed);
	memcpy(guest.device, space, SPACE);
}

static void give(const struct native *native)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(native->gpr); i++)
		if (i != SVMRUN_RSP)
			svmrun_vcpu_set_gpr(&guest.vcpu, i, native->gpr[i]);
	guest.pages.vmcb.save.rflags = native->rflags;
	guest.pages.vmcb.save.rip = GUEST_CODE;
	memcpy(guest.memory + GUEST_CODE, code, SVMRUN_INSTRUCTION_MAX);
}

static void compare(const struct native *native, unsigned int length,
		    uint64_t undefined)
{
	const struct svm_vmcb_save *save = &guest.pages.vmcb.save;
	unsigned int i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(native->gpr); i++)
		if (i != SVMRUN_RSP)
			wrong += svmrun_vcpu_get_gpr(&guest.vcpu, i) !=
				 native->gpr[i];
	wrong += ((save->rflags ^ native->rflags) & ~undefined) != 0;
	wrong += save->rip != GUEST_CODE + length;
	wrong += memcmp(guest.device, space, SPACE) != 0;
	if (wrong)
		ck_abort_msg("%02x %02x %02x %02x %02x: rflags %lx, not %lx",
			     code[0], code[1], code[2], code[3], code[4],
			     (unsigned long)save->rflags,
			     (unsigned long)native->rflags);
}

/* Execute the @length bytes in @code both ways, and compare. */
static void check(struct native *native, unsigned int length,
		  uint64_t undefined)
{
	code[length] = 0xc3; /* ret */
	give(native);
	native_run(native, code);
	if (svmrun_instruction_execute(&guest.vcpu, &guest.bus) ||
	    guest.pages.vmcb.control.eventinj)
		ck_abort_msg("%02x %02x %02x %02x: not executed", code[0],
			     code[1], code[2], code[3]);
	compare(native, length, undefined);
}

static unsigned int put_immediate(const struct form *form, unsigned int length,
				  unsigned int size, uint64_t value)
{
	unsigned int count = size;

	if (form->immediate >= 0)
		count = form->immediate;
	memcpy(code + length, &value, count);
	return length + count;
}

/* Assemble the form with [RDI], random prefixes and a register of struct native. */
static unsigned int assemble(const struct form *form, uint64_t *seed)
{
	static const uint8_t named[] = { 0, 1, 2, 3, 5, 6 };
	uint64_t random = xorshift(seed);
	unsigned int length = 0, size = 4;
	uint8_t reg = named[random % ARRAY_SIZE(named)];

	if (form->lock && (random & 1 << 8))
		code[length++] = 0xf0;
	if (random & 1 << 9) {
		code[length++] = 0x66;
		size = 2;
	}
	if (random & 1 << 10) {
		code[length] = 0x40 | (random & 1 << 11 ? 8 : 0);
		size = code[length] & 8 ? 4 : size;
		if (random & 1 << 12 && form->extension < 0) {
			code[length] |= 4;
			reg = random >> 13 & 1;
		}
		length++;
	}
	memcpy(code + length, form->code, form->length);
	length += form->length;
	if (form->extension >= 0)
		reg = form->extension;
	code[length++] = reg << 3 | SVMRUN_RDI;
	return put_immediate(form, length, size, operand(seed));
}

/* Every other time, let RAX equal the operand, for CMPXCHG. */
static void expect(struct native *native, uint64_t *seed)
{
	if (xorshift(seed) >> 63)
		memcpy(&native->gpr[SVMRUN_RAX], space + MIDDLE, 8);
}

START_TEST(processor_agrees)
{
	uint64_t seed = xorshift_seed(3);
	unsigned int i, round, length;
	struct native native;

	begin();
	for (round = 0; round < 1000; round++) {
		fill(&seed);
		for (i = 0; i < ARRAY_SIZE(forms); i++) {
			native = registers(&seed, forms[i].narrow);
			if (!forms[i].narrow)
				expect(&native, &seed);
			length = assemble(&forms[i], &seed);
			check(&native, length, forms[i].undefined);
		}
	}
}

static unsigned int assemble_string(uint8_t opcode, uint64_t *seed)
{
	uint64_t random = xorshift(seed);
	unsigned int length = 0;

	if (random & 1)
		code[length++] = random & 2 ? 0xf2 : 0xf3;
	if (random & 4)
		code[length++] = 0x66;
	if (random & 8)
		code[length++] = 0x67;
	if (random & 16)
		code[length++] = 0x48;
	code[length++] = opcode;
	return length;
}

START_TEST(processor_agrees_on_strings)
{
	uint64_t seed = xorshift_seed(4);
	unsigned int i, round, length;
	struct native native;

	begin();
	for (round = 0; round < 5000; round++) {
		fill(&seed);
		for (i = 0; i < ARRAY_SIZE(strings); i++) {
			native = registers(&seed, false);
			if (xorshift(&seed) >> 63)
				native.rflags |= RFLAGS_DF;
			/* The first bytes are equal, so that comparisons repeat. */
			memcpy(space + MIDDLE, space + MIDDLE + 64, 12);
			memcpy(guest.device, space, SPACE);
			length = assemble_string(strings[i], &seed);
			check(&native, length, 0);
		}
	}
}

static const TTest **const tests[] = {
	&processor_agrees,
	&processor_agrees_on_strings,
};

Suite *arithmetic_suite(void)
{
	return suite_of("arithmetic", tests, ARRAY_SIZE(tests));
}
