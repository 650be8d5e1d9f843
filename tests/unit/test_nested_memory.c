// SPDX-License-Identifier: GPL-2.0
/*
 * nested_memory: nested page faults of a guest hypervisor's guest, and tables and VMCBs that
 * are wrong
 */
#include <errno.h>

#include "nested_guest.h"
#include "xorshift.h"

/* ---- nested paging --------------------------------------------------------- */

START_TEST(a_page_of_l1s_table_is_mapped)
{
	map_nested(0x5000, PTE_ALL);
	vmrun();
	ck_assert_int_eq(nested_fault(0x123, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_eq(fake_maps[0].gpa, 0);
	ck_assert_uint_eq(fake_maps[0].length, PAGE_SIZE);
	ck_assert_uint_eq(fake_maps[0].hva, (uintptr_t)ram.base + 0x5000);
	ck_assert_uint_eq(fake_maps[0].flags,
			  SVMRUN_MAP_READ | SVMRUN_MAP_EXEC);
	ck_assert_uint_eq(table(3)[0] & (PTE_A | PTE_D), PTE_A);
	/* The write sets the dirty bit, and makes the page writable. */
	ck_assert_int_eq(nested_fault(0x123, SVM_NPF_WRITE | SVM_NPF_PRESENT),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_ne(fake_maps[0].flags & SVMRUN_MAP_WRITE, 0);
	ck_assert_uint_eq(table(3)[0] & PTE_D, PTE_D);
}
END_TEST

/* The mappings of the ASID make room, and L2 continues. */
START_TEST(all_mappings_are_dropped_if_there_is_no_room)
{
	map_nested(0x5000, PTE_ALL);
	table(3)[1] = 0x6000 | PTE_ALL;
	vmrun();
	nested_fault(0x123, 0);
	ck_assert_uint_eq(fake_maps[0].length, 2 * PAGE_SIZE);
	fake_maps_are_whole = true;
	ck_assert_int_eq(nested_fault(0x123, SVM_NPF_WRITE | SVM_NPF_PRESENT),
			 SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_eq(fake_maps[0].length, PAGE_SIZE);
	ck_assert_uint_ne(fake_maps[0].flags & SVMRUN_MAP_WRITE, 0);
}
END_TEST

/* L1's tables can have larger addresses than the VM of L2. */
START_TEST(an_address_that_the_vm_cannot_have_is_not_present)
{
	map_nested(0x5000, PTE_ALL);
	table(0)[2] = table_address(1) | PTE_ALL;
	vmrun();
	ck_assert_int_eq(nested_fault(1ull << 40, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(fake_map_count, 0);
}
END_TEST

START_TEST(a_page_that_l1_has_not_mapped_exits)
{
	map_nested(0x5000, PTE_P | PTE_U);
	vmrun();
	ck_assert_int_eq(nested_fault(0x1008, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x1008);
	vmrun();
	ck_assert_int_eq(exit_with(VMEXIT_NPF,
				   SVM_NPF_WRITE | SVM_NPF_USER | SVM_NPF_TABLE,
				   8),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_PRESENT | SVM_NPF_WRITE | SVM_NPF_USER |
				  SVM_NPF_TABLE);
}
END_TEST

START_TEST(a_large_page_is_mapped_as_far_as_there_is_memory)
{
	map_nested(0, 0);
	table(2)[0] = 0x200000 | PTE_ALL | PTE_PS;
	vmrun();
	nested_fault(0x3123, 0);
	ck_assert_uint_eq(fake_maps[0].length, 2ul << 20);
	ck_assert_uint_eq(fake_maps[0].hva, (uintptr_t)ram.base + 0x200000);
	fake_map_count = 0;
	table(1)[0] = PTE_ALL | PTE_PS; /* 1 GiB, of which there are 4 MiB */
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmrun();
	nested_fault(0x201123, 0);
	ck_assert_uint_eq(fake_maps[0].gpa, 0x200000);
	ck_assert_uint_eq(fake_maps[0].length, 2ul << 20);
	ck_assert_int_eq(nested_fault(RAM_SIZE + 8, 0),
			 SVMRUN_NESTED_NOT_HANDLED);
	ck_assert_uint_eq(current()->vmcb->control.exitinfo2, RAM_SIZE + 8);
}
END_TEST

START_TEST(a_flush_unmaps_the_pages_of_its_asid)
{
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	nested_fault(0, 0);
	ck_assert_uint_eq(fake_map_count, 1);
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->control.tlb_control = SVM_TLB_CONTROL_FLUSH_GUEST;
	vmrun();
	ck_assert_uint_eq(fake_map_count, 0);
	nested_fault(0, 0);
	ck_assert_uint_eq(fake_map_count, 1);
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	ck_assert_uint_eq(fake_map_count, 0);
}
END_TEST

START_TEST(translations_for_the_program_follow_l1s_table)
{
	uint64_t physical;

	ck_assert_int_eq(svmrun_nested_translate(nested, 0x123, 0, &physical),
			 0);
	ck_assert_uint_eq(physical, 0x123);
	map_nested(0x5000, PTE_ALL);
	vmrun();
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x123, 0, &physical),
			 0);
	ck_assert_uint_eq(physical, 0x5123);
	ck_assert(!svmrun_nested_fault(nested));
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x1123,
						 SVMRUN_ACCESS_WRITE,
						 &physical),
			 -ENXIO);
	ck_assert(svmrun_nested_fault(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_WRITE | SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x1123);
}
END_TEST

/* A table that points to itself ends where the levels end. */
START_TEST(a_loop_of_tables_ends)
{
	table(0)[0] = table_address(0) | PTE_ALL;
	vmcb12->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb12->control.n_cr3 = table_address(0);
	vmrun();
	ck_assert_int_eq(nested_fault(8, 0), SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(fake_maps[0].hva,
			  (uintptr_t)ram.base + table_address(0));
	vmcb12->control.n_cr3 = RAM_SIZE + 0x1000;
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmrun();
	ck_assert_int_eq(nested_fault(8, 0), SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
}
END_TEST

/* ---- hostile hypervisors -------------------------------------------------- */

#define ROUNDS 20000

static void scribble(uint64_t *seed)
{
	uint64_t *words = (uint64_t *)vmcb12;
	unsigned int count = xorshift(seed) % 8;

	while (count--)
		words[xorshift(seed) % (0x698 / 8)] = xorshift(seed) >>
						      xorshift(seed) % 64;
	if (xorshift(seed) % 4)
		vmcb12->control.intercept[4] |= SVM_INTERCEPT4_VMRUN;
	if (xorshift(seed) % 2)
		prepare_vmcb12();
	if (xorshift(seed) % 2)
		map_nested(xorshift(seed) % RAM_SIZE & ~0xfffull,
			   xorshift(seed) & 0xff);
	if (!(xorshift(seed) % 8))
		vmcb12->control.n_cr3 = xorshift(seed) % (2 * RAM_SIZE);
}

static const uint64_t exits[] = {
	VMEXIT_CPUID,	VMEXIT_IOIO,	 VMEXIT_MSR,	  VMEXIT_HLT,
	VMEXIT_NPF,	VMEXIT_NPF,	 VMEXIT_VMLOAD,	  VMEXIT_VMSAVE,
	VMEXIT_STGI,	VMEXIT_CLGI,	 VMEXIT_VINTR,	  VMEXIT_INVLPGA,
	VMEXIT_INVALID, VMEXIT_SHUTDOWN, VMEXIT_EXCP(14), VMEXIT_CR_WRITE(0),
};

/* Whatever VMCB12 and the tables contain, nothing outside of L1's memory is touched. */
START_TEST(random_vmcbs_do_no_harm)
{
	uint64_t seed = 1, physical;
	unsigned int i, entered = 0;

	for (i = 0; i < ROUNDS; i++) {
		scribble(&seed);
		if (!svmrun_nested_is_active(nested)) {
			svmrun_nested_set_svme(nested, true);
			vmrun();
			entered += svmrun_nested_is_active(nested);
		}
		current()->regs->rcx = xorshift(&seed) >> xorshift(&seed) % 64;
		current()->vmcb->save.rax = xorshift(&seed) % (2 * RAM_SIZE);
		svmrun_nested_prepare(nested, xorshift(&seed) % 2);
		exit_with(exits[xorshift(&seed) % ARRAY_SIZE(exits)],
			  xorshift(&seed) >> xorshift(&seed) % 64,
			  xorshift(&seed) >> xorshift(&seed) % 64);
		svmrun_nested_event(nested, VMEXIT_INTR + xorshift(&seed) % 4);
		svmrun_nested_translate(nested, xorshift(&seed) % RAM_SIZE, 0,
					&physical);
		if (!(xorshift(&seed) % 4))
			svmrun_nested_fault(nested);
	}
	ck_assert_uint_gt(entered, ROUNDS / 50);
}
END_TEST

Suite *nested_memory_suite(void)
{
	const TTest *const tests[] = {
		a_page_of_l1s_table_is_mapped,
		a_page_that_l1_has_not_mapped_exits,
		all_mappings_are_dropped_if_there_is_no_room,
		an_address_that_the_vm_cannot_have_is_not_present,
		a_large_page_is_mapped_as_far_as_there_is_memory,
		a_flush_unmaps_the_pages_of_its_asid,
		translations_for_the_program_follow_l1s_table,
		a_loop_of_tables_ends,
		random_vmcbs_do_no_harm,
	};
	TCase *tcase;

	return nested_suite_of("nested_memory", tests, ARRAY_SIZE(tests),
			       &tcase);
}
