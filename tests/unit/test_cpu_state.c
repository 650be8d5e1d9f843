// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a processor as a record: every member is saved, derived, or the tool's own;
 * and what is saved is loaded again.
 */
#include <errno.h>
#include <stdlib.h>

#include "members.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "vmm/cpu_state.h"
#include "vmm/machine.h"

static const struct member cpu_list[] = {
	MEMBER(struct cpu, machine, CONFIG),
	MEMBER(struct cpu, id, CONFIG),
	MEMBER(struct cpu, vcpu,
	       CONFIG), /* its pages have lists of their own */
	MEMBER(struct cpu, own, CONFIG),
	MEMBER(struct cpu, svm, CONFIG),
	BOOL(struct cpu, window),
	MEMBER(struct cpu, stats, CONFIG),
	MEMBER(struct cpu, thread, CONFIG),
	MEMBER(struct cpu, changed, CONFIG),
	MEMBER(struct cpu, timer, CONFIG),
	MEMBER(struct cpu, armed, CONFIG),
	MEMBER(struct cpu, in_guest, CONFIG),
	BOOL(struct cpu, halted),
	BOOL(struct cpu, frozen),
	MEMBER(struct cpu, blocked, CONFIG),
	MEMBER(struct cpu, hides_ne, DERIVED), /* false outside of the guest */
	PADDING(struct cpu, hides_ne, nmi),
	BOOL(struct cpu, nmi.masked),
	BOOL(struct cpu, nmi.at_iret),
	BOOL(struct cpu, nmi.steps),
	MEMBER(struct cpu, nmi.stepping,
	       DERIVED), /* false outside of the guest */
	BOOL(struct cpu, nmi.guest_tf),
	BOOL(struct cpu, nmi.trapped),
	BOOL(struct cpu, nmi.waits),
	PADDING(struct cpu, nmi.waits, nmi.rip),
	PADDING(struct cpu, nmi.exceptions, deferred),
	MEMBER(struct cpu, nmi.rip, SAVED),
	MEMBER(struct cpu, nmi.dr6, SAVED),
	MEMBER(struct cpu, nmi.events, SAVED),
	MEMBER(struct cpu, nmi.exceptions, SAVED),
	MEMBER(struct cpu, deferred, SAVED),
	MEMBER(struct cpu, kvmclock, SAVED),
	MEMBER(struct cpu, kvmclock_cpu, DERIVED),
	MEMBER(struct cpu, tsc_aux, SAVED),
	MEMBER(struct cpu, mtrr, SAVED),
	MEMBER(struct cpu, check, SAVED),
	MEMBER(struct cpu, model_msrs, SAVED),
	MEMBER(struct cpu, debug, CONFIG),
};

/*
 * CONFIG: set by svmrun_mode_reset(), set by the processor at #VMEXIT, or not offered to
 * guests
 */
static const struct member control_list[] = {
	MEMBER(struct svm_vmcb_control, intercept, SAVED),
	MEMBER(struct svm_vmcb_control, reserved_018, CONFIG),
	MEMBER(struct svm_vmcb_control, pause_filter_threshold, SAVED),
	MEMBER(struct svm_vmcb_control, pause_filter_count, SAVED),
	MEMBER(struct svm_vmcb_control, iopm_base_pa, CONFIG),
	MEMBER(struct svm_vmcb_control, msrpm_base_pa, CONFIG),
	MEMBER(struct svm_vmcb_control, tsc_offset, SAVED),
	MEMBER(struct svm_vmcb_control, asid, CONFIG),
	MEMBER(struct svm_vmcb_control, tlb_control, CONFIG),
	MEMBER(struct svm_vmcb_control, reserved_05d, CONFIG),
	MEMBER(struct svm_vmcb_control, vintr, SAVED),
	MEMBER(struct svm_vmcb_control, interrupt_shadow, SAVED),
	MEMBER(struct svm_vmcb_control, exitcode, CONFIG),
	MEMBER(struct svm_vmcb_control, exitinfo1, CONFIG),
	MEMBER(struct svm_vmcb_control, exitinfo2, CONFIG),
	MEMBER(struct svm_vmcb_control, exitintinfo, CONFIG),
	MEMBER(struct svm_vmcb_control, nested_ctl, CONFIG),
	MEMBER(struct svm_vmcb_control, avic_apic_bar, CONFIG),
	MEMBER(struct svm_vmcb_control, ghcb_pa, CONFIG),
	MEMBER(struct svm_vmcb_control, eventinj, SAVED),
	MEMBER(struct svm_vmcb_control, n_cr3, CONFIG),
	MEMBER(struct svm_vmcb_control, virt_ext, SAVED),
	MEMBER(struct svm_vmcb_control, clean, DERIVED),
	MEMBER(struct svm_vmcb_control, reserved_0c4, CONFIG),
	MEMBER(struct svm_vmcb_control, nrip, CONFIG),
	MEMBER(struct svm_vmcb_control, insn_len, CONFIG),
	MEMBER(struct svm_vmcb_control, insn_bytes, CONFIG),
	MEMBER(struct svm_vmcb_control, avic_backing_page, CONFIG),
	MEMBER(struct svm_vmcb_control, reserved_0e8, CONFIG),
	MEMBER(struct svm_vmcb_control, avic_logical_table, CONFIG),
	MEMBER(struct svm_vmcb_control, avic_physical_table, CONFIG),
	MEMBER(struct svm_vmcb_control, reserved_100, CONFIG),
	MEMBER(struct svm_vmcb_control, vmsa_pa, CONFIG),
	MEMBER(struct svm_vmcb_control, reserved_110, CONFIG),
	MEMBER(struct svm_vmcb_control, bus_lock_counter, CONFIG),
	MEMBER(struct svm_vmcb_control, reserved_122, CONFIG),
	MEMBER(struct svm_vmcb_control, software, CONFIG),
};

static const struct member register_list[] = {
	MEMBER(struct svmrun_registers, rbx, SAVED),
	MEMBER(struct svmrun_registers, rcx, SAVED),
	MEMBER(struct svmrun_registers, rdx, SAVED),
	MEMBER(struct svmrun_registers, rbp, SAVED),
	MEMBER(struct svmrun_registers, rsi, SAVED),
	MEMBER(struct svmrun_registers, rdi, SAVED),
	MEMBER(struct svmrun_registers, r8, SAVED),
	MEMBER(struct svmrun_registers, r9, SAVED),
	MEMBER(struct svmrun_registers, r10, SAVED),
	MEMBER(struct svmrun_registers, r11, SAVED),
	MEMBER(struct svmrun_registers, r12, SAVED),
	MEMBER(struct svmrun_registers, r13, SAVED),
	MEMBER(struct svmrun_registers, r14, SAVED),
	MEMBER(struct svmrun_registers, r15, SAVED),
	MEMBER(struct svmrun_registers, dr, SAVED),
	VALUES(struct svmrun_registers, xcr0, 0, 8),
	MEMBER(struct svmrun_registers, tsc_ratio, SAVED),
	MEMBER(struct svmrun_registers, immediate_exit, CONFIG),
	MEMBER(struct svmrun_registers, reserved, CONFIG),
	MEMBER(struct svmrun_registers, out_invalid_offset, CONFIG),
	MEMBER(struct svmrun_registers, out_invalid_reason, CONFIG),
	MEMBER(struct svmrun_registers, out_exits_interrupt, CONFIG),
	MEMBER(struct svmrun_registers, out_exits_nmi, CONFIG),
	MEMBER(struct svmrun_registers, out_exits_machine_check, CONFIG),
	MEMBER(struct svmrun_registers, out_exits_fault, CONFIG),
	MEMBER(struct svmrun_registers, out_exits_reflected, CONFIG),
};

#define LISTED(type, list)                                                     \
	do {                                                                   \
		members_map(list, ARRAY_SIZE(list), map);                      \
		MEMBERS_USED(type, used);                                      \
		members_cover(#type, map, used, sizeof(type));                 \
	} while (0)

static uint8_t map[MEMBERS_MAX];
static uint8_t used[MEMBERS_MAX];
static uint8_t bytes[1 << 16];
static struct vcpu_pages from_pages, to_pages, before_pages;
static struct cpu from, to, before;
static struct machine machine;
static struct svmrun_state state;

START_TEST(every_member_of_a_processor_is_listed)
{
	LISTED(struct cpu, cpu_list);
	LISTED(struct svm_vmcb_control, control_list);
	LISTED(struct svmrun_registers, register_list);
}

static void fill_cpu(struct cpu *cpu, struct vcpu_pages *pages)
{
	uint64_t seed = 5;

	machine.info.out_xcr0 = 7;
	memset(cpu, 0, sizeof(*cpu));
	cpu->machine = &machine;
	cpu->vcpu = vcpu_pages_fill(pages);
	members_fill(cpu_list, ARRAY_SIZE(cpu_list), cpu, &seed);
	members_fill(control_list, ARRAY_SIZE(control_list),
		     &pages->vmcb.control, &seed);
	members_fill(register_list, ARRAY_SIZE(register_list), &pages->regs,
		     &seed);
	xorshift_fill(&seed, &pages->vmcb.save, sizeof(pages->vmcb.save));
	xorshift_fill(&seed, pages->xsave, sizeof(pages->xsave));
}

static void save_and_begin_loading(void)
{
	svmrun_state_init(&state, bytes, sizeof(bytes));
	cpu_state_save(&from, &state);
	ck_assert_int_eq(state.error, 0);
	svmrun_state_init(&state, bytes, state.used);
	memset(&to, 0, sizeof(to));
	to.machine = &machine;
	to.vcpu = vcpu_pages_fill(&to_pages);
	before = to;
	before_pages = to_pages;
}

START_TEST(a_processor_returns)
{
	fill_cpu(&from, &from_pages);
	save_and_begin_loading();
	cpu_state_load(&to, &state, 0);
	ck_assert_int_eq(state.error, 0);
	members_map(cpu_list, ARRAY_SIZE(cpu_list), map);
	members_compare(map, &from, &to, &before, sizeof(to));
	members_map(control_list, ARRAY_SIZE(control_list), map);
	members_compare(map, &from_pages.vmcb.control, &to_pages.vmcb.control,
			&before_pages.vmcb.control,
			sizeof(struct svm_vmcb_control));
	members_map(register_list, ARRAY_SIZE(register_list), map);
	members_compare(map, &from_pages.regs, &to_pages.regs,
			&before_pages.regs, sizeof(struct svmrun_registers));
	ck_assert_mem_eq(&from_pages.vmcb.save, &to_pages.vmcb.save,
			 sizeof(struct svm_vmcb_save));
	ck_assert_mem_eq(from_pages.xsave, to_pages.xsave,
			 sizeof(from_pages.xsave));
	ck_assert_uint_eq(to_pages.vmcb.control.clean, 0);
}

START_TEST(the_tsc_continues)
{
	fill_cpu(&from, &from_pages);
	from_pages.vmcb.control.tsc_offset = 1000;
	save_and_begin_loading();
	cpu_state_load(&to, &state, 300);
	ck_assert_uint_eq(to_pages.vmcb.control.tsc_offset, 700);
}

START_TEST(a_smaller_xsave_area_gets_the_first_part)
{
	fill_cpu(&from, &from_pages);
	save_and_begin_loading();
	to.vcpu.xsave_size = 576;
	cpu_state_load(&to, &state, 0);
	ck_assert_int_eq(state.error, 0);
	ck_assert_mem_eq(from_pages.xsave, to_pages.xsave, 576);
	ck_assert_uint_eq(to_pages.xsave[576], VCPU_PAGES_RUBBISH);
}

START_TEST(a_larger_xsave_area_gets_zeros)
{
	fill_cpu(&from, &from_pages);
	from.vcpu.xsave_size = 576;
	save_and_begin_loading();
	cpu_state_load(&to, &state, 0);
	ck_assert_int_eq(state.error, 0);
	ck_assert_uint_eq(to_pages.xsave[576], 0);
	ck_assert_uint_eq(to_pages.xsave[1023], 0);
}

START_TEST(an_xcr0_that_the_host_does_not_have_is_refused)
{
	fill_cpu(&from, &from_pages);
	from_pages.regs.xcr0 = 8 | 1;
	save_and_begin_loading();
	cpu_state_load(&to, &state, 0);
	ck_assert_int_eq(state.error, -EINVAL);
}

static const TTest **const tests[] = {
	&every_member_of_a_processor_is_listed,
	&a_processor_returns,
	&the_tsc_continues,
	&a_smaller_xsave_area_gets_the_first_part,
	&a_larger_xsave_area_gets_zeros,
	&an_xcr0_that_the_host_does_not_have_is_refused,
};

Suite *cpu_state_suite(void)
{
	return suite_of("cpu_state", tests, ARRAY_SIZE(tests));
}
