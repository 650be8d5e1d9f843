// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_mode_reset(), svmrun_mode_real() and the like: the initial state of a vCPU in
 * each mode, and the page tables of long mode.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>

#include "suites.h"
#include "vcpu_pages.h"

#define TABLES 0x2000
#define ENTRY_FLAGS 0xfffull

static struct vcpu_pages pages;
static const struct svm_vmcb_save *const save = &pages.vmcb.save;
static const struct svm_vmcb_control *const control = &pages.vmcb.control;

static struct svmrun_memory guest_memory(void)
{
	static _Alignas(4096) uint8_t bytes[16 * 4096];

	memset(bytes, VCPU_PAGES_RUBBISH, sizeof(bytes));
	return (struct svmrun_memory){ .base = bytes, .size = sizeof(bytes) };
}

static void check_segment(const struct svm_seg *seg, uint16_t selector,
			  uint16_t attrib, uint32_t limit, uint64_t base)
{
	ck_assert_uint_eq(seg->selector, selector);
	ck_assert_uint_eq(seg->attrib, attrib);
	ck_assert_uint_eq(seg->limit, limit);
	ck_assert_uint_eq(seg->base, base);
}

static void check_data_segments(uint16_t selector, uint16_t attrib,
				uint32_t limit, uint64_t base)
{
	check_segment(&save->ds, selector, attrib, limit, base);
	check_segment(&save->es, selector, attrib, limit, base);
	check_segment(&save->ss, selector, attrib, limit, base);
	check_segment(&save->fs, selector, attrib, limit, base);
	check_segment(&save->gs, selector, attrib, limit, base);
}

static void check_table(const struct svm_seg *seg, uint32_t limit)
{
	ck_assert_uint_eq(seg->limit, limit);
	ck_assert_uint_eq(seg->base, 0);
}

/* APM volume 2, table 14-1 */
START_TEST(reset_leaves_the_registers_of_the_manual)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	ck_assert_uint_eq(save->cr0, 0x10); /* ET; CD and NW are clear */
	ck_assert_uint_eq(save->cr2, 0);
	ck_assert_uint_eq(save->cr3, 0);
	ck_assert_uint_eq(save->cr4, 0);
	ck_assert_uint_eq(save->rflags, 2);
	ck_assert_uint_eq(save->rip, 0xfff0);
	ck_assert_uint_eq(save->rax, 0);
	ck_assert_uint_eq(save->rsp, 0);
	ck_assert_uint_eq(save->dr6, 0xffff0ff0);
	ck_assert_uint_eq(save->dr7, 0x400);
	ck_assert_uint_eq(save->g_pat, 0x0007040600070406);
	ck_assert_uint_eq(save->cpl, 0);
}

START_TEST(reset_leaves_the_segments_of_the_manual)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	check_segment(&save->cs, 0xf000, 0x9b, 0xffff, 0xffff0000);
	check_data_segments(0, 0x93, 0xffff, 0);
	check_segment(&save->ldtr, 0, 0x82, 0xffff, 0);
	check_segment(&save->tr, 0, 0x8b, 0xffff, 0);
	check_table(&save->gdtr, 0xffff);
	check_table(&save->idtr, 0xffff);
}

START_TEST(reset_sets_what_vmrun_insists_on)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	ck_assert_uint_eq(save->efer, 1 << 12);
	ck_assert_uint_eq(control->asid, 1);
	ck_assert_uint_eq(control->nested_ctl, SVM_NESTED_NP_ENABLE);
}

START_TEST(reset_intercepts_hlt_cpuid_shutdown)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	int i;

	svmrun_mode_reset(&vcpu);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(control->intercept[i],
				  i == 3 ? SVM_INTERCEPT3_HLT |
						   SVM_INTERCEPT3_CPUID |
						   SVM_INTERCEPT3_SHUTDOWN :
					   0);
}

START_TEST(reset_clears_the_rest_of_the_control_area)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	ck_assert_uint_eq(control->clean, 0);
	ck_assert_uint_eq(control->eventinj, 0);
	ck_assert_uint_eq(control->exitcode, 0);
	ck_assert_uint_eq(control->tlb_control, 0);
	ck_assert_uint_eq(control->tsc_offset, 0);
	ck_assert_uint_eq(control->vintr, 0);
}

START_TEST(reset_leaves_what_is_the_programs_own)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	ck_assert_uint_eq(control->software[0], VCPU_PAGES_RUBBISH);
	ck_assert_uint_eq(pages.msrpm[0], VCPU_PAGES_RUBBISH);
	ck_assert_uint_eq(pages.regs.immediate_exit, VCPU_PAGES_RUBBISH);
	ck_assert_uint_eq(pages.regs.out_exits_fault & 0xff,
			  VCPU_PAGES_RUBBISH);
}

START_TEST(reset_puts_the_signature_into_rdx)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	unsigned int eax, ebx, ecx, edx;

	svmrun_mode_reset(&vcpu);
	__cpuid(1, eax, ebx, ecx, edx);
	ck_assert_uint_eq(pages.regs.rdx, eax);
	ck_assert_uint_eq(pages.regs.rbx, 0);
	ck_assert_uint_eq(pages.regs.r15, 0);
	ck_assert_uint_eq(pages.regs.dr[3], 0);
	ck_assert_uint_eq(pages.regs.xcr0, 1);
}

START_TEST(reset_leaves_extended_state_initial)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	uint64_t xstate_bv;
	uint32_t mxcsr;
	uint16_t fcw;

	svmrun_mode_reset(&vcpu);
	memcpy(&fcw, pages.xsave, sizeof(fcw));
	memcpy(&mxcsr, pages.xsave + 24, sizeof(mxcsr));
	memcpy(&xstate_bv, pages.xsave + 512, sizeof(xstate_bv));
	ck_assert_uint_eq(fcw, 0x37f);
	ck_assert_uint_eq(mxcsr, 0x1f80);
	ck_assert_uint_eq(xstate_bv, 0);
	ck_assert_uint_eq(pages.xsave[sizeof(pages.xsave) - 1], 0);
}

START_TEST(real_has_segments_at_sixteen_times_the_selector)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_real(&vcpu, 0xffff, 0x1234);
	check_segment(&save->cs, 0xffff, 0x9b, 0xffff, 0xffff0);
	check_data_segments(0xffff, 0x93, 0xffff, 0xffff0);
	ck_assert_uint_eq(save->rip, 0x1234);
	ck_assert_uint_eq(save->rsp, 0);
	ck_assert_uint_eq(save->cr0 & 1, 0);
	ck_assert_uint_eq(save->efer, 1 << 12);
}

START_TEST(protected_is_flat_without_paging)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_protected(&vcpu, 0xfffffff0, 0x80000000);
	check_segment(&save->cs, 0x08, 0xc9b, 0xffffffff, 0);
	check_data_segments(0x10, 0xc93, 0xffffffff, 0);
	check_table(&save->gdtr, 0);
	check_table(&save->idtr, 0);
	ck_assert_uint_eq(save->rip, 0xfffffff0);
	ck_assert_uint_eq(save->rsp, 0x80000000);
	ck_assert_uint_eq(save->cr0 & 0x80000001, 1);
	ck_assert_uint_eq(save->rflags, 2);
}

START_TEST(long_has_64_bit_code_and_sse)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();

	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, TABLES, 0x100000,
					  0x9000),
			 0);
	check_segment(&save->cs, 0x08, 0xa9b, 0xffffffff, 0);
	ck_assert_uint_eq(save->efer, 0x1500);
	ck_assert_uint_eq(save->cr0 & 0xe0000001, 0x80000001);
	ck_assert_uint_eq(save->cr4, 0x620);
	ck_assert_uint_eq(save->cr3, TABLES);
	ck_assert_uint_eq(save->rip, 0x100000);
	ck_assert_uint_eq(save->rsp, 0x9000);
}

static uint64_t entry(const struct svmrun_memory *memory, uint64_t table,
		      unsigned int index)
{
	const uint64_t *at = svmrun_memory_at(memory, table + index * 8, 8);

	ck_assert_ptr_nonnull(at);
	return *at;
}

/* Walk the page tables (APM 5.3); each level must be present and writable. */
static uint64_t translate(const struct svmrun_memory *memory, uint64_t cr3,
			  uint64_t address)
{
	uint64_t next = entry(memory, cr3, address >> 39 & 511);

	ck_assert_uint_eq(next & ENTRY_FLAGS, 3);
	next = entry(memory, next & ~ENTRY_FLAGS, address >> 30 & 511);
	ck_assert_uint_eq(next & ENTRY_FLAGS, 3);
	next = entry(memory, next & ~ENTRY_FLAGS, address >> 21 & 511);
	ck_assert_uint_eq(next & ENTRY_FLAGS, 0x83);
	return (next & ~0x1fffffull) | (address & 0x1fffff);
}

START_TEST(long_maps_4_gib_one_to_one)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();
	uint64_t address;

	svmrun_mode_long(&vcpu, &memory, TABLES, 0, 0);
	for (address = 0; address < 1ull << 32; address += 0x1ff123)
		ck_assert_uint_eq(translate(&memory, TABLES, address), address);
	ck_assert_uint_eq(translate(&memory, TABLES, 0xffffffff), 0xffffffff);
}

START_TEST(long_maps_nothing_else)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();
	unsigned int i;

	svmrun_mode_long(&vcpu, &memory, TABLES, 0, 0);
	for (i = 1; i < 512; i++)
		ck_assert_uint_eq(entry(&memory, TABLES, i), 0);
	for (i = 4; i < 512; i++)
		ck_assert_uint_eq(entry(&memory, TABLES + 4096, i), 0);
}

START_TEST(long_writes_its_tables_only)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();
	const uint8_t *bytes = memory.base;

	svmrun_mode_long(&vcpu, &memory, TABLES, 0, 0);
	ck_assert_uint_eq(bytes[TABLES - 1], VCPU_PAGES_RUBBISH);
	ck_assert_uint_eq(bytes[TABLES + SVMRUN_LONG_TABLES_SIZE],
			  VCPU_PAGES_RUBBISH);
}

START_TEST(long_refuses_tables_off_a_page)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();

	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, TABLES + 8, 0, 0),
			 -EINVAL);
	ck_assert_uint_eq(save->rip & 0xff, VCPU_PAGES_RUBBISH);
}

START_TEST(long_refuses_tables_outside_of_memory)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();

	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, 11 * 4096, 0, 0),
			 -ERANGE);
	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, ~0xfffull, 0, 0),
			 -ERANGE);
	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, 10 * 4096, 0, 0), 0);
}

START_TEST(long_refuses_an_entry_that_is_not_canonical)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	struct svmrun_memory memory = guest_memory();

	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, TABLES,
					  0x0000800000000000, 0),
			 -ERANGE);
	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, TABLES,
					  0xffff7fffffffffff, 0),
			 -ERANGE);
	ck_assert_int_eq(svmrun_mode_long(&vcpu, &memory, TABLES,
					  0xffff800000000000, 0),
			 0);
}

static struct svmrun_vcpu begin_init(void)
{
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	svmrun_mode_reset(&vcpu);
	memset(pages.xsave, VCPU_PAGES_RUBBISH, sizeof(pages.xsave));
	memset(&pages.vmcb.save, VCPU_PAGES_RUBBISH, sizeof(pages.vmcb.save));
	pages.regs.xcr0 = 7;
	pages.vmcb.control.tsc_offset = 1234;
	pages.vmcb.control.intercept[4] = 1;
	pages.vmcb.control.eventinj = SVM_EVENT_VALID;
	pages.vmcb.control.interrupt_shadow = 1;
	pages.vmcb.control.vintr = SVM_VINTR_V_IRQ | 5;
	return vcpu;
}

/* APM volume 2, table 14-1 */
START_TEST(init_is_not_reset)
{
	struct svmrun_vcpu vcpu = begin_init();
	const uint64_t old = 0xa5a5a5a5a5a5a5a5;
	size_t i;

	svmrun_mode_init(&vcpu);
	ck_assert_uint_eq(control->tsc_offset, 1234);
	ck_assert_uint_eq(control->intercept[4], 1);
	ck_assert_uint_eq(pages.regs.xcr0, 7);
	for (i = 0; i < sizeof(pages.xsave); i++)
		ck_assert_uint_eq(pages.xsave[i], VCPU_PAGES_RUBBISH);
	ck_assert_uint_eq(save->g_pat, old);
	ck_assert_uint_eq(save->star, old);
	ck_assert_uint_eq(save->lstar, old);
	ck_assert_uint_eq(save->cstar, old);
	ck_assert_uint_eq(save->sfmask, old);
	ck_assert_uint_eq(save->kernel_gs_base, old);
	ck_assert_uint_eq(save->sysenter_cs, old);
	ck_assert_uint_eq(save->sysenter_esp, old);
	ck_assert_uint_eq(save->sysenter_eip, old);
}

START_TEST(init_resets_the_rest)
{
	struct svmrun_vcpu vcpu = begin_init();
	struct svm_vmcb_save fresh;

	svmrun_mode_init(&vcpu);
	ck_assert_uint_eq(control->asid, 2);
	ck_assert_uint_eq(control->eventinj, 0);
	ck_assert_uint_eq(control->interrupt_shadow, 0);
	ck_assert_uint_eq(control->vintr, 0);
	ck_assert_uint_eq(pages.regs.rbx, 0);
	ck_assert_uint_ne(pages.regs.rdx, 0);
	ck_assert_uint_eq(pages.regs.dr[0], 0);
	fresh = *save;
	svmrun_mode_reset(&vcpu);
	fresh.g_pat = save->g_pat;
	fresh.star = 0;
	fresh.lstar = 0;
	fresh.cstar = 0;
	fresh.sfmask = 0;
	fresh.kernel_gs_base = 0;
	fresh.sysenter_cs = 0;
	fresh.sysenter_esp = 0;
	fresh.sysenter_eip = 0;
	ck_assert_mem_eq(&fresh, save, sizeof(fresh));
}

static const TTest **const tests[] = {
	&reset_leaves_the_registers_of_the_manual,
	&reset_leaves_the_segments_of_the_manual,
	&reset_sets_what_vmrun_insists_on,
	&reset_intercepts_hlt_cpuid_shutdown,
	&reset_clears_the_rest_of_the_control_area,
	&reset_leaves_what_is_the_programs_own,
	&reset_puts_the_signature_into_rdx,
	&reset_leaves_extended_state_initial,
	&real_has_segments_at_sixteen_times_the_selector,
	&protected_is_flat_without_paging,
	&long_has_64_bit_code_and_sse,
	&long_maps_4_gib_one_to_one,
	&long_maps_nothing_else,
	&long_writes_its_tables_only,
	&long_refuses_tables_off_a_page,
	&long_refuses_tables_outside_of_memory,
	&long_refuses_an_entry_that_is_not_canonical,
	&init_is_not_reset,
	&init_resets_the_rest,
};

Suite *mode_suite(void)
{
	return suite_of("mode", tests, ARRAY_SIZE(tests));
}
