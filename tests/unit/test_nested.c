// SPDX-License-Identifier: GPL-2.0
/* nested: VMRUN and #VMEXIT of a guest hypervisor, its intercepts, events, CPUID and MSRs */
#include <errno.h>

#include "nested_guest.h"

#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

/* ---- VMRUN and #VMEXIT ---------------------------------------------------- */

START_TEST(vmrun_loads_the_state_of_l2)
{
	l1.vmcb->save.fs.base = 0x7777;
	vmrun();
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_ptr_ne(current(), &l1);
	ck_assert_uint_eq(current()->vmcb->save.rip, CODE);
	ck_assert_uint_eq(current()->vmcb->save.rax, 0x1111);
	ck_assert_uint_eq(current()->vmcb->save.fs.base, 0x7777);
	ck_assert_uint_eq(l1.vmcb->save.rip, RIP_L1 + 3);
}
END_TEST

START_TEST(vmexit_saves_the_state_and_returns_to_l1)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_CPUID;
	vmrun();
	current()->vmcb->save.rip = CODE + 7;
	current()->vmcb->save.cr2 = 0x1234;
	current()->vmcb->save.lstar = 0x5678;
	current()->regs->rbx = 0x9abc;
	ck_assert_int_eq(exit_with(VMEXIT_CPUID, 0, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_CPUID);
	ck_assert_uint_eq(vmcb12->control.nrip, CODE + 10);
	ck_assert_uint_eq(vmcb12->save.rip, CODE + 7);
	ck_assert_uint_eq(l1.vmcb->save.rip, RIP_L1 + 3);
	ck_assert_uint_eq(l1.vmcb->save.rax, VMCB12);
	ck_assert_uint_eq(l1.vmcb->save.cr2, 0x1234);
	ck_assert_uint_eq(l1.vmcb->save.lstar, 0x5678);
	ck_assert_uint_eq(l1.regs->rbx, 0x9abc);
	ck_assert_uint_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			  SVMRUN_NESTED_HOLD);
}
END_TEST

START_TEST(instructions_are_undefined_without_svme)
{
	ck_assert_int_eq(svmrun_nested_set_svme(nested, false), 0);
	vmrun();
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(l1.vmcb->control.eventinj,
			  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				  VECTOR_UD);
}
END_TEST

START_TEST(vmrun_of_an_address_without_memory_faults)
{
	static const uint64_t addresses[] = { 8, RAM_SIZE, RAM_SIZE - 8,
					      ~0ull & ~0xfff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		l1.vmcb->save.rax = addresses[i];
		ck_assert_int_eq(exit_with(VMEXIT_VMRUN, 0, 0),
				 SVMRUN_NESTED_HANDLED);
		ck_assert_uint_eq(l1.vmcb->control.eventinj & 0xff, VECTOR_GP);
		ck_assert_uint_eq(l1.vmcb->save.rip, RIP_L1);
	}
}
END_TEST

START_TEST(tsc_offsets_add_up)
{
	l1.vmcb->control.tsc_offset = 1000;
	vmcb12->control.tsc_offset = -200;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.tsc_offset, 800);
}
END_TEST

START_TEST(l2_keeps_cr0_cd)
{
	vmcb12->save.cr0 |= SVM_CR0_CD;
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->save.cr0 & SVM_CR0_CD, 0);
	exit_with(VMEXIT_HLT, 0, 0);
	ck_assert_uint_eq(vmcb12->save.cr0 & SVM_CR0_CD, SVM_CR0_CD);
}
END_TEST

START_TEST(l1_cannot_change_controls_while_l2_runs)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	vmcb12->control.intercept[3] = 0;
	ck_assert_int_eq(exit_with(VMEXIT_HLT, 0, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
}
END_TEST

/* The processor has not seen what VMRUN has loaded before the vCPU has run. */
START_TEST(clean_bits_are_used_after_a_run)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT | SVM_INTERCEPT3_NMI;
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.clean = SVM_CLEAN_ALL;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean, 0);
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			 SVMRUN_NESTED_EXITED);
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean, 0);
	exit_with(VMEXIT_HLT, 0, 0);
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean, SVM_CLEAN_ALL);
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->control.clean &= ~SVM_CLEAN_CRx;
	vmcb12->control.tsc_offset = 3;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean,
			  SVM_CLEAN_ALL & ~(SVM_CLEAN_CRx | SVM_CLEAN_I));
	exit_with(VMEXIT_CPUID, 0, 0); /* the program may change anything */
	ck_assert_uint_eq(current()->vmcb->control.clean, 0);
}
END_TEST

START_TEST(a_changed_permission_map_is_not_clean)
{
	uint8_t *msrpm = guest_ram_at(&ram, MSRPM, 0x2000);

	pages.msrpm[0x820] = 0x0f;
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT | SVM_INTERCEPT3_MSR;
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.clean = SVM_CLEAN_ALL;
	vmrun();
	exit_with(VMEXIT_HLT, 0, 0);
	msrpm[0x820] = 0x10;
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean,
			  SVM_CLEAN_ALL & ~SVM_CLEAN_IOPM);
	exit_with(VMEXIT_HLT, 0, 0);
	vmrun();
	ck_assert_uint_eq(current()->vmcb->control.clean, SVM_CLEAN_ALL);
}
END_TEST

/* ---- intercepts ----------------------------------------------------------- */

START_TEST(exits_without_an_intercept_are_the_programs)
{
	l1.vmcb->control.intercept[3] |= SVM_INTERCEPT3_CPUID;
	vmrun();
	ck_assert(current()->vmcb->control.intercept[3] & SVM_INTERCEPT3_CPUID);
	ck_assert_int_eq(exit_with(VMEXIT_CPUID, 0, 0),
			 SVMRUN_NESTED_NOT_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
}
END_TEST

static uint64_t ioio(uint16_t port, uint64_t size)
{
	return (uint64_t)port << 16 | size;
}

START_TEST(every_port_of_an_access_is_looked_up)
{
	static const struct {
		uint16_t bit;
		uint64_t info;
		bool exits;
	} cases[] = {
		{ 0x80, 0x80 << 16 | SVM_IOIO_SZ8, true },
		{ 0x80, 0x81 << 16 | SVM_IOIO_SZ8, false },
		{ 0x83, 0x80 << 16 | SVM_IOIO_SZ32, true },
		{ 0x84, 0x80 << 16 | SVM_IOIO_SZ32, false },
		{ 0x81, 0x80 << 16 | SVM_IOIO_SZ16, true },
	};
	uint8_t *iopm = guest_ram_at(&ram, IOPM, 0x3000);
	size_t i;

	vmcb12->control.intercept[3] = SVM_INTERCEPT3_IOIO;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(iopm, 0, 0x3000);
		iopm[cases[i].bit / 8] = 1 << cases[i].bit % 8;
		prepare_vmcb12();
		vmcb12->control.intercept[3] = SVM_INTERCEPT3_IOIO;
		vmrun();
		ck_assert_int_eq(exit_with(VMEXIT_IOIO, cases[i].info, 0),
				 cases[i].exits ? SVMRUN_NESTED_HANDLED :
						  SVMRUN_NESTED_NOT_HANDLED);
		svmrun_nested_reset(nested);
		svmrun_nested_set_svme(nested, true);
	}
	/* The ports behind FFFFh have bits, too. */
	memset(iopm, 0, 0x3000);
	iopm[0x2000] = 1;
	vmrun();
	ck_assert_int_eq(exit_with(VMEXIT_IOIO, ioio(0xffff, SVM_IOIO_SZ16), 0),
			 SVMRUN_NESTED_HANDLED);
}
END_TEST

START_TEST(msrs_are_looked_up_by_range)
{
	static const struct {
		uint32_t msr;
		size_t bit;
	} cases[] = {
		{ 0x174, 0x174 * 2 },
		{ 0xc0000081, 0x4000 + 0x81 * 2 },
		{ 0xc0010015, 0x8000 + 0x15 * 2 },
	};
	uint8_t *msrpm = guest_ram_at(&ram, MSRPM, 0x2000);
	bool write;
	size_t i, bit;

	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		write = i % 2;
		bit = cases[i / 2].bit + write;
		memset(msrpm, 0, 0x2000);
		msrpm[bit / 8] = 1 << bit % 8;
		prepare_vmcb12();
		vmcb12->control.intercept[3] = SVM_INTERCEPT3_MSR;
		vmrun();
		current()->regs->rcx = cases[i / 2].msr;
		ck_assert_int_eq(exit_with(VMEXIT_MSR, !write, 0),
				 SVMRUN_NESTED_NOT_HANDLED);
		ck_assert_int_eq(exit_with(VMEXIT_MSR, write, 0),
				 SVMRUN_NESTED_HANDLED);
	}
	memset(msrpm, 0, 0x2000);
	vmrun();
	current()->regs->rcx = 0x4000;
	ck_assert_int_eq(exit_with(VMEXIT_MSR, 0, 0), SVMRUN_NESTED_HANDLED);
}
END_TEST

START_TEST(an_msr_is_permitted_only_by_both_maps)
{
	uint8_t *msrpm = guest_ram_at(&ram, MSRPM, 0x2000);
	const size_t byte = 0x800 + 0x80 / 4;

	pages.msrpm[byte] = 0x0f; /* C0000082h and C0000083h */
	msrpm[byte] = 0xf0 & ~(3 << 4);
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_MSR;
	vmrun();
	ck_assert_uint_eq(current()->msrpm[byte], 0x0f | (0xf0 & ~(3 << 4)));
	ck_assert_uint_eq(current()->msrpm[byte + 1], 0xff);
}
END_TEST

START_TEST(a_map_without_memory_intercepts_everything)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_IOIO | SVM_INTERCEPT3_MSR;
	vmcb12->control.iopm_base_pa = RAM_SIZE - 0x1000;
	vmcb12->control.msrpm_base_pa = RAM_SIZE - 0x1000;
	vmrun();
	ck_assert_int_eq(exit_with(VMEXIT_IOIO, ioio(0x80, SVM_IOIO_SZ8), 0),
			 SVMRUN_NESTED_HANDLED);
	vmrun();
	ck_assert_int_eq(exit_with(VMEXIT_MSR, 0, 0), SVMRUN_NESTED_HANDLED);
}
END_TEST

START_TEST(a_selective_write_of_cr0_is_one_of_cr0)
{
	vmcb12->control.intercept[0] = SVM_INTERCEPT0_CR_WRITE(0);
	vmrun();
	exit_with(VMEXIT_CR0_SEL_WRITE, 0, 0);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_CR_WRITE(0));
	vmcb12->control.intercept[0] = 0;
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_CR0_SEL_WRITE;
	vmrun();
	exit_with(VMEXIT_CR0_SEL_WRITE, 0, 0);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_CR0_SEL_WRITE);
}
END_TEST

START_TEST(an_exit_that_is_not_supported_is_a_shutdown)
{
	ck_assert(!svmrun_nested_shutdown(nested));
	vmrun();
	exit_with(VMEXIT_CPUID, 0, 0);
	ck_assert(!svmrun_nested_shutdown(nested));
	ck_assert(svmrun_nested_is_active(nested));
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_SHUTDOWN;
	vmrun();
	exit_with(VMEXIT_CPUID, 0, 0);
	ck_assert(svmrun_nested_shutdown(nested));
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_SHUTDOWN);
}
END_TEST

/* ---- events --------------------------------------------------------------- */

START_TEST(gif_holds_all_events)
{
	static const uint64_t events[] = { VMEXIT_INTR, VMEXIT_NMI, VMEXIT_SMI,
					   VMEXIT_INIT };
	size_t i;

	l1.vmcb->save.rflags |= RFLAGS_IF;
	exit_with(VMEXIT_CLGI, 0, 0);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		ck_assert_int_eq(svmrun_nested_event(nested, events[i]),
				 SVMRUN_NESTED_HOLD);
	exit_with(VMEXIT_STGI, 0, 0);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		ck_assert_int_eq(svmrun_nested_event(nested, events[i]),
				 SVMRUN_NESTED_DELIVER);
}
END_TEST

START_TEST(an_interrupt_exits_if_l1_intercepts_it)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_INTR;
	vmcb12->control.eventinj = SVM_EVENT_VALID | 0x30;
	l1.vmcb->save.rflags |= RFLAGS_IF;
	vmcb12->control.vintr = SVM_VINTR_V_INTR_MASKING;
	vmrun();
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_INTR),
			 SVMRUN_NESTED_EXITED);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_INTR);
	ck_assert_uint_eq(vmcb12->control.exitintinfo, SVM_EVENT_VALID | 0x30);
	ck_assert_uint_eq(vmcb12->control.eventinj & SVM_EVENT_VALID, 0);
}
END_TEST

START_TEST(the_mask_of_an_interrupt_depends_on_v_intr_masking)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_INTR;
	vmcb12->control.vintr = SVM_VINTR_V_INTR_MASKING;
	vmcb12->save.rflags |= RFLAGS_IF;
	vmrun();
	ck_assert(svmrun_nested_virtual_tpr(nested));
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_INTR),
			 SVMRUN_NESTED_HOLD);
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			 SVMRUN_NESTED_DELIVER);
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmcb12->control.vintr = 0;
	vmcb12->save.rflags &= ~RFLAGS_IF;
	vmrun();
	ck_assert(!svmrun_nested_virtual_tpr(nested));
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_INTR),
			 SVMRUN_NESTED_WINDOW);
	current()->vmcb->save.rflags |= RFLAGS_IF;
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_INTR),
			 SVMRUN_NESTED_EXITED);
}
END_TEST

START_TEST(a_window_takes_the_place_of_the_virtual_interrupt)
{
	const uint64_t virtual_interrupt =
		SVM_VINTR_V_IRQ | 3ull << SVM_VINTR_V_INTR_PRIO_SHIFT |
		0x41ull << SVM_VINTR_V_INTR_VECTOR_SHIFT;
	const uint64_t mask = ~(SVM_VINTR_V_INTR_MASKING |
				SVM_VINTR_V_TPR_MASK);

	vmcb12->control.vintr = virtual_interrupt;
	vmrun();
	svmrun_nested_prepare(nested, false);
	ck_assert_uint_eq(current()->vmcb->control.vintr & mask,
			  virtual_interrupt);
	svmrun_nested_prepare(nested, true);
	ck_assert_uint_ne(current()->vmcb->control.vintr & SVM_VINTR_V_IGN_TPR,
			  0);
	ck_assert_uint_ne(current()->vmcb->control.intercept[3] &
				  SVM_INTERCEPT3_VINTR,
			  0);
	ck_assert_int_eq(exit_with(VMEXIT_VINTR, 0, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	svmrun_nested_prepare(nested, false);
	ck_assert_uint_eq(current()->vmcb->control.vintr & mask,
			  virtual_interrupt);
	ck_assert_uint_eq(current()->vmcb->control.intercept[3] &
				  SVM_INTERCEPT3_VINTR,
			  0);
}
END_TEST

/*
 * The processor has no NRIP save, and L1 has: an injected INT n returns to NRIP, but if its
 * delivery is interrupted, RIP is that of the INT n.
 */
START_TEST(injected_software_interrupts_return_to_nrip)
{
	const uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_SOFT_INTERRUPT |
			       0x40;

	info.out_svm_features &= ~SVM_FEATURE_NRIP_SAVE;
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT | SVM_INTERCEPT3_NMI;
	vmcb12->control.eventinj = event;
	vmcb12->control.nrip = CODE + 2;
	vmrun();
	svmrun_nested_prepare(nested, false);
	ck_assert_uint_eq(current()->vmcb->save.rip, CODE + 2);
	current()->vmcb->control.exitintinfo = event;
	ck_assert_int_eq(exit_with(VMEXIT_NPF, SVM_NPF_USER | SVM_NPF_FINAL, 8),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(current()->vmcb->save.rip, CODE);
	current()->vmcb->control.eventinj = event;
	svmrun_nested_prepare(nested, false);
	ck_assert_uint_eq(current()->vmcb->save.rip, CODE + 2);
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			 SVMRUN_NESTED_EXITED);
	ck_assert_uint_eq(vmcb12->save.rip, CODE);
	ck_assert_uint_eq(vmcb12->control.exitintinfo, event);
	/* After the delivery, RIP is L2's own again. */
	vmcb12->control.eventinj = event;
	vmcb12->control.nrip = CODE + 2;
	vmrun();
	svmrun_nested_prepare(nested, false);
	current()->vmcb->control.exitintinfo = 0;
	exit_with(VMEXIT_HLT, 0, 0);
	ck_assert_uint_eq(vmcb12->save.rip, CODE + 2);
}
END_TEST

/* L2 executes its own INT n again; L1, which sees the exit, gets the event. */
START_TEST(own_software_interrupts_are_not_injected)
{
	const uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_SOFT_INTERRUPT |
			       0x40;

	map_nested(0x5000, PTE_ALL);
	vmrun();
	current()->vmcb->control.exitintinfo = event;
	nested_fault(8, 0);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(current()->vmcb->control.exitintinfo, 0);
	current()->vmcb->control.exitintinfo = event;
	nested_fault(0x1008, 0);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitintinfo, event);
}
END_TEST

/* ---- CPUID and MSRs ------------------------------------------------------- */

START_TEST(cpuid_has_what_is_carried_out)
{
	uint32_t registers[4] = { 0 };

	svmrun_nested_cpuid(nested, 0x80000001, registers);
	ck_assert_uint_eq(registers[2], 1 << 2);
	svmrun_nested_cpuid(nested, 0x8000000a, registers);
	ck_assert_uint_eq(registers[0], 1);
	ck_assert_uint_gt(registers[1], 1);
	ck_assert_uint_ne(registers[3] & SVM_FEATURE_NP, 0);
	ck_assert_uint_ne(registers[3] & SVM_FEATURE_DECODE_ASSISTS, 0);
	ck_assert_uint_eq(registers[3] & (SVM_FEATURE_VGIF | SVM_FEATURE_VNMI |
					  SVM_FEATURE_TSC_RATIO),
			  0);
}
END_TEST

START_TEST(vm_cr_locks_svmdis)
{
	uint64_t value;

	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_CR, 1 << 4),
			 -EINVAL);
	svmrun_nested_set_svme(nested, false);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_CR, 3 << 3), 0);
	ck_assert_int_eq(svmrun_nested_set_svme(nested, true), -EINVAL);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_CR, 0), 0);
	ck_assert(svmrun_nested_read_msr(nested, MSR_VM_CR, &value));
	ck_assert_uint_eq(value, 3 << 3);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_CR, 1 << 5),
			 -EINVAL);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, MSR_VM_HSAVE_PA, 8),
			 -EINVAL);
	ck_assert_int_eq(svmrun_nested_write_msr(nested, 0x10, 0), -ENOENT);
}
END_TEST

Suite *nested_suite(void)
{
	const TTest *const tests[] = {
		vmrun_loads_the_state_of_l2,
		vmexit_saves_the_state_and_returns_to_l1,
		instructions_are_undefined_without_svme,
		vmrun_of_an_address_without_memory_faults,
		tsc_offsets_add_up,
		l2_keeps_cr0_cd,
		l1_cannot_change_controls_while_l2_runs,
		clean_bits_are_used_after_a_run,
		a_changed_permission_map_is_not_clean,
		exits_without_an_intercept_are_the_programs,
		every_port_of_an_access_is_looked_up,
		msrs_are_looked_up_by_range,
		an_msr_is_permitted_only_by_both_maps,
		a_map_without_memory_intercepts_everything,
		a_selective_write_of_cr0_is_one_of_cr0,
		an_exit_that_is_not_supported_is_a_shutdown,
		gif_holds_all_events,
		an_interrupt_exits_if_l1_intercepts_it,
		the_mask_of_an_interrupt_depends_on_v_intr_masking,
		a_window_takes_the_place_of_the_virtual_interrupt,
		injected_software_interrupts_return_to_nrip,
		own_software_interrupts_are_not_injected,
		cpuid_has_what_is_carried_out,
		vm_cr_locks_svmdis,
	};
	TCase *tcase;

	return nested_suite_of("nested", tests, ARRAY_SIZE(tests), &tcase);
}
