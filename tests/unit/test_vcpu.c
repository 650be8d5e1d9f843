// SPDX-License-Identifier: GPL-2.0
/* Access to general-purpose registers by number, as instructions encode them. */
#include "suites.h"
#include "vcpu_pages.h"

static struct vcpu_pages pages;

START_TEST(gprs_are_in_the_vmcb_and_the_registers_page)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svm_vmcb_save *save = &pages.vmcb.save;
	struct svmrun_registers *r = &pages.regs;
	const __u64 *const expected[] = {
		&save->rax, &r->rcx, &r->rdx, &r->rbx, &save->rsp, &r->rbp,
		&r->rsi,    &r->rdi, &r->r8,  &r->r9,  &r->r10,	   &r->r11,
		&r->r12,    &r->r13, &r->r14, &r->r15,
	};
	unsigned int i;

	for (i = 0; i < 16; i++) {
		svmrun_vcpu_set_gpr(&vcpu, i, ~i);
		ck_assert_uint_eq(*expected[i], ~i);
		ck_assert_uint_eq(svmrun_vcpu_get_gpr(&vcpu, i), ~i);
	}
}

START_TEST(other_gprs_are_zero_and_not_written)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct vcpu_pages before = pages;

	svmrun_vcpu_set_gpr(&vcpu, 16, 1);
	svmrun_vcpu_set_gpr(&vcpu, -1, 1);
	ck_assert_uint_eq(svmrun_vcpu_get_gpr(&vcpu, 16), 0);
	ck_assert_uint_eq(svmrun_vcpu_get_gpr(&vcpu, -1), 0);
	ck_assert_mem_eq(&pages, &before, sizeof(pages));
}

static const TTest **const tests[] = {
	&gprs_are_in_the_vmcb_and_the_registers_page,
	&other_gprs_are_zero_and_not_written,
};

Suite *vcpu_suite(void)
{
	return suite_of("vcpu", tests, ARRAY_SIZE(tests));
}
