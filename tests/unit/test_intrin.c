// SPDX-License-Identifier: GPL-2.0
/*
 * The intrinsics of svmrun_intrin.h as far as they need no /dev/svmrun: VMCBs by physical
 * address, VMLOAD and VMSAVE, the global interrupt flag, and faults on bad operands.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <svmrun_intrin.h>

#include "suites.h"
#include "vcpu_pages.h"

#define PAGE 4096ul

static size_t alloc(void)
{
	size_t physical;

	ck_assert_int_eq(svmrun_intrin_alloc(&physical, NULL), 0);
	return physical;
}

static struct svm_vmcb *at(size_t physical)
{
	return svmrun_intrin_vcpu(physical)->vmcb;
}

/* ---- VMCBs ---------------------------------------------------------------- */

START_TEST(address_looks_physical)
{
	size_t physical = alloc();

	ck_assert_uint_ne(physical, 0);
	ck_assert_uint_eq(physical % PAGE, 0);
	ck_assert_uint_lt(physical, 1ul << 48);
	/* It is above all addresses that a pointer of a program can have. */
	ck_assert_uint_ge(physical, 1ul << 47);
}

START_TEST(vmcb_begins_as_zeros)
{
	static const struct svm_vmcb zero;
	const struct svmrun_vcpu *vcpu = svmrun_intrin_vcpu(alloc());

	ck_assert_mem_eq(vcpu->vmcb, &zero, sizeof(zero));
	ck_assert_uint_eq((uintptr_t)vcpu->vmcb % PAGE, 0);
	ck_assert_ptr_null(vcpu->regs);
}

START_TEST(nothing_else_has_a_vmcb)
{
	size_t physical = alloc();
	const size_t wrong[] = {
		0,
		1,
		PAGE,
		(size_t)at(physical),
		physical + 1,
		physical + PAGE,
		physical - PAGE,
		physical + PAGE * SVMRUN_INTRIN_VMCBS,
		physical & ~(1ul << 47),
		physical | 1ul << 63,
		~0ul,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_ptr_null(svmrun_intrin_vcpu(wrong[i]));
	ck_assert_ptr_nonnull(svmrun_intrin_vcpu(physical));
}

START_TEST(free_takes_one_and_leaves_the_others)
{
	size_t before = alloc(), freed = alloc(), after = alloc();

	at(before)->save.rax = 1;
	at(after)->save.rax = 2;
	svmrun_intrin_free(freed);
	ck_assert_ptr_null(svmrun_intrin_vcpu(freed));
	ck_assert_uint_eq(at(before)->save.rax, 1);
	ck_assert_uint_eq(at(after)->save.rax, 2);
}

START_TEST(free_leaves_alone_what_is_no_vmcb)
{
	size_t physical = alloc(), freed = alloc();

	svmrun_intrin_free(freed);
	svmrun_intrin_free(freed);
	svmrun_intrin_free(0);
	svmrun_intrin_free(physical + 1);
	ck_assert_ptr_nonnull(svmrun_intrin_vcpu(physical));
}

START_TEST(address_is_not_given_twice)
{
	size_t first = alloc(), i;

	svmrun_intrin_free(first);
	for (i = 0; i < 2 * SVMRUN_INTRIN_VMCBS; i++) {
		size_t physical = alloc();

		ck_assert_uint_ne(physical, first);
		ck_assert_ptr_null(svmrun_intrin_vcpu(first));
		svmrun_intrin_free(physical);
	}
}

START_TEST(all_can_be_had_at_once_and_no_more)
{
	static size_t physical[SVMRUN_INTRIN_VMCBS];
	size_t none = 1, i;

	for (i = 0; i < SVMRUN_INTRIN_VMCBS; i++) {
		physical[i] = alloc();
		at(physical[i])->save.rax = i;
	}
	ck_assert_int_eq(svmrun_intrin_alloc(&none, NULL), -ENOSPC);
	ck_assert_uint_eq(none, 1);
	svmrun_intrin_free(physical[1234]);
	physical[1234] = alloc();
	at(physical[1234])->save.rax = 1234;
	for (i = 0; i < SVMRUN_INTRIN_VMCBS; i++)
		ck_assert_uint_eq(at(physical[i])->save.rax, i);
}

START_TEST(vmcb_that_cannot_be_created_takes_no_slot)
{
	struct svmrun_vm none = { .fd = -1 };
	size_t physical = 1, i;

	for (i = 0; i < 2 * SVMRUN_INTRIN_VMCBS; i++)
		ck_assert_int_eq(svmrun_intrin_alloc(&physical, &none), -EBADF);
	ck_assert_uint_eq(physical, 1);
	alloc();
}

/* ---- VMLOAD and VMSAVE ---------------------------------------------------- */

/* Do VMLOAD and VMSAVE copy the byte at this offset (APM 15.5.2 and table B-2)? */
static bool is_moved(size_t offset)
{
	return (offset >= 0x440 && offset < 0x460) || /* FS, GS */
	       (offset >= 0x470 && offset < 0x480) || /* LDTR */
	       (offset >= 0x490 && offset < 0x4a0) || /* TR */
	       (offset >= 0x600 && offset < 0x640); /* STAR to SYSENTER_EIP */
}

/* Bytes that are copied have the one value, all others the other. */
static void check_bytes(const struct svm_vmcb *vmcb, uint8_t moved,
			uint8_t other)
{
	const uint8_t *byte = (const uint8_t *)vmcb;
	size_t i;

	for (i = 0; i < sizeof(*vmcb); i++)
		ck_assert_msg(byte[i] == (is_moved(i) ? moved : other),
			      "offset 0x%zx is 0x%x", i, byte[i]);
}

START_TEST(vmload_and_vmsave_move_what_the_manual_lists)
{
	size_t from = alloc(), to = alloc();

	memset(at(from), 0xa5, PAGE);
	memset(at(to), 0x5a, PAGE);
	__svm_vmload(from);
	__svm_vmsave(to);
	check_bytes(at(from), 0xa5, 0xa5);
	check_bytes(at(to), 0xa5, 0x5a);
}

START_TEST(vmload_copies)
{
	size_t from = alloc(), to = alloc();

	memset(at(from), 0xa5, PAGE);
	__svm_vmload(from);
	memset(at(from), 0x77, PAGE);
	__svm_vmsave(to);
	check_bytes(at(to), 0xa5, 0);
	__svm_vmsave(from);
	check_bytes(at(from), 0xa5, 0x77);
}

static void check_begins_as_reset(void)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu reset = vcpu_pages_fill(&pages);
	const uint8_t *want = (const uint8_t *)&pages.vmcb, *byte;
	size_t physical = alloc(), i;

	svmrun_mode_reset(&reset);
	__svm_vmsave(physical);
	byte = (const uint8_t *)at(physical);
	for (i = 0; i < PAGE; i++)
		ck_assert_uint_eq(byte[i], is_moved(i) ? want[i] : 0);
	svmrun_intrin_free(physical);
}

START_TEST(state_begins_as_reset_leaves_it)
{
	check_begins_as_reset();
}

static void *other_thread(void *argument)
{
	size_t mine = alloc();

	check_begins_as_reset();
	ck_assert(svmrun_intrin_gif());
	ck_assert_int_eq(svmrun_intrin_error(), 0);
	memset(at(mine), 0x5a, PAGE);
	__svm_vmload(mine);
	__svm_stgi();
	return argument;
}

START_TEST(each_thread_has_a_state_of_its_own)
{
	size_t mine = alloc(), after = alloc();
	pthread_t thread;

	memset(at(mine), 0xa5, PAGE);
	__svm_vmload(mine);
	__svm_vmrun(mine);
	ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	__svm_vmsave(after);
	check_bytes(at(after), 0xa5, 0);
	ck_assert(!svmrun_intrin_gif());
	ck_assert_int_eq(svmrun_intrin_error(), -EBADF);
}

/* ---- VMRUN, GIF ------------------------------------------------------------ */

START_TEST(gif_is_as_it_was_set)
{
	ck_assert(svmrun_intrin_gif());
	__svm_clgi();
	ck_assert(!svmrun_intrin_gif());
	__svm_clgi();
	ck_assert(!svmrun_intrin_gif());
	__svm_stgi();
	ck_assert(svmrun_intrin_gif());
}

START_TEST(vmcb_without_a_vm_is_invalid)
{
	size_t physical = alloc(), state = alloc();
	struct svm_vmcb want;

	memset(at(physical), 0xa5, PAGE);
	memset(at(state), 0x5a, PAGE);
	__svm_vmload(state);
	want = *at(physical);
	want.control.exitcode = VMEXIT_INVALID;
	want.control.exitinfo1 = 0;
	want.control.exitinfo2 = 0;
	want.control.exitintinfo = 0;
	__svm_vmrun(physical);
	ck_assert_mem_eq(at(physical), &want, sizeof(want));
	ck_assert_int_eq(svmrun_intrin_error(), -EBADF);
	__svm_vmsave(physical);
	ck_assert_uint_eq(at(physical)->save.star, 0x5a5a5a5a5a5a5a5a);
}

START_TEST(gif_is_clear_after_vmexit)
{
	size_t physical = alloc();

	__svm_vmrun(physical);
	ck_assert(!svmrun_intrin_gif());
	__svm_stgi();
	ck_assert(svmrun_intrin_gif());
}

/* ---- faults ----------------------------------------------------------------- */

static volatile struct {
	int signal;
	size_t rax;
	uint8_t opcode;
} fault;

/* Continue after the instruction that faulted. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *instruction = (const uint8_t *)regs[REG_RIP];

	fault.signal = info ? signal : 0;
	fault.rax = regs[REG_RAX];
	fault.opcode = *instruction;
	regs[REG_RIP] += *instruction == 0x0f ? 3 : 1;
}

static void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}

static void check_protected(void (*instruction)(size_t), size_t physical)
{
	fault.signal = 0;
	instruction(physical);
	ck_assert_int_eq(fault.signal, SIGSEGV);
	ck_assert_uint_eq(fault.rax, physical);
	ck_assert_uint_eq(fault.opcode, 0xf4); /* HLT */
}

START_TEST(what_is_no_vmcb_is_general_protection)
{
	size_t physical = alloc(), freed = alloc();
	const size_t wrong[] = { 0, 8, (size_t)at(physical), physical + 8,
				 freed };
	size_t i;

	svmrun_intrin_free(freed);
	catch_faults();
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		check_protected(__svm_vmrun, wrong[i]);
		check_protected(__svm_vmload, wrong[i]);
		check_protected(__svm_vmsave, wrong[i]);
	}
	ck_assert(svmrun_intrin_gif());
	fault.signal = 0;
	__svm_vmsave(physical);
	ck_assert_int_eq(fault.signal, 0);
}

START_TEST(skinit_is_the_processors_to_refuse)
{
	catch_faults();
	__svm_skinit(0x10000);
	ck_assert(fault.signal == SIGSEGV || fault.signal == SIGILL);
	ck_assert_uint_eq(fault.rax, 0x10000);
	ck_assert_uint_eq(fault.opcode, 0x0f);
}

static const TTest **const tests[] = {
	&address_looks_physical,
	&vmcb_begins_as_zeros,
	&nothing_else_has_a_vmcb,
	&free_takes_one_and_leaves_the_others,
	&free_leaves_alone_what_is_no_vmcb,
	&address_is_not_given_twice,
	&all_can_be_had_at_once_and_no_more,
	&vmcb_that_cannot_be_created_takes_no_slot,
	&vmload_and_vmsave_move_what_the_manual_lists,
	&vmload_copies,
	&state_begins_as_reset_leaves_it,
	&each_thread_has_a_state_of_its_own,
	&gif_is_as_it_was_set,
	&vmcb_without_a_vm_is_invalid,
	&gif_is_clear_after_vmexit,
	&what_is_no_vmcb_is_general_protection,
	&skinit_is_the_processors_to_refuse,
};

Suite *intrin_suite(void)
{
	return suite_of("intrin", tests, ARRAY_SIZE(tests));
}
