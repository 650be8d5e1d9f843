// SPDX-License-Identifier: GPL-2.0
/*
 * nested_features: decode assists for a guest hypervisor on processors with and without them
 */
#include <errno.h>

#include "nested_guest.h"

#define FEATURES (SVM_FEATURE_NP | SVM_FEATURE_NRIP_SAVE)
#define MOV_CR (1ull << 63)

/* ---- decode assists ------------------------------------------------------- */

static void put_code(uint64_t physical, const char *code)
{
	memcpy(guest_ram_at(&ram, physical, 16), code, strlen(code));
}

/* L2 executes an instruction that L1 intercepts, with all ports. */
static void intercept(uint64_t exitcode, const char *code, uint64_t exitinfo1)
{
	prepare_vmcb12();
	vmcb12->control.intercept[exitcode / 32] |= 1u << exitcode % 32;
	vmcb12->control.insn_len = 7;
	memset(guest_ram_at(&ram, IOPM, 0x3000), 0xff, 0x3000);
	vmrun();
	put_code(CODE, code);
	ck_assert_int_eq(exit_with(exitcode, exitinfo1, 0),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitcode, exitcode);
}

static const struct {
	uint64_t exitcode;
	const char *code;
	uint64_t info;
} assists[] = {
	{ VMEXIT_CR_WRITE(3), "\x0f\x22\xdf", MOV_CR | 7 }, /* mov cr3, rdi */
	{ VMEXIT_CR_WRITE(0), "\x0f\x06", 0 }, /* clts */
	{ VMEXIT_CR0_SEL_WRITE, "\x0f\x22\xc1", MOV_CR | 1 },
	{ VMEXIT_DR_WRITE(7), "\x0f\x23\xfe", 6 }, /* mov dr7, rsi */
	{ VMEXIT_SWINT, "\xcd\x80", 0x80 },
	{ VMEXIT_INVLPG, "\x0f\x01\x38", 0x1111 }, /* invlpg [rax] */
	{ VMEXIT_INVLPGA, "\x0f\x01\xdf", 0x1111 },
};

START_TEST(decode_assists_need_no_processor_with_them)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(assists); i++) {
		intercept(assists[i].exitcode, assists[i].code, 0);
		ck_assert_uint_eq(vmcb12->control.exitinfo1, assists[i].info);
		ck_assert_uint_eq(vmcb12->control.insn_len, 0);
	}
}
END_TEST

START_TEST(decode_assists_of_the_processor_are_kept)
{
	begin_with_features(FEATURES | SVM_FEATURE_DECODE_ASSISTS);
	intercept(VMEXIT_CR_WRITE(3), "\x90", MOV_CR | 9);
	ck_assert_uint_eq(vmcb12->control.exitinfo1, MOV_CR | 9);
	map_nested(CODE, PTE_ALL);
	vmrun();
	current()->vmcb->control.insn_len = 3;
	current()->vmcb->control.insn_bytes[0] = 0x8b;
	nested_fault(0x5000, 0);
	ck_assert_uint_eq(vmcb12->control.insn_len, 3);
	ck_assert_uint_eq(vmcb12->control.insn_bytes[0], 0x8b);
}
END_TEST

START_TEST(other_exits_keep_their_information)
{
	const uint64_t outs = 0x80 << 16 | SVM_IOIO_STR | SVM_IOIO_SZ8;
	const uint64_t out = 0x80 << 16 | SVM_IOIO_SZ8;

	intercept(VMEXIT_IOIO, "\x64\x6e", outs);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  outs | 4 << SVM_IOIO_SEG_SHIFT);
	intercept(VMEXIT_IOIO, "\xe6\x80", out);
	ck_assert_uint_eq(vmcb12->control.exitinfo1, out);
	intercept(VMEXIT_IOIO, "\x06", outs); /* not an instruction */
	ck_assert_uint_eq(vmcb12->control.exitinfo1, outs);
	intercept(VMEXIT_TASK_SWITCH, "\xcd\x80", 0x28);
	ck_assert_uint_eq(vmcb12->control.exitinfo1, 0x28);
}
END_TEST

static void check_bytes(const char *code)
{
	ck_assert_uint_eq(vmcb12->control.insn_len, 15);
	ck_assert_int_eq(memcmp(vmcb12->control.insn_bytes, code, strlen(code)),
			 0);
}

START_TEST(a_page_fault_has_the_bytes_of_its_instruction)
{
	static const char code[] = "\x8b\x03\x90\x0f\x01\xd9";

	vmcb12->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_PF);
	vmrun();
	put_code(CODE, code);
	exit_with(VMEXIT_EXCP(VECTOR_PF), SVM_NPF_USER, 0x123456);
	ck_assert_uint_eq(vmcb12->control.exitinfo1, SVM_NPF_USER);
	check_bytes(code);
	vmrun();
	exit_with(VMEXIT_EXCP(VECTOR_PF), SVM_NPF_FETCH, 0x123456);
	ck_assert_uint_eq(vmcb12->control.insn_len, 0);
	/* Bytes end with the page if the next one is not present. */
	vmcb12->save.rip = ram.size - 4;
	((uint64_t *)guest_ram_at(&ram, TABLES + 0x2000, 0x1000))[2] = 0;
	vmrun();
	exit_with(VMEXIT_EXCP(VECTOR_PF), 0, 0x123456);
	ck_assert_uint_eq(vmcb12->control.insn_len, 4);
}
END_TEST

/* L2 has no paging, and its page 0 is L1's page of the code. */
static void run_without_paging(void)
{
	map_nested(CODE, PTE_ALL);
	vmcb12->save.cr0 = SVM_CR0_PE;
	vmcb12->save.cr4 = 0;
	vmcb12->save.efer = SVM_EFER_SVME;
	vmcb12->save.cs.attrib = SVM_SEG_P | SVM_SEG_S | SVM_SEG_DB | 0xb;
	vmcb12->save.cs.limit = UINT32_MAX;
	vmcb12->save.rip = 0;
	vmrun();
	ck_assert(svmrun_nested_is_active(nested));
}

START_TEST(a_nested_page_fault_has_the_bytes_of_its_instruction)
{
	static const char code[] = "\x8b\x03\x90\x0f\x01\xd9";
	uint64_t physical;

	put_code(CODE, code);
	run_without_paging();
	nested_fault(0x5000, 0);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
	check_bytes(code);
	run_without_paging();
	nested_fault(0x5000, SVM_NPF_FETCH);
	ck_assert_uint_eq(vmcb12->control.insn_len, 0);
	/* The program has executed the instruction up to its fault. */
	run_without_paging();
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x6000,
						 SVMRUN_ACCESS_WRITE,
						 &physical),
			 -ENXIO);
	ck_assert(svmrun_nested_fault(nested));
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x6000);
	check_bytes(code);
	/* No code is mapped: that is not the fault that L1 gets. */
	run_without_paging();
	current()->vmcb->save.rip = 0x7000;
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x6000, 0, &physical),
			 -ENXIO);
	ck_assert(svmrun_nested_fault(nested));
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x6000);
	ck_assert_uint_eq(vmcb12->control.insn_len, 0);
}
END_TEST

Suite *nested_features_suite(void)
{
	const TTest *const tests[] = {
		decode_assists_need_no_processor_with_them,
		decode_assists_of_the_processor_are_kept,
		other_exits_keep_their_information,
		a_page_fault_has_the_bytes_of_its_instruction,
		a_nested_page_fault_has_the_bytes_of_its_instruction,
	};
	TCase *tcase;

	return nested_suite_of("nested_features", tests, ARRAY_SIZE(tests),
			       &tcase);
}
