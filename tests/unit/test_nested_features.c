// SPDX-License-Identifier: GPL-2.0
/*
 * nested_features: decode assists on processors with and without them, LBR virtualization and
 * the pause filter for the guest of a guest hypervisor
 */
#include <errno.h>

#include "nested_guest.h"

#define FEATURES (SVM_FEATURE_NP | SVM_FEATURE_NRIP_SAVE)
#define MOV_CR (1ull << 63)

#define MSR_DBGCTL 0x1d9
#define MSR_BR_FROM 0x1db
#define MSR_LAST_EXCP_TO 0x1de

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

/* ---- LBR virtualization (APM 15.23) --------------------------------------- */

static void prepare_lbr(uint64_t virt_ext)
{
	l1.vmcb->save.dbgctl = 2;
	vmcb12->control.virt_ext = virt_ext;
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmcb12->save.dbgctl = 0x3d; /* with bits that the module refuses */
	vmcb12->save.br_from = 0x10;
	vmcb12->save.br_to = 0x20;
	vmcb12->save.last_excp_from = 0x30;
	vmcb12->save.last_excp_to = 0x40;
	vmrun();
}

static void change_lbr(void)
{
	current()->vmcb->save.dbgctl = 3;
	current()->vmcb->save.br_from = 0x11;
	current()->vmcb->save.br_to = 0x21;
	current()->vmcb->save.last_excp_from = 0x31;
	current()->vmcb->save.last_excp_to = 0x41;
	exit_with(VMEXIT_HLT, 0, 0);
	ck_assert_uint_eq(l1.vmcb->save.dbgctl, 2);
}

START_TEST(branch_records_are_l2s_with_lbr_virtualization)
{
	const struct svm_vmcb_save *l2;

	begin_with_features(FEATURES | SVM_FEATURE_LBR_VIRT);
	prepare_lbr(SVM_VIRT_LBR_ENABLE | SVM_VIRT_VLS_ENABLE);
	l2 = &current()->vmcb->save;
	ck_assert_uint_eq(current()->vmcb->control.virt_ext,
			  SVM_VIRT_LBR_ENABLE);
	ck_assert_uint_eq(l2->dbgctl, 1);
	ck_assert_uint_eq(l2->br_from, 0x10);
	ck_assert_uint_eq(l2->br_to, 0x20);
	ck_assert_uint_eq(l2->last_excp_from, 0x30);
	ck_assert_uint_eq(l2->last_excp_to, 0x40);
	change_lbr();
	ck_assert_uint_eq(vmcb12->save.dbgctl, 3);
	ck_assert_uint_eq(vmcb12->save.br_from, 0x11);
	ck_assert_uint_eq(vmcb12->save.br_to, 0x21);
	ck_assert_uint_eq(vmcb12->save.last_excp_from, 0x31);
	ck_assert_uint_eq(vmcb12->save.last_excp_to, 0x41);
}
END_TEST

static void check_shared_lbr(uint64_t virt_ext)
{
	prepare_vmcb12();
	prepare_lbr(virt_ext);
	ck_assert_uint_eq(current()->vmcb->control.virt_ext, 0);
	ck_assert_uint_eq(current()->vmcb->save.dbgctl, 2);
	change_lbr();
	ck_assert_uint_eq(vmcb12->save.dbgctl, 0x3d);
	ck_assert_uint_eq(vmcb12->save.br_from, 0x10);
}

START_TEST(branch_records_are_shared_without_lbr_virtualization)
{
	check_shared_lbr(SVM_VIRT_LBR_ENABLE); /* not a feature here */
	begin_with_features(FEATURES | SVM_FEATURE_LBR_VIRT);
	check_shared_lbr(0);
}
END_TEST

START_TEST(msrs_of_branch_records_are_l2s)
{
	uint64_t value;

	begin_with_features(FEATURES | SVM_FEATURE_LBR_VIRT);
	ck_assert(!svmrun_nested_read_msr(nested, MSR_DBGCTL, &value));
	prepare_lbr(0);
	ck_assert(!svmrun_nested_read_msr(nested, MSR_DBGCTL, &value));
	exit_with(VMEXIT_HLT, 0, 0);
	prepare_lbr(SVM_VIRT_LBR_ENABLE);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_DBGCTL, 0x41),
			 -EINVAL);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_DBGCTL, 6), 0);
	ck_assert(svmrun_nested_read_msr(nested, MSR_DBGCTL, &value));
	ck_assert_uint_eq(value, SVM_DBGCTL_BTF);
	ck_assert(svmrun_nested_read_msr(nested, MSR_BR_FROM, &value));
	ck_assert_uint_eq(value, 0x10);
	ck_assert(svmrun_nested_read_msr(nested, MSR_LAST_EXCP_TO, &value));
	ck_assert_uint_eq(value, 0x40);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_BR_FROM, 1),
			 -EINVAL);
	exit_with(VMEXIT_HLT, 0, 0);
	ck_assert_uint_eq(vmcb12->save.dbgctl, SVM_DBGCTL_BTF);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_DBGCTL, 1),
			 -ENOENT);
}
END_TEST

START_TEST(enabling_lbr_virtualization_is_not_clean)
{
	begin_with_features(FEATURES | SVM_FEATURE_LBR_VIRT);
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.clean = SVM_CLEAN_ALL;
	prepare_lbr(0);
	exit_with(VMEXIT_HLT, 0, 0);
	prepare_lbr(0);
	ck_assert_uint_eq(current()->vmcb->control.clean, SVM_CLEAN_ALL);
	exit_with(VMEXIT_HLT, 0, 0);
	prepare_lbr(SVM_VIRT_LBR_ENABLE);
	ck_assert_uint_eq(current()->vmcb->control.clean,
			  SVM_CLEAN_ALL & ~SVM_CLEAN_LBR);
}
END_TEST

/* ---- pause filter (APM 15.14.4) ------------------------------------------- */

static void run_pause(uint16_t filter, uint16_t threshold)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_PAUSE;
	vmcb12->control.pause_filter_count = filter;
	vmcb12->control.pause_filter_threshold = threshold;
	vmrun();
}

START_TEST(the_pause_filter_is_l1s)
{
	begin_with_features(FEATURES | SVM_FEATURE_PAUSE_FILTER |
			    SVM_FEATURE_PAUSE_FILTER_THRESHOLD);
	run_pause(3000, 128);
	ck_assert_uint_ne(current()->vmcb->control.intercept[3] &
				  SVM_INTERCEPT3_PAUSE,
			  0);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_count, 3000);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_threshold, 128);
	ck_assert_int_eq(exit_with(VMEXIT_PAUSE, 0, 0), SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_PAUSE);
	ck_assert_uint_eq(vmcb12->control.pause_filter_count, 3000);
	vmcb12->control.intercept[3] = 0;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.intercept[3] &
				  SVM_INTERCEPT3_PAUSE,
			  0);
	ck_assert_int_eq(exit_with(VMEXIT_PAUSE, 0, 0),
			 SVMRUN_NESTED_NOT_HANDLED);
}
END_TEST

/* The processor would refuse a count that it does not know. */
START_TEST(a_pause_filter_without_the_feature_is_ignored)
{
	run_pause(3000, 128);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_count, 0);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_threshold, 0);
	begin_with_features(FEATURES | SVM_FEATURE_PAUSE_FILTER);
	run_pause(3000, 128);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_count, 3000);
	ck_assert_uint_eq(current()->vmcb->control.pause_filter_threshold, 0);
}
END_TEST

START_TEST(a_changed_pause_filter_is_not_clean)
{
	begin_with_features(FEATURES | SVM_FEATURE_PAUSE_FILTER);
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.clean = SVM_CLEAN_ALL;
	run_pause(3000, 0);
	exit_with(VMEXIT_PAUSE, 0, 0);
	run_pause(3000, 0);
	ck_assert_uint_eq(current()->vmcb->control.clean, SVM_CLEAN_ALL);
	exit_with(VMEXIT_PAUSE, 0, 0);
	run_pause(2000, 0);
	ck_assert_uint_eq(current()->vmcb->control.clean,
			  SVM_CLEAN_ALL & ~SVM_CLEAN_I);
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
		branch_records_are_l2s_with_lbr_virtualization,
		branch_records_are_shared_without_lbr_virtualization,
		msrs_of_branch_records_are_l2s,
		enabling_lbr_virtualization_is_not_clean,
		the_pause_filter_is_l1s,
		a_pause_filter_without_the_feature_is_ignored,
		a_changed_pause_filter_is_not_clean,
	};
	TCase *tcase;

	return nested_suite_of("nested_features", tests, ARRAY_SIZE(tests),
			       &tcase);
}
