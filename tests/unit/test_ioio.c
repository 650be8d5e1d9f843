// SPDX-License-Identifier: GPL-2.0
/* Decoding and completing intercepted IN and OUT (APM 15.10). */
#include <errno.h>
#include <string.h>

#include <svmrun.h>

#include "suites.h"

static struct svm_vmcb io_exit(uint64_t info)
{
	struct svm_vmcb vmcb = { 0 };

	vmcb.control.exitcode = VMEXIT_IOIO;
	vmcb.control.exitinfo1 = info;
	vmcb.control.exitinfo2 = 0x7c02;
	vmcb.control.interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW |
					SVM_SHADOW_GUEST_INTERRUPT_MASK;
	vmcb.save.rip = 0x7c00;
	vmcb.save.rax = 0x1122334455667788;
	return vmcb;
}

/* @info: EXITINFO1 (APM 15.10.2) */
static struct svmrun_ioio decode(uint64_t info)
{
	struct svm_vmcb vmcb = io_exit(info);
	struct svmrun_ioio io;

	ck_assert_int_eq(svmrun_ioio_decode(&io, &vmcb), 0);
	return io;
}

START_TEST(decode_reads_port_and_next_rip)
{
	struct svmrun_ioio io = decode(0xffff0010);

	ck_assert_uint_eq(io.port, 0xffff);
	ck_assert_uint_eq(io.next_rip, 0x7c02);
	ck_assert(!io.in && !io.string && !io.rep);
}

START_TEST(decode_reads_direction_string_and_rep)
{
	ck_assert(decode(0x03f80011).in);
	ck_assert(decode(0x03f80014).string);
	ck_assert(decode(0x03f80018).rep);
}

START_TEST(decode_reads_sizes)
{
	ck_assert_uint_eq(decode(0x10).size, 1);
	ck_assert_uint_eq(decode(0x20).size, 2);
	ck_assert_uint_eq(decode(0x40).size, 4);
	ck_assert_uint_eq(decode(0x10 | 0x080).address_size, 2);
	ck_assert_uint_eq(decode(0x10 | 0x100).address_size, 4);
	ck_assert_uint_eq(decode(0x10 | 0x200).address_size, 8);
	ck_assert_uint_eq(decode(0x10).address_size, 0);
}

START_TEST(decode_reads_the_segment)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(decode(0x14 | i << 10).segment, i);
}

START_TEST(decode_refuses_other_exits)
{
	struct svm_vmcb vmcb = io_exit(0x10);
	struct svmrun_ioio io;

	vmcb.control.exitcode = VMEXIT_MSR;
	ck_assert_int_eq(svmrun_ioio_decode(&io, &vmcb), -EINVAL);
}

START_TEST(decode_refuses_an_access_without_a_size)
{
	struct svm_vmcb vmcb = io_exit(0x03f80001);
	struct svmrun_ioio io;

	ck_assert_int_eq(svmrun_ioio_decode(&io, &vmcb), -EINVAL);
}

static uint32_t value_of(uint64_t info)
{
	struct svm_vmcb vmcb = io_exit(info);
	struct svmrun_ioio io;

	svmrun_ioio_decode(&io, &vmcb);
	return svmrun_ioio_value(&io, &vmcb);
}

START_TEST(value_is_as_wide_as_the_access)
{
	ck_assert_uint_eq(value_of(0x10), 0x88);
	ck_assert_uint_eq(value_of(0x20), 0x7788);
	ck_assert_uint_eq(value_of(0x40), 0x55667788);
}

static struct svm_vmcb completed(uint64_t info, uint32_t value)
{
	struct svm_vmcb vmcb = io_exit(info);
	struct svmrun_ioio io;

	svmrun_ioio_decode(&io, &vmcb);
	svmrun_ioio_complete(&io, &vmcb, value);
	return vmcb;
}

START_TEST(complete_goes_on_after_the_instruction)
{
	struct svm_vmcb vmcb = completed(0x10, 0);

	ck_assert_uint_eq(vmcb.save.rip, 0x7c02);
	ck_assert_uint_eq(vmcb.control.interrupt_shadow,
			  SVM_SHADOW_GUEST_INTERRUPT_MASK);
}

START_TEST(complete_of_out_leaves_rax)
{
	ck_assert_uint_eq(completed(0x40, 0xdeadbeef).save.rax,
			  0x1122334455667788);
}

START_TEST(complete_of_narrow_in_leaves_the_rest_of_rax)
{
	ck_assert_uint_eq(completed(0x11, 0xdeadbeef).save.rax,
			  0x11223344556677ef);
	ck_assert_uint_eq(completed(0x21, 0xdeadbeef).save.rax,
			  0x112233445566beef);
}

START_TEST(complete_of_4_byte_in_clears_the_upper_half_of_rax)
{
	ck_assert_uint_eq(completed(0x41, 0xdeadbeef).save.rax, 0xdeadbeef);
}

static const TTest **const tests[] = {
	&decode_reads_port_and_next_rip,
	&decode_reads_direction_string_and_rep,
	&decode_reads_sizes,
	&decode_reads_the_segment,
	&decode_refuses_other_exits,
	&decode_refuses_an_access_without_a_size,
	&value_is_as_wide_as_the_access,
	&complete_goes_on_after_the_instruction,
	&complete_of_out_leaves_rax,
	&complete_of_narrow_in_leaves_the_rest_of_rax,
	&complete_of_4_byte_in_clears_the_upper_half_of_rax,
};

Suite *ioio_suite(void)
{
	return suite_of("ioio", tests, ARRAY_SIZE(tests));
}
