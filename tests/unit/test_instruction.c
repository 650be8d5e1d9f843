// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_instruction_execute(): instructions that access a device are executed as by a
 * processor, with all faults, in all modes. test_arithmetic.c compares results with the
 * processor; here are addresses, faults, fetching, moves and random instructions.
 */
#include <errno.h>

#include "bus_guest.h"
#include "suites.h"
#include "xorshift.h"

#define RFLAGS_TF (1ull << 8)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_AC (1ull << 18)
#define VALID (SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION)
#define ERROR(code) (SVM_EVENT_ERROR_CODE_VALID | (uint64_t)(code) << 32)
#define DB (VALID | 1)
#define UD (VALID | 6)
#define NM (VALID | 7)
#define SS (VALID | 12)
#define GP (VALID | 13)
#define PF (VALID | 14)
#define AC (VALID | 17)

static struct bus_guest guest;
static struct svm_vmcb_save *const save = &guest.pages.vmcb.save;
static struct svm_vmcb_control *const control = &guest.pages.vmcb.control;
static struct svmrun_registers *const regs = &guest.pages.regs;

static unsigned int code_length;

#define CODE(...)                                                              \
	do {                                                                   \
		const uint8_t code[] = { __VA_ARGS__ };                        \
		code_length = sizeof(code);                                    \
		memcpy(guest.memory + save->cs.base + save->rip, code,         \
		       sizeof(code));                                          \
	} while (0)

static int execute(void)
{
	return svmrun_instruction_execute(&guest.vcpu, &guest.bus);
}

/* The instruction completes. */
static void complete(void)
{
	uint64_t rip = save->rip;

	control->eventinj = 0;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, 0);
	ck_assert_uint_eq(save->rip, rip + code_length);
}

/* The instruction faults, and changes nothing. */
static void fault(uint64_t event)
{
	struct svmrun_registers before = *regs;
	uint64_t rip = save->rip;
	unsigned int accesses = guest.reads + guest.writes;

	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, event);
	ck_assert_uint_eq(save->rip, rip);
	ck_assert(save->rflags & RFLAGS_RF);
	ck_assert_uint_eq(guest.reads + guest.writes, accesses);
	ck_assert_int_eq(memcmp(&before, regs, sizeof(before)), 0);
}

static void device_set(uint64_t value)
{
	memcpy(guest.device, &value, sizeof(value));
}

static uint64_t device_get(void)
{
	uint64_t value;

	memcpy(&value, guest.device, sizeof(value));
	return value;
}

static void begin(void)
{
	guest_long(&guest);
	regs->rdi = GUEST_DEVICE;
	save->rax = 0x1122334455667788;
	regs->rbx = 0xaabbccddeeff0102;
	device_set(0x8899aabbccddeeff);
}

/* ---- completion --------------------------------------------------------------- */

START_TEST(completion_is_the_architecture_s)
{
	begin();
	CODE(0x89, 0x07); /* mov [rdi], eax */
	save->rflags |= RFLAGS_RF;
	control->interrupt_shadow = 3;
	control->clean = SVM_CLEAN_ALL;
	complete();
	ck_assert_uint_eq(save->rflags & RFLAGS_RF, 0);
	ck_assert_uint_eq(control->interrupt_shadow,
			  SVM_SHADOW_GUEST_INTERRUPT_MASK);
	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL);
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE);
	ck_assert_uint_eq(guest.size, 4);
	ck_assert_uint_eq(guest.value, 0x55667788);
	ck_assert_uint_eq(guest.reads, 0);
}

START_TEST(trap_flag_traps_behind_it)
{
	begin();
	CODE(0x89, 0x07);
	save->rflags |= RFLAGS_TF;
	save->dr7 |= 1 << 13;
	control->clean = SVM_CLEAN_ALL;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, DB);
	ck_assert_uint_eq(save->rip, GUEST_CODE + 2);
	ck_assert(save->dr6 & (1 << 14));
	ck_assert_uint_eq(save->dr7 & (1 << 13), 0);
	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL & ~SVM_CLEAN_DRx);
}

/* @dr7: of breakpoint 1: R/W and LEN from bit 20 on */
static uint64_t hits(uint64_t address, uint64_t dr7, const char *code)
{
	begin();
	memcpy(guest.memory + GUEST_CODE, code, 4);
	regs->dr[1] = address;
	save->dr7 = 0x400 | 1 << 3 | dr7 << 20;
	save->dr6 = 0xffff0ff0;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(!!(control->eventinj), save->dr6 != 0xffff0ff0);
	if (control->eventinj)
		ck_assert_uint_eq(control->eventinj, DB);
	return save->dr6 & 0xf;
}

#define DATA_WRITE "\x89\x07\x90\x90" /* mov [rdi], eax */
#define DATA_READ "\x8b\x07\x90\x90" /* mov eax, [rdi] */

/* APM 13.1.1.2: 1 is writes, 3 is accesses; lengths 1, 2, 8 and 4 */
START_TEST(data_breakpoints_trap_behind_it)
{
	ck_assert_uint_eq(hits(GUEST_DEVICE, 1, DATA_WRITE), 2);
	ck_assert_uint_eq(hits(GUEST_DEVICE, 3, DATA_WRITE), 2);
	ck_assert_uint_eq(hits(GUEST_DEVICE, 3, DATA_READ), 2);
	ck_assert_uint_eq(hits(GUEST_DEVICE, 1, DATA_READ), 0);
	ck_assert_uint_eq(hits(GUEST_DEVICE, 0, DATA_READ), 0);
	ck_assert_uint_eq(hits(GUEST_DEVICE + 3, 1, DATA_WRITE), 2);
	ck_assert_uint_eq(hits(GUEST_DEVICE + 4, 1, DATA_WRITE), 0);
	ck_assert_uint_eq(hits(GUEST_DEVICE - 1, 1, DATA_WRITE), 0);
	ck_assert_uint_eq(hits(GUEST_DEVICE - 2, 1 | 1 << 2, DATA_WRITE), 0);
	ck_assert_uint_eq(hits(GUEST_DEVICE + 7, 1 | 2 << 2, DATA_WRITE), 2);
	ck_assert_uint_eq(hits(GUEST_DEVICE + 7, 1 | 3 << 2, DATA_WRITE), 0);
}

START_TEST(breakpoints_that_are_disabled_do_not_trap)
{
	begin();
	CODE(0x89, 0x07);
	regs->dr[1] = GUEST_DEVICE;
	save->dr7 = 0x400 | 1 << 20;
	complete();
	ck_assert_uint_eq(save->dr6 & 0xf, 0);
}

START_TEST(completion_of_others)
{
	begin();
	save->rflags |= RFLAGS_RF;
	control->interrupt_shadow = 1;
	svmrun_instruction_complete(&guest.vcpu, GUEST_CODE + 2);
	ck_assert_uint_eq(save->rip, GUEST_CODE + 2);
	ck_assert_uint_eq(save->rflags & RFLAGS_RF, 0);
	ck_assert_uint_eq(control->interrupt_shadow, 0);
	ck_assert_uint_eq(control->eventinj, 0);
	svmrun_instruction_fault(&guest.vcpu, 13, 8);
	ck_assert_uint_eq(control->eventinj,
			  GP | SVM_EVENT_ERROR_CODE_VALID | 8ull << 32);
	ck_assert(save->rflags & RFLAGS_RF);
	svmrun_instruction_fault(&guest.vcpu, 16, 0);
	ck_assert_uint_eq(control->eventinj,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 16);
}

START_TEST(rip_wraps_outside_of_64_bit_mode)
{
	guest_protected(&guest);
	regs->rdi = GUEST_DEVICE;
	save->cs.base = 0x2000;
	save->rip = 0xfffffffe;
	memcpy(guest.memory + 0x1ffe, "\x89\x07", 2);
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(save->rip, 0);
	ck_assert_uint_eq(guest.writes, 1);
}

START_TEST(what_it_does_not_know_changes_nothing)
{
	struct vcpu_pages before;
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];

	begin();
	CODE(0x0f, 0xc7, 0x0f); /* cmpxchg8b [rdi] */
	before = guest.pages;
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	CODE(0x0f, 0x0b, 0x00); /* ud2 */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	CODE(0x8e, 0x1f, 0x00); /* mov ds, [rdi] */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	CODE(0x89, 0xd8, 0x00); /* mov eax, ebx */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	CODE(0xe4, 0x60, 0x00); /* in al, 0x60, without VMEXIT_IOIO */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	ck_assert_int_eq(memcmp(&before, &guest.pages, sizeof(before)), 0);
	ck_assert_int_eq(svmrun_instruction_bytes(&guest.vcpu, &guest.bus,
						  bytes),
			 sizeof(bytes));
	ck_assert_int_eq(memcmp(bytes, guest.memory + GUEST_CODE, 15), 0);
}

START_TEST(events_under_way_are_not_instructions)
{
	begin();
	CODE(0x89, 0x07);
	control->exitintinfo = DB;
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	ck_assert_uint_eq(guest.writes, 0);
}

/* ---- moves ---------------------------------------------------------------------- */

static void check_load(uint64_t rax)
{
	complete();
	ck_assert_uint_eq(guest.reads, 1);
	ck_assert_uint_eq(save->rax, rax);
}

#define LOAD(want, ...)                                                        \
	do {                                                                   \
		begin();                                                       \
		CODE(__VA_ARGS__);                                             \
		check_load(want);                                              \
	} while (0)

START_TEST(loads_fill_their_register)
{
	LOAD(0x11223344556677ff, 0x8a, 0x07); /* mov al */
	LOAD(0x112233445566ff88, 0x8a, 0x27); /* mov ah */
	LOAD(0x112233445566eeff, 0x66, 0x8b, 0x07);
	LOAD(0xccddeeff, 0x8b, 0x07);
	LOAD(0x8899aabbccddeeff, 0x48, 0x8b, 0x07);
	LOAD(0xff, 0x0f, 0xb6, 0x07); /* movzx eax, byte */
	LOAD(0xeeff, 0x48, 0x0f, 0xb7, 0x07); /* movzx rax, word */
	LOAD(0xffffffff, 0x0f, 0xbe, 0x07); /* movsx eax, byte */
	LOAD(0x112233445566ffff, 0x66, 0x0f, 0xbe, 0x07); /* movsx ax, byte */
	LOAD(0xffffffffffffeeff, 0x48, 0x0f, 0xbf, 0x07);
	LOAD(0xffffffffccddeeff, 0x48, 0x63, 0x07); /* movsxd */
	LOAD(0xffeeddcc, 0x0f, 0x38, 0xf0, 0x07); /* movbe */
	LOAD(0x112233445566ffee, 0x66, 0x0f, 0x38, 0xf0, 0x07);
}

START_TEST(loads_use_their_address)
{
	/* mov eax, [rdi + rbx * 4 - 4] */
	begin();
	regs->rbx = 1;
	CODE(0x8b, 0x44, 0x9f, 0xfc);
	check_load(0xccddeeff);
	/* mov al, [moffs]; with an address of 32 bits */
	LOAD(0x11223344556677ff, 0xa0, 0, 0, 0, 0xd0, 0, 0, 0, 0);
	LOAD(0xccddeeff, 0x67, 0xa1, 0, 0, 0, 0xd0);
	/* mov eax, [eip - 0x30001007] */
	LOAD(0xccddeeff, 0x67, 0x8b, 0x05, 0xf9, 0xef, 0xff, 0xcf);
}

START_TEST(stores_are_as_wide_as_they_say)
{
	begin();
	CODE(0x88, 0x3f); /* mov [rdi], bh */
	complete();
	ck_assert_uint_eq(device_get(), 0x8899aabbccddee01);
	CODE(0x66, 0xc7, 0x07, 0x34, 0x12);
	complete();
	ck_assert_uint_eq(device_get(), 0x8899aabbccdd1234);
	CODE(0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff); /* sign-extended */
	complete();
	ck_assert_uint_eq(device_get(), 0xfffffffffffffffe);
	CODE(0x0f, 0xc3, 0x07); /* movnti */
	complete();
	ck_assert_uint_eq(device_get(), 0xffffffff55667788);
	CODE(0x8c, 0x1f); /* mov [rdi], ds */
	complete();
	ck_assert_uint_eq(guest.size, 2);
	ck_assert_uint_eq(guest.value, 0x10);
}

START_TEST(pages_and_memory_may_end_within)
{
	uint32_t value;

	begin();
	regs->rdi = GUEST_END - 3;
	guest.memory[GUEST_END - 3] = 1;
	CODE(0x87, 0x07); /* xchg [rdi], eax */
	complete();
	memcpy(&value, guest.memory + GUEST_END - 4, 4);
	ck_assert_uint_eq(value, 0x66778800);
	ck_assert_uint_eq(guest.device[0], 0x55);
	ck_assert_uint_eq(save->rax, 0xff000001);
	regs->rdi = GUEST_DEVICE + 4096 - 3;
	CODE(0x48, 0x89, 0x1f);
	guest.writes = 0;
	complete();
	ck_assert_uint_eq(guest.writes, 4); /* 2, 1, 4 and 1 bytes */
}

START_TEST(rom_is_read_but_not_written)
{
	begin();
	CODE(0x01, 0x07); /* add [rdi], eax */
	guest.bus.rom_count = 1;
	regs->rdi = GUEST_DATA;
	complete();
	ck_assert_uint_eq(guest.memory[GUEST_DATA], 0);
	ck_assert_uint_eq(guest.gpa, GUEST_DATA);
	ck_assert_uint_eq(guest.value, 0x55667788);
	ck_assert_uint_eq(guest.reads, 0);
}

/* ---- segments and faults ---------------------------------------------------------- */

START_TEST(fs_and_gs_have_bases)
{
	begin();
	save->fs.base = 0x100;
	save->ds.base = 0x200;
	CODE(0x64, 0x8b, 0x07);
	complete();
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE + 0x100);
	CODE(0x3e, 0x8b, 0x07);
	complete();
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE);
}

START_TEST(addresses_must_be_canonical)
{
	begin();
	CODE(0x8b, 0x07);
	regs->rdi = 0x7ffffffffffd;
	fault(GP | ERROR(0));
	CODE(0x8b, 0x45, 0x00); /* mov eax, [rbp] */
	regs->rbp = 1ull << 63;
	fault(SS | ERROR(0));
}

START_TEST(page_faults_are_the_guest_s)
{
	begin();
	CODE(0x89, 0x07);
	regs->rdi = 0x123456789a;
	control->clean = SVM_CLEAN_ALL;
	fault(PF | ERROR(2));
	ck_assert_uint_eq(save->cr2, 0x123456789a);
	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL & ~SVM_CLEAN_CR2);
	/* The second of two pages is missing; nothing is written to the first. */
	regs->rdi = 0xfffffffe;
	fault(PF | ERROR(2));
	ck_assert_uint_eq(save->cr2, 0x100000000);
}

START_TEST(users_have_only_their_pages)
{
	begin();
	save->cpl = 3;
	control->insn_len = 2; /* fetched by the processor */
	memcpy(control->insn_bytes, "\x8b\x07", 2);
	fault(PF | ERROR(5));
	control->insn_len = 0;
	fault(PF | ERROR(5));
	ck_assert_uint_eq(save->cr2, GUEST_CODE);
}

START_TEST(alignment_is_checked_if_asked_for)
{
	begin();
	guest.memory[GUEST_TABLES] |= 4;
	guest.memory[GUEST_TABLES + 0x1000 + 3 * 8] |= 4;
	guest.memory[GUEST_TABLES + 0x1000] |= 4;
	guest.memory[GUEST_TABLES + 0x2000] |= 4;
	guest.memory[GUEST_TABLES + 0x5000 + 0x80 * 8] |= 4;
	save->cpl = 3;
	save->cr0 |= 1 << 18;
	regs->rdi++;
	CODE(0x8b, 0x07);
	complete();
	save->rflags |= RFLAGS_AC;
	CODE(0x8b, 0x07);
	fault(AC | ERROR(0));
}

START_TEST(real_mode_has_limits)
{
	guest_real(&guest);
	save->ds.base = GUEST_DEVICE;
	regs->rbx = 0xfff0;
	regs->rsi = 0x20;
	CODE(0x8b, 0x00); /* mov ax, [bx + si], which wraps */
	complete();
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE + 0x10);
	regs->rsi = 0xf;
	CODE(0x8b, 0x00);
	fault(GP);
	regs->rbp = 0xffff;
	CODE(0x8b, 0x46, 0x00); /* mov ax, [bp] */
	fault(SS);
}

START_TEST(segments_have_limits_and_types)
{
	guest_protected(&guest);
	CODE(0x89, 0x07);
	regs->rdi = 0xffd;
	save->ds.base = GUEST_DEVICE;
	save->ds.limit = 0xfff;
	fault(GP | ERROR(0));
	regs->rdi = 0xffc;
	complete();
	CODE(0x89, 0x07);
	save->ds.attrib |= 4; /* expand-down: only above the limit */
	fault(GP | ERROR(0));
	regs->rdi = 0x1000;
	complete();
	CODE(0x89, 0x07);
	save->ds.attrib = 0xc91; /* data, read-only */
	fault(GP | ERROR(0));
	CODE(0x8b, 0x07);
	regs->rdi = 0;
	complete();
	save->ds.attrib = 0xc99; /* code, execute-only */
	CODE(0x8b, 0x07);
	fault(GP | ERROR(0));
	save->ds.attrib = 0; /* null selector */
	fault(GP | ERROR(0));
}

/* ---- fetching ------------------------------------------------------------------------ */

START_TEST(assists_are_believed)
{
	begin();
	CODE(0x0f, 0x0b);
	control->insn_len = 15;
	memcpy(control->insn_bytes, "\x8b\x07\xcc\xcc\xcc\xcc\xcc\xcc\xcc", 9);
	complete();
	ck_assert_uint_eq(guest.reads, 1);
	/* Bytes that the processor did not provide are fetched. */
	CODE(0x0f, 0x0b, 0x00, 0x00, 0x00, 0xd0, 0, 0, 0, 0);
	control->insn_len = 2;
	memcpy(control->insn_bytes, "\xa0\x00", 2);
	code_length = 9;
	guest.memory[save->rip + 4] = 0xd0;
	guest.memory[save->rip + 5] = 0;
	complete();
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE);
}

START_TEST(code_may_cross_pages)
{
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];

	begin();
	save->rip = GUEST_CODE + 0xfff;
	CODE(0x8b, 0x07);
	complete();
	/* The instruction continues in a page without memory. */
	save->rip = GUEST_END - 1;
	guest.memory[GUEST_END - 1] = 0x8b;
	ck_assert_int_eq(execute(), -ENXIO);
	ck_assert_int_eq(svmrun_instruction_bytes(&guest.vcpu, &guest.bus,
						  bytes),
			 1);
	save->rip = GUEST_END;
	ck_assert_int_eq(execute(), -ENXIO);
	ck_assert_int_eq(svmrun_instruction_bytes(&guest.vcpu, &guest.bus,
						  bytes),
			 -ENXIO);
}

static const struct {
	const char *code;
	int length;
} lengths[] = {
	{ "\xf4", 1 },
	{ "\x0f\xa2", 2 },
	{ "\x0f\x32", 2 },
	{ "\x66\x0f\x38\xf0\x07", 5 },
	{ "\x8b\x84\x9f\x01\x02\x03\x04", 7 },
	{ "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10 },
	{ "\x0f\x01\xd9", 3 },
	{ "\x0f\x0b", 2 },
	{ "\x06", -EILSEQ },
	{ "\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\xf3\x90",
	  -EILSEQ },
};

START_TEST(lengths_are_of_any_instruction)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		begin();
		memcpy(guest.memory + GUEST_CODE, lengths[i].code,
		       strlen(lengths[i].code));
		ck_assert_int_eq(svmrun_instruction_length(&guest.vcpu,
							   &guest.bus),
				 lengths[i].length);
	}
}

/* Decoded instructions are remembered, by bytes and mode. */
START_TEST(code_at_an_address_changes)
{
	begin();
	CODE(0x48, 0x89, 0x07); /* mov [rdi], rax */
	complete();
	ck_assert_uint_eq(guest.size, 8);
	save->rip = GUEST_CODE;
	CODE(0x89, 0x07); /* mov [rdi], eax */
	complete();
	ck_assert_uint_eq(guest.size, 4);
	save->rip = GUEST_CODE;
	CODE(0x48, 0x89, 0x07);
	complete();
	ck_assert_uint_eq(guest.size, 8);
	guest_protected(&guest);
	CODE(0x48, 0x89, 0x07); /* dec eax; mov [edi], eax */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	begin();
	CODE(0x48, 0x89, 0x07);
	complete();
	ck_assert_uint_eq(guest.size, 8);
}

/* The segment ends within an instruction that was decoded before. */
START_TEST(limit_within_a_known_instruction)
{
	guest_protected(&guest);
	regs->rdi = GUEST_DEVICE;
	CODE(0xc7, 0x07, 0x44, 0x33, 0x22, 0x11);
	complete();
	save->rip = GUEST_CODE;
	save->cs.limit = GUEST_CODE + 4;
	fault(GP | ERROR(0));
}

START_TEST(lengths_depend_on_the_mode)
{
	guest_real(&guest);
	CODE(0x05, 1, 2, 3, 4);
	ck_assert_int_eq(svmrun_instruction_length(&guest.vcpu, &guest.bus), 3);
	save->cs.limit = GUEST_CODE + 1;
	ck_assert_int_eq(svmrun_instruction_length(&guest.vcpu, &guest.bus),
			 -EFAULT);
	guest_protected(&guest);
	CODE(0x05, 1, 2, 3, 4);
	ck_assert_int_eq(svmrun_instruction_length(&guest.vcpu, &guest.bus), 5);
	begin();
	save->rip = 0x100000000;
	ck_assert_int_eq(svmrun_instruction_length(&guest.vcpu, &guest.bus),
			 -EFAULT);
}

/* ---- decode assists ------------------------------------------------------------------- */

static const struct {
	uint64_t exitcode;
	const char *code;
	uint64_t info;
} assists[] = {
	{ VMEXIT_CR_WRITE(3), "\x41\x0f\x22\xdb", 1ull << 63 | 11 },
	{ VMEXIT_CR_READ(0), "\x0f\x20\xc4", 1ull << 63 | 4 },
	{ VMEXIT_CR_WRITE(8), "\x44\x0f\x22\xc1", 1ull << 63 | 1 },
	{ VMEXIT_CR0_SEL_WRITE, "\x0f\x22\xc2", 1ull << 63 | 2 },
	{ VMEXIT_CR_WRITE(0), "\x0f\x01\xf3", 0 }, /* lmsw bx */
	{ VMEXIT_CR_READ(0), "\x0f\x01\xe3", 0 }, /* smsw ebx */
	{ VMEXIT_CR_WRITE(0), "\x0f\x06", 0 }, /* clts */
	{ VMEXIT_DR_WRITE(7), "\x0f\x23\xfe", 6 },
	{ VMEXIT_DR_READ(6), "\x41\x0f\x21\xf7", 15 },
	{ VMEXIT_SWINT, "\xcd\x81", 0x81 },
	{ VMEXIT_INVLPG, "\x0f\x01\x7c\x8b\xf8", 0x7000 + 4 * 8 - 8 },
	{ VMEXIT_INVLPG, "\x64\x0f\x01\x3b", 0x10007000 }, /* fs:[rbx] */
	{ VMEXIT_INVLPG, "\x2e\x0f\x01\x3b", 0x7000 }, /* cs: has no base */
	{ VMEXIT_INVLPGA, "\x0f\x01\xdf", 0xffff800012345678 },
	{ VMEXIT_INVLPGA, "\x67\x0f\x01\xdf", 0x12345678 },
	{ VMEXIT_IOIO, "\x6e", 3 << 10 | SVM_IOIO_STR | SVM_IOIO_SZ8 },
	{ VMEXIT_IOIO, "\x65\x6e", 5 << 10 | SVM_IOIO_STR | SVM_IOIO_SZ8 },
	/* Another processor has replaced the instruction. */
	{ VMEXIT_CR_WRITE(3), "\x0f\x01\x3b", 0 },
	{ VMEXIT_CR_READ(0), "\x0f\x20\xe0", 0 }, /* mov rax, cr4 */
	{ VMEXIT_CR_READ(4), "\x0f\x22\xe0", 0 }, /* mov cr4, rax */
	{ VMEXIT_CR0_SEL_WRITE, "\x0f\x22\xe0", 0 },
	{ VMEXIT_INVLPG, "\x0f\x22\xd8", 0 },
	{ VMEXIT_SWINT, "\xcc", 0 },
};

START_TEST(decode_assists_follow_the_instruction)
{
	uint64_t info = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(assists); i++) {
		begin();
		regs->rbx = 0x7000;
		regs->rcx = 8;
		save->rax = 0xffff800012345678;
		save->fs.base = 0x10000000;
		save->cs.base = 0x40000000;
		control->exitcode = assists[i].exitcode;
		control->exitinfo1 = SVM_IOIO_STR | SVM_IOIO_SZ8;
		memcpy(guest.memory + GUEST_CODE, assists[i].code,
		       strlen(assists[i].code));
		ck_assert_int_eq(svmrun_instruction_assist(&guest.vcpu,
							   &guest.bus, &info),
				 0);
		ck_assert_uint_eq(info, assists[i].info);
	}
}

START_TEST(invlpg_ignores_limits)
{
	uint64_t info;

	guest_protected(&guest);
	CODE(0x0f, 0x01, 0x3b); /* invlpg [ebx] */
	save->ds.base = 0xfffff000;
	save->ds.limit = 0;
	regs->rbx = 0x5000;
	control->exitcode = VMEXIT_INVLPG;
	ck_assert_int_eq(svmrun_instruction_assist(&guest.vcpu, &guest.bus,
						   &info),
			 0);
	ck_assert_uint_eq(info, 0x4000);
}

/* ---- XMM registers -------------------------------------------------------------------- */

START_TEST(xmm_registers_are_in_the_xsave_area)
{
	begin();
	guest.pages.xsave[512] = 0; /* initial state */
	guest.device[15] = 0x5a;
	CODE(0x44, 0x0f, 0x10, 0x0f); /* movups xmm9, [rdi] */
	complete();
	ck_assert_uint_eq(guest.reads, 2);
	ck_assert_uint_eq(guest.pages.xsave[512], 2);
	ck_assert_int_eq(memcmp(guest.pages.xsave + 160 + 9 * 16, guest.device,
				16),
			 0);
	ck_assert_uint_eq(guest.pages.xsave[160 + 8 * 16], 0);
	regs->rdi = GUEST_DATA;
	CODE(0x66, 0x44, 0x0f, 0x7f, 0x0f); /* movdqa [rdi], xmm9 */
	complete();
	ck_assert_int_eq(memcmp(guest.memory + GUEST_DATA, guest.device, 16),
			 0);
}

START_TEST(xmm_registers_may_be_out_of_reach)
{
	begin();
	regs->rdi++;
	CODE(0x0f, 0x28, 0x07); /* movaps xmm0, [rdi] */
	fault(GP | ERROR(0));
	save->cr0 |= 8; /* TS */
	fault(NM);
	save->cr4 &= ~(1ull << 9); /* OSFXSR */
	fault(UD);
}

/* ---- random instructions ---------------------------------------------------------------- */

static const uint8_t opcodes[] = {
	0x00, 0x01, 0x0f, 0x21, 0x30, 0x3b, 0x64, 0x66, 0x67, 0x80, 0x81, 0x83,
	0x84, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa1, 0xa3, 0xa4, 0xa5, 0xa6,
	0xaa, 0xab, 0xac, 0xae, 0xb6, 0xbe, 0xba, 0xab, 0xb1, 0xc1, 0xc6, 0xc7,
	0xf0, 0xf2, 0xf3, 0xf6, 0xf7, 0xfe, 0xff, 0x41, 0x48, 0x6c, 0x6f, 0x07,
};

/* Set registers to addresses of memory, of the device, and of neither. */
static void randomize(uint64_t *seed)
{
	static const uint64_t addresses[] = { GUEST_DEVICE, GUEST_DATA,
					      GUEST_END - 5, 0xfffffffd };
	uint64_t random = xorshift(seed);
	unsigned int i;

	for (i = 0; i < 16; i++)
		svmrun_vcpu_set_gpr(&guest.vcpu, i,
				    addresses[random >> 2 * i & 3] +
					    (random >> 48 & i));
	regs->rcx &= 15;
	save->rflags = 2 | (random >> 32 & (0x8d5 | RFLAGS_DF | RFLAGS_TF));
	save->rip = GUEST_CODE;
	control->eventinj = 0;
}

static void execute_random(uint64_t *seed)
{
	uint8_t *code = guest.memory + GUEST_CODE;
	uint64_t random = xorshift(seed);
	int ret;

	code[0] = opcodes[(random & 0xffff) % sizeof(opcodes)];
	code[1] = random & 1 << 16 ? random >> 24 :
				     opcodes[(random >> 32) % sizeof(opcodes)];
	memcpy(code + 2, &random, sizeof(random));
	ret = execute();
	if (ret && ret != -EOPNOTSUPP && ret != -ENXIO && ret != -EINTR)
		ck_abort_msg("an error that is none");
}

static void (*const modes[])(struct bus_guest *guest) = {
	guest_long,
	guest_protected,
	guest_real,
};

START_TEST(ten_million_instructions_are_harmless)
{
	uint64_t seed = xorshift_seed(2);
	unsigned int i, writes = 0;

	for (i = 0; i < 10000000; i++) {
		if (i % 65536 == 0) {
			writes += guest.writes;
			modes[i / 65536 % ARRAY_SIZE(modes)](&guest);
			if (i / 65536 % 2)
				control->exitcode = VMEXIT_IOIO;
			control->exitinfo1 = SVM_IOIO_STR | SVM_IOIO_IN |
					     SVM_IOIO_SZ8;
		}
		if (i % 8 == 0)
			randomize(&seed);
		save->rip = GUEST_CODE;
		execute_random(&seed);
	}
	ck_assert_uint_gt(writes, 10000);
}

static const TTest **const tests[] = {
	&completion_is_the_architecture_s,
	&trap_flag_traps_behind_it,
	&data_breakpoints_trap_behind_it,
	&breakpoints_that_are_disabled_do_not_trap,
	&completion_of_others,
	&rip_wraps_outside_of_64_bit_mode,
	&what_it_does_not_know_changes_nothing,
	&events_under_way_are_not_instructions,
	&loads_fill_their_register,
	&loads_use_their_address,
	&stores_are_as_wide_as_they_say,
	&pages_and_memory_may_end_within,
	&rom_is_read_but_not_written,
	&fs_and_gs_have_bases,
	&addresses_must_be_canonical,
	&page_faults_are_the_guest_s,
	&users_have_only_their_pages,
	&alignment_is_checked_if_asked_for,
	&real_mode_has_limits,
	&segments_have_limits_and_types,
	&assists_are_believed,
	&code_may_cross_pages,
	&lengths_are_of_any_instruction,
	&code_at_an_address_changes,
	&limit_within_a_known_instruction,
	&lengths_depend_on_the_mode,
	&decode_assists_follow_the_instruction,
	&invlpg_ignores_limits,
	&xmm_registers_are_in_the_xsave_area,
	&xmm_registers_may_be_out_of_reach,
	&ten_million_instructions_are_harmless,
};

Suite *instruction_suite(void)
{
	return suite_of("instruction", tests, ARRAY_SIZE(tests));
}
