// SPDX-License-Identifier: GPL-2.0
#include "suites.h"
#include "vcpu_pages.h"

static struct vcpu_pages pages;

START_TEST(gpr_finds_each_register_in_its_page)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svm_vmcb_save *save = &pages.vmcb.save;
	struct svmrun_registers *r = &pages.regs;
	const void *const expected[] = {
		&save->rax, &r->rcx, &r->rdx, &r->rbx, &save->rsp, &r->rbp,
		&r->rsi,    &r->rdi, &r->r8,  &r->r9,  &r->r10,	   &r->r11,
		&r->r12,    &r->r13, &r->r14, &r->r15,
	};
	unsigned int i;

	for (i = 0; i < 16; i++)
		ck_assert_ptr_eq(svmrun_vcpu_gpr(&vcpu, i), expected[i]);
}

START_TEST(gpr_knows_no_other_registers)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	ck_assert_ptr_null(svmrun_vcpu_gpr(&vcpu, 16));
	ck_assert_ptr_null(svmrun_vcpu_gpr(&vcpu, -1));
}

static const TTest **const tests[] = {
	&gpr_finds_each_register_in_its_page,
	&gpr_knows_no_other_registers,
};

Suite *vcpu_suite(void)
{
	return suite_of("vcpu", tests, ARRAY_SIZE(tests));
}
