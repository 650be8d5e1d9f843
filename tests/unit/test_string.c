// SPDX-License-Identifier: GPL-2.0
/* svmrun_instruction_execute(): string instructions, and string I/O after VMEXIT_IOIO. */
#include <errno.h>

#include "bus_guest.h"
#include "suites.h"

#define RFLAGS_ZF (1ull << 6)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_RF (1ull << 16)
#define VALID (SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION)

static struct bus_guest guest;
static struct svm_vmcb_save *const save = &guest.pages.vmcb.save;
static struct svm_vmcb_control *const control = &guest.pages.vmcb.control;
static struct svmrun_registers *const regs = &guest.pages.regs;

static void begin(const char *code)
{
	unsigned int i;

	guest_long(&guest);
	strcpy((char *)guest.memory + GUEST_CODE, code);
	regs->rcx = 5;
	regs->rsi = GUEST_DATA;
	regs->rdi = GUEST_DEVICE;
	save->rax = 0x1122334455667788;
	for (i = 0; i < 64; i++)
		guest.memory[GUEST_DATA + i] = i + 1;
}

static int execute(void)
{
	return svmrun_instruction_execute(&guest.vcpu, &guest.bus);
}

static void check(uint64_t rip, uint64_t rcx, uint64_t rsi, uint64_t rdi)
{
	ck_assert_uint_eq(save->rip, GUEST_CODE + rip);
	ck_assert_uint_eq(regs->rcx, rcx);
	ck_assert_uint_eq(regs->rsi, rsi);
	ck_assert_uint_eq(regs->rdi, rdi);
}

START_TEST(movs_goes_either_way)
{
	begin("\xa5"); /* movsd */
	ck_assert_int_eq(execute(), 0);
	check(1, 5, GUEST_DATA + 4, GUEST_DEVICE + 4);
	ck_assert_uint_eq(guest.value, 0x04030201);
	begin("\xf3\x66\xa5"); /* rep movsw */
	regs->rdi += 8;
	regs->rsi += 8;
	save->rflags |= RFLAGS_DF;
	ck_assert_int_eq(execute(), 0);
	check(3, 0, GUEST_DATA - 2, GUEST_DEVICE - 2);
	ck_assert_uint_eq(guest.writes, 5);
	ck_assert_int_eq(memcmp(guest.device, guest.memory + GUEST_DATA, 10),
			 0);
}

START_TEST(movs_from_device_to_memory_across_pages)
{
	begin("\xf3\x48\xa5"); /* rep movsq */
	regs->rsi = GUEST_DEVICE + 4096 - 12;
	regs->rdi = GUEST_DATA;
	regs->rcx = 2;
	memset(guest.device, 0x11, 8);
	memset(guest.device + 4096 - 12, 0x22, 12);
	ck_assert_int_eq(execute(), 0);
	check(3, 0, GUEST_DEVICE + 4096 + 4, GUEST_DATA + 16);
	ck_assert_uint_eq(guest.memory[GUEST_DATA + 11], 0x22);
	ck_assert_uint_eq(guest.memory[GUEST_DATA + 12], 0x11);
	ck_assert_uint_eq(guest.memory[GUEST_DATA + 15], 0x11);
}

START_TEST(stos_and_lods)
{
	begin("\xf3\xab"); /* rep stosd */
	ck_assert_int_eq(execute(), 0);
	check(2, 0, GUEST_DATA, GUEST_DEVICE + 20);
	ck_assert_uint_eq(guest.value, 0x55667788);
	begin("\xf2\xac"); /* repne lodsb: the same as rep */
	regs->rsi = GUEST_DEVICE;
	guest.device[4] = 0x99;
	ck_assert_int_eq(execute(), 0);
	check(2, 0, GUEST_DEVICE + 5, GUEST_DEVICE);
	ck_assert_uint_eq(save->rax, 0x1122334455667799);
}

START_TEST(comparisons_end_by_zf)
{
	begin("\xf3\xa6"); /* repe cmpsb */
	memcpy(guest.device, guest.memory + GUEST_DATA, 3);
	ck_assert_int_eq(execute(), 0);
	check(2, 1, GUEST_DATA + 4, GUEST_DEVICE + 4);
	ck_assert_uint_eq(save->rflags & RFLAGS_ZF, 0);
	begin("\xf2\xae"); /* repne scasb */
	guest.device[2] = 0x88;
	ck_assert_int_eq(execute(), 0);
	check(2, 2, GUEST_DATA, GUEST_DEVICE + 3);
	ck_assert(save->rflags & RFLAGS_ZF);
}

START_TEST(no_count_no_iteration)
{
	begin("\xf3\xa4");
	regs->rcx = 0;
	ck_assert_int_eq(execute(), 0);
	check(2, 0, GUEST_DATA, GUEST_DEVICE);
	ck_assert_uint_eq(guest.writes, 0);
}

START_TEST(addresses_may_be_narrower)
{
	begin("\x67\xf3\xa4");
	regs->rcx = 0x100000001;
	regs->rsi |= 0x200000000;
	regs->rdi |= 0x300000000;
	ck_assert_int_eq(execute(), 0);
	check(3, 0, GUEST_DATA + 1, GUEST_DEVICE + 1);
	guest_real(&guest);
	memcpy(guest.memory + GUEST_CODE, "\xf3\xaa", 2);
	save->es.base = GUEST_DEVICE;
	regs->rcx = 0x50002;
	regs->rdi = 0x6ffff;
	ck_assert_int_eq(execute(), 0);
	check(2, 0x50000, 0, 0x60001);
	ck_assert_uint_eq(guest.gpa, GUEST_DEVICE);
}

START_TEST(source_has_a_segment)
{
	begin("\x64\xa4"); /* movsb fs: */
	save->fs.base = 7;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(guest.value, 8);
}

START_TEST(faults_leave_what_is_done)
{
	begin("\xf3\xa4");
	regs->rsi = 0x100000000 - 2;
	regs->rcx = 4;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj,
			  VALID | SVM_EVENT_ERROR_CODE_VALID | 14);
	ck_assert_uint_eq(save->cr2, 0x100000000);
	check(0, 2, 0x100000000, GUEST_DEVICE + 2);
	ck_assert(save->rflags & RFLAGS_RF);
}

START_TEST(owner_may_stop_it)
{
	begin("\xf3\xa4");
	guest.stop_after = 2;
	ck_assert_int_eq(execute(), -EINTR);
	check(0, 3, GUEST_DATA + 2, GUEST_DEVICE + 2);
	ck_assert_uint_eq(control->eventinj, 0);
	ck_assert(save->rflags & RFLAGS_RF);
	ck_assert_int_eq(execute(), 0);
	check(2, 0, GUEST_DATA + 5, GUEST_DEVICE + 5);
	ck_assert_uint_eq(save->rflags & RFLAGS_RF, 0);
}

START_TEST(it_resumes_for_the_rest)
{
	begin("\xf3\xaa");
	guest.bus.stop = NULL;
	regs->rcx = 0xffffffff;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(save->rip, GUEST_CODE);
	ck_assert_uint_eq(regs->rcx, 0xffffffff - guest.writes);
	ck_assert_uint_eq(regs->rdi, GUEST_DEVICE + guest.writes);
	ck_assert_uint_ge(guest.writes, 1000);
}

START_TEST(trap_flag_traps_behind_each)
{
	begin("\xf3\xa4");
	regs->rcx = 2;
	save->rflags |= RFLAGS_TF;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, VALID | 1);
	check(0, 1, GUEST_DATA + 1, GUEST_DEVICE + 1);
	control->eventinj = 0;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, VALID | 1);
	check(2, 0, GUEST_DATA + 2, GUEST_DEVICE + 2);
}

/* ---- I/O ------------------------------------------------------------------------- */

#define PORT 0x3f8ull

static void begin_io(const char *code, uint64_t info)
{
	begin(code);
	control->exitcode = VMEXIT_IOIO;
	control->exitinfo1 = PORT << SVM_IOIO_PORT_SHIFT | info;
	control->exitinfo2 = GUEST_CODE + strlen(code);
	guest.in = 0xa1b2c3d4;
}

START_TEST(in_and_out)
{
	begin_io("\xec", SVM_IOIO_IN | SVM_IOIO_SZ8);
	control->interrupt_shadow = 1;
	save->rflags |= RFLAGS_RF | RFLAGS_TF;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(save->rax, 0x11223344556677d4);
	check(1, 5, GUEST_DATA, GUEST_DEVICE);
	ck_assert_uint_eq(guest.port, PORT);
	ck_assert_uint_eq(control->interrupt_shadow, 0);
	ck_assert_uint_eq(save->rflags & RFLAGS_RF, 0);
	ck_assert_uint_eq(control->eventinj, VALID | 1);
	begin_io("\x66\xef", SVM_IOIO_SZ16);
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(guest.out, 0x7788);
	check(2, 5, GUEST_DATA, GUEST_DEVICE);
}

/* R/W 2 is I/O, if CR4.DE is set (APM 13.1.1.2). */
static void begin_breakpoint(uint64_t cr4)
{
	begin_io("\xee", SVM_IOIO_SZ8);
	guest.vcpu.regs->dr[0] = PORT & ~3;
	save->dr7 = 0x400 | 2 | 2 << 16 | 3 << 18;
	save->cr4 |= cr4;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(save->rip, GUEST_CODE + 1);
}

START_TEST(ports_have_breakpoints)
{
	begin_breakpoint(SVM_CR4_DE);
	ck_assert_uint_eq(control->eventinj, VALID | 1);
	ck_assert_uint_eq(save->dr6 & 0xf, 1);
	begin_breakpoint(0);
	ck_assert_uint_eq(control->eventinj, 0);
}

START_TEST(data_breakpoints_end_an_iteration)
{
	begin("\xf3\xa4");
	guest.vcpu.regs->dr[3] = GUEST_DEVICE + 1;
	save->dr7 = 0x400 | 1 << 6 | 1 << 28;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj, VALID | 1);
	ck_assert_uint_eq(save->dr6 & 0xf, 8);
	check(0, 3, GUEST_DATA + 2, GUEST_DEVICE + 2);
}

START_TEST(ins_and_outs)
{
	begin_io("\xf3\x6d",
		 SVM_IOIO_IN | SVM_IOIO_STR | SVM_IOIO_REP | SVM_IOIO_SZ32);
	regs->rdi = GUEST_DATA;
	ck_assert_int_eq(execute(), 0);
	check(2, 0, GUEST_DATA, GUEST_DATA + 20);
	ck_assert_uint_eq(guest.ins, 5);
	ck_assert_uint_eq(guest.memory[GUEST_DATA], 0xd4);
	ck_assert_uint_eq(guest.memory[GUEST_DATA + 16], 0xd8);
	begin_io("\x65\xf3\x6e", SVM_IOIO_STR | SVM_IOIO_REP | SVM_IOIO_SZ8);
	save->gs.base = 8;
	ck_assert_int_eq(execute(), 0);
	check(3, 0, GUEST_DATA + 5, GUEST_DEVICE);
	ck_assert_uint_eq(guest.outs, 5);
	ck_assert_uint_eq(guest.out, 13);
}

START_TEST(ins_reads_the_port_only_if_it_can_write)
{
	begin_io("\x6c", SVM_IOIO_IN | SVM_IOIO_STR | SVM_IOIO_SZ8);
	regs->rdi = 0x100000000;
	ck_assert_int_eq(execute(), 0);
	ck_assert_uint_eq(control->eventinj & SVM_EVENT_VECTOR_MASK, 14);
	ck_assert_uint_eq(guest.ins, 0);
}

/*
 * The processor has checked permissions for the instruction that exited. If there is
 * another one by now, the guest must execute it again.
 */
START_TEST(another_instruction_is_the_guest_s_again)
{
	begin_io("\x6d", SVM_IOIO_IN | SVM_IOIO_STR | SVM_IOIO_SZ8);
	ck_assert_int_eq(execute(), 0);
	check(0, 5, GUEST_DATA, GUEST_DEVICE);
	ck_assert_uint_eq(guest.ins, 0);
	begin_io("\x6e", SVM_IOIO_IN | SVM_IOIO_STR | SVM_IOIO_SZ8);
	ck_assert_int_eq(execute(), 0);
	check(0, 5, GUEST_DATA, GUEST_DEVICE);
	begin("\x6e"); /* without VMEXIT_IOIO */
	ck_assert_int_eq(execute(), -EOPNOTSUPP);
	ck_assert_uint_eq(guest.outs, 0);
}

static const TTest **const tests[] = {
	&movs_goes_either_way,
	&movs_from_device_to_memory_across_pages,
	&stos_and_lods,
	&comparisons_end_by_zf,
	&no_count_no_iteration,
	&addresses_may_be_narrower,
	&source_has_a_segment,
	&faults_leave_what_is_done,
	&owner_may_stop_it,
	&it_resumes_for_the_rest,
	&trap_flag_traps_behind_each,
	&in_and_out,
	&ports_have_breakpoints,
	&data_breakpoints_end_an_iteration,
	&ins_and_outs,
	&ins_reads_the_port_only_if_it_can_write,
	&another_instruction_is_the_guest_s_again,
};

Suite *string_suite(void)
{
	return suite_of("string", tests, ARRAY_SIZE(tests));
}
