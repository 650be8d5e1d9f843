// SPDX-License-Identifier: GPL-2.0
/* nested: its state as records: every member is saved or derived, and L2 continues */
#include <errno.h>

#include "nested_guest.h"

#include "members.h"
#include "nested/nested.h"

static const struct member nested_list[] = {
	MEMBER(struct svmrun_nested, config, CONFIG),
	MEMBER(struct svmrun_nested, processor, CONFIG),
	MEMBER(struct svmrun_nested, features, SAVED),
	PADDING(struct svmrun_nested, features, code),
	MEMBER(struct svmrun_nested, code, CONFIG),
	MEMBER(struct svmrun_nested, current, DERIVED), /* saved as a bool */
	BOOL(struct svmrun_nested, svme),
	BOOL(struct svmrun_nested, gif),
	PADDING(struct svmrun_nested, gif, vm_cr),
	MEMBER(struct svmrun_nested, vm_cr, SAVED),
	MEMBER(struct svmrun_nested, hsave_pa, SAVED),
	MEMBER(struct svmrun_nested, tsc_ratio, SAVED),
	MEMBER(struct svmrun_nested, vmcb12, DERIVED),
	MEMBER(struct svmrun_nested, vmcb12_gpa, SAVED),
	MEMBER(struct svmrun_nested, vmrun_rip, SAVED),
	MEMBER(struct svmrun_nested, control, SAVED),
	MEMBER(struct svmrun_nested, save, SAVED),
	BOOL(struct svmrun_nested, has_soft_event),
	PADDING(struct svmrun_nested, has_soft_event, soft_rip),
	MEMBER(struct svmrun_nested, soft_rip, SAVED),
	MEMBER(struct svmrun_nested, virtual_interrupt, SAVED),
	BOOL(struct svmrun_nested, window),
	PADDING(struct svmrun_nested, window, permitted),
	MEMBER(struct svmrun_nested, permitted, DERIVED),
	PADDING(struct svmrun_nested, permitted, permitted_count),
	MEMBER(struct svmrun_nested, permitted_count, DERIVED),
	MEMBER(struct svmrun_nested, knows_permitted, DERIVED),
	PADDING(struct svmrun_nested, knows_permitted, accepted),
	MEMBER(struct svmrun_nested, accepted, DERIVED),
	MEMBER(struct svmrun_nested, suspicion, CONFIG),
	MEMBER(struct svmrun_nested, space, DERIVED),
	MEMBER(struct svmrun_nested, flat, DERIVED),
	MEMBER(struct svmrun_nested, spaces, DERIVED),
	MEMBER(struct svmrun_nested, runs, DERIVED),
	MEMBER(struct svmrun_nested, faulted, DERIVED),
	PADDING(struct svmrun_nested, faulted, fault_info),
	MEMBER(struct svmrun_nested, fault_info, DERIVED),
	MEMBER(struct svmrun_nested, fault_address, DERIVED),
};

static uint8_t bytes[1 << 16];
static struct svmrun_state state;

START_TEST(every_member_is_listed)
{
	static uint8_t map[MEMBERS_MAX], used[MEMBERS_MAX];

	members_map(nested_list, ARRAY_SIZE(nested_list), map);
	MEMBERS_USED(struct svmrun_nested, used);
	members_cover("struct svmrun_nested", map, used,
		      sizeof(struct svmrun_nested));
}
END_TEST

static void save(void)
{
	svmrun_state_init(&state, bytes, sizeof(bytes));
	svmrun_nested_save(nested, &state);
	ck_assert_int_eq(state.error, 0);
}

/* The records are read into the state of another run, with new vCPUs. */
static int load(uint64_t ticks)
{
	svmrun_nested_destroy(nested);
	begin_nested();
	svmrun_state_init(&state, bytes, state.used);
	return svmrun_nested_load(nested, &state, ticks);
}

START_TEST(msrs_and_gif_return)
{
	uint64_t value;

	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_HSAVE_PA,
						 0x5000),
			 0);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_CR, VM_CR_LOCK),
			 0);
	exit_with(VMEXIT_CLGI, 0, 0);
	save();
	ck_assert_int_eq(load(0), 0);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert(svmrun_nested_get_svme(nested));
	ck_assert(svmrun_nested_read_msr(nested, MSR_VM_HSAVE_PA, &value));
	ck_assert_uint_eq(value, 0x5000);
	ck_assert(svmrun_nested_read_msr(nested, MSR_VM_CR, &value));
	ck_assert_uint_eq(value, VM_CR_LOCK);
	ck_assert_uint_eq(svmrun_nested_action(nested, VMEXIT_NMI),
			  SVMRUN_NESTED_HOLD);
	ck_assert_ptr_eq(current(), &l1);
}
END_TEST

START_TEST(l2_continues_and_exits)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_CPUID;
	vmcb12->control.tsc_offset = -200;
	l1.vmcb->control.tsc_offset = 1000;
	vmrun();
	current()->vmcb->save.rip = CODE + 7;
	current()->regs->rbx = 0x9abc;
	save();
	l1.vmcb->control.tsc_offset = 700; /* as svmrun_vcpu_load() does */
	ck_assert_int_eq(load(300), 0);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_ptr_ne(current(), &l1);
	ck_assert_uint_eq(current()->vmcb->save.rip, CODE + 7);
	ck_assert_uint_eq(current()->vmcb->control.tsc_offset, 500);
	ck_assert_uint_eq(current()->vmcb->control.asid, 1);
	ck_assert_uint_eq(current()->vmcb->control.intercept[3] &
				  SVM_INTERCEPT3_CPUID,
			  SVM_INTERCEPT3_CPUID);
	ck_assert_int_eq(exit_with(VMEXIT_CPUID, 0, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_CPUID);
	ck_assert_uint_eq(vmcb12->save.rip, CODE + 7);
	ck_assert_uint_eq(l1.regs->rbx, 0x9abc);
	ck_assert_uint_eq(l1.vmcb->save.rip, RIP_L1 + 3);
}
END_TEST

START_TEST(nested_pages_are_mapped_again)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	map_nested(0x5000, PTE_ALL);
	vmrun();
	ck_assert_int_eq(nested_fault(0, SVM_NPF_WRITE), SVMRUN_NESTED_HANDLED);
	save();
	fake_map_count = 0;
	ck_assert_int_eq(load(0), 0);
	ck_assert_uint_eq(fake_map_count, 0);
	ck_assert_int_eq(nested_fault(0, SVM_NPF_WRITE), SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(fake_map_count, 1);
}
END_TEST

/* Values that VMRUN refuses, or that a guest cannot write to its MSRs */
START_TEST(values_out_of_range_are_refused)
{
	vmrun();
	nested->control.asid = 0;
	save();
	ck_assert_int_eq(load(0), -EINVAL);
	ck_assert(!svmrun_nested_is_active(nested));
	vmrun();
	nested->vmcb12_gpa = RAM_SIZE;
	save();
	ck_assert_int_eq(load(0), -EINVAL);
	nested->hsave_pa = 8;
	save();
	ck_assert_int_eq(load(0), -EINVAL);
	nested->hsave_pa = 0;
	nested->tsc_ratio = 1ull << 40;
	save();
	ck_assert_int_eq(load(0), -EINVAL);
	nested->tsc_ratio = TSC_RATIO_ONE;
	nested->features = UINT32_MAX;
	save();
	ck_assert_int_eq(load(0), -EINVAL);
}
END_TEST

Suite *nested_record_suite(void)
{
	const TTest *const tests[] = {
		every_member_is_listed,		 msrs_and_gif_return,
		l2_continues_and_exits,		 nested_pages_are_mapped_again,
		values_out_of_range_are_refused,
	};
	TCase *tcase;

	return nested_suite_of("nested_record", tests, ARRAY_SIZE(tests),
			       &tcase);
}
