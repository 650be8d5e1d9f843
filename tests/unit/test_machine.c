// SPDX-License-Identifier: GPL-2.0
/* The machine's answers to exits: what the guest sees, and how a run ends. */
#include "feature.h"
#include "machine.h"
#include "status.h"
#include "suites.h"
#include "vcpu_pages.h"

#define RIP 0x7c00
#define INJECTED_GP                                                            \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |                          \
	 SVM_EVENT_ERROR_CODE_VALID | 13)

static struct vcpu_pages pages;
static struct svm_vmcb *const vmcb = &pages.vmcb;
static struct svmrun_registers *const regs = &pages.regs;

static struct machine at(uint64_t exitcode)
{
	struct machine machine = { .vcpu = vcpu_pages_fill(&pages) };

	machine.info.out_xcr0 = 0x2e7;
	svmrun_mode_reset(&machine.vcpu);
	vmcb->save.rip = RIP;
	vmcb->control.exitcode = exitcode;
	return machine;
}

static void went_on(const struct machine *machine, unsigned int length)
{
	ck_assert(!machine->outcome.ended);
	ck_assert_uint_eq(vmcb->save.rip, RIP + length);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
}

static void failed_with_gp(const struct machine *machine)
{
	ck_assert(!machine->outcome.ended);
	ck_assert_uint_eq(vmcb->save.rip, RIP);
	ck_assert_uint_eq(vmcb->control.eventinj, INJECTED_GP);
}

static void ended(const struct machine *machine, int status, const char *kind)
{
	ck_assert(machine->outcome.ended);
	ck_assert_int_eq(machine->outcome.status, status);
	ck_assert_str_eq(machine->outcome.kind, kind);
}

static void says(const struct machine *machine, const char *words)
{
	ck_assert_msg(strstr(machine->outcome.message, words), "%s: %s", words,
		      machine->outcome.message);
}

START_TEST(hlt_with_interrupts_off_is_the_end)
{
	struct machine machine = at(VMEXIT_HLT);

	machine_exit(&machine);
	ended(&machine, STATUS_HALTED, "halt");
	ck_assert_str_eq(machine.outcome.message, "");
}

START_TEST(hlt_with_interrupts_on_has_no_answer)
{
	struct machine machine = at(VMEXIT_HLT);

	vmcb->save.rflags |= 1 << 9;
	machine_exit(&machine);
	ended(&machine, STATUS_UNHANDLED, "unhandled");
	says(&machine, "VMEXIT_HLT at RIP 0x7c00");
}

START_TEST(shutdown_has_a_status_of_its_own)
{
	struct machine machine = at(VMEXIT_SHUTDOWN);

	machine_exit(&machine);
	ended(&machine, STATUS_SHUTDOWN, "shutdown");
	says(&machine, "VMEXIT_SHUTDOWN at RIP 0x7c00");
}

START_TEST(unmapped_address_is_named)
{
	struct machine machine = at(VMEXIT_NPF);

	vmcb->control.exitinfo1 = SVM_NPF_WRITE | SVM_NPF_FINAL;
	vmcb->control.exitinfo2 = 0x12345000;
	machine_exit(&machine);
	ended(&machine, STATUS_UNHANDLED, "unhandled");
	says(&machine, "write to GPA 0x12345000");
}

START_TEST(other_exits_are_named)
{
	struct machine machine = at(VMEXIT_WBINVD);

	machine_exit(&machine);
	ended(&machine, STATUS_UNHANDLED, "unhandled");
	says(&machine, "VMEXIT_WBINVD (0x89) at RIP 0x7c00");
	machine = at(0x1234);
	machine_exit(&machine);
	says(&machine, "(0x1234)");
}

static struct machine io(uint32_t port, uint64_t flags, uint32_t eax)
{
	struct machine machine = at(VMEXIT_IOIO);

	vmcb->control.exitinfo1 = port << 16 | flags;
	vmcb->control.exitinfo2 = RIP + 2;
	vmcb->save.rax = eax;
	machine_exit(&machine);
	return machine;
}

START_TEST(port_f4_ends_with_an_odd_status)
{
	struct machine machine = io(0xf4, SVM_IOIO_SZ8, 0);

	ended(&machine, 1, "port");
	machine = io(0xf4, SVM_IOIO_SZ8, 3);
	ended(&machine, 7, "port");
	machine = io(0xf4, SVM_IOIO_SZ8, 0x80);
	ended(&machine, 1, "port");
	machine = io(0xf4, SVM_IOIO_SZ32, 0xffffffff);
	ended(&machine, 255, "port");
}

START_TEST(ports_of_nobody_read_ones_and_are_counted)
{
	struct machine machine = io(0x60, SVM_IOIO_IN | SVM_IOIO_SZ16, 0);

	went_on(&machine, 2);
	ck_assert_uint_eq(vmcb->save.rax, 0xffff);
	ck_assert_uint_eq(machine.stats.unclaimed, 2);
	machine = io(0xf4, SVM_IOIO_IN | SVM_IOIO_SZ8, 0);
	ck_assert_uint_eq(vmcb->save.rax, 0xff);
	machine = io(0x80, SVM_IOIO_SZ8, 7);
	went_on(&machine, 2);
	ck_assert_uint_eq(machine.stats.unclaimed, 1);
}

START_TEST(serial_port_is_ready_and_keeps_its_registers)
{
	struct machine machine = io(0x3ff, SVM_IOIO_SZ8, 0x5a);

	ck_assert_uint_eq(machine.serial.scr, 0x5a);
	machine = io(0x3fd, SVM_IOIO_IN | SVM_IOIO_SZ8, 0);
	ck_assert_uint_eq(vmcb->save.rax & 0x60, 0x60);
	ck_assert_uint_eq(machine.stats.unclaimed, 0);
}

START_TEST(serial_divisor_is_not_sent)
{
	struct serial serial = { 0 };

	ck_assert_int_eq(serial_write(&serial, 3, 0x80), 0);
	ck_assert_int_eq(serial_write(&serial, 0, 1), 0);
	ck_assert_int_eq(serial_write(&serial, 1, 2), 0);
	ck_assert_uint_eq(serial_read(&serial, 0), 1);
	ck_assert_uint_eq(serial_read(&serial, 1), 2);
	ck_assert_int_eq(serial_write(&serial, 3, 0x03), 0);
	ck_assert_uint_eq(serial_read(&serial, 1), 0);
}

START_TEST(string_instructions_have_no_answer)
{
	struct machine machine = io(0x3f8, SVM_IOIO_STR | SVM_IOIO_SZ8, 0);

	ended(&machine, STATUS_UNHANDLED, "unhandled");
	says(&machine, "string instruction on port 0x3f8");
}

static struct machine cpuid(uint32_t leaf)
{
	struct machine machine = at(VMEXIT_CPUID);

	vmcb->save.rax = 0xffffffff00000000 | leaf;
	regs->rcx = 0xffffffff00000000;
	machine_exit(&machine);
	return machine;
}

START_TEST(cpuid_answers_and_goes_on)
{
	struct machine machine = cpuid(0x40000000);

	went_on(&machine, 2);
	ck_assert_uint_eq(vmcb->save.rax, 0x40000000);
	ck_assert_mem_eq(&regs->rbx, "svmr\0\0\0\0", 8);
	ck_assert_mem_eq(&regs->rcx, "un\0\0\0\0\0\0", 8);
}

START_TEST(next_rip_is_the_processors_if_it_says)
{
	struct machine machine = at(VMEXIT_CPUID);

	machine.info.out_svm_features = FEATURE_NRIPS;
	vmcb->control.nrip = RIP + 5;
	vmcb->control.interrupt_shadow = 1;
	machine_exit(&machine);
	went_on(&machine, 5);
	ck_assert_uint_eq(vmcb->control.interrupt_shadow, 0);
}

static struct machine rdmsr(uint32_t msr)
{
	struct machine machine = at(VMEXIT_MSR);

	regs->rcx = msr;
	machine_exit(&machine);
	return machine;
}

static void set_edx_eax(uint64_t value)
{
	vmcb->save.rax = (uint32_t)value;
	regs->rdx = value >> 32;
}

static struct machine wrmsr(uint32_t msr, uint64_t value)
{
	struct machine machine = at(VMEXIT_MSR);

	regs->rcx = msr;
	set_edx_eax(value);
	vmcb->control.exitinfo1 = 1;
	machine_exit(&machine);
	return machine;
}

START_TEST(efer_reads_without_svme)
{
	struct machine machine = rdmsr(0xc0000080);

	went_on(&machine, 2);
	ck_assert_uint_eq(vmcb->save.rax, 0);
	ck_assert_uint_eq(regs->rdx, 0);
}

START_TEST(efer_keeps_svme_when_written)
{
	struct machine machine = wrmsr(0xc0000080, 0x901);

	went_on(&machine, 2);
	ck_assert_uint_eq(vmcb->save.efer, 0x1901);
}

START_TEST(efer_refuses_what_it_does_not_have)
{
	struct machine machine = wrmsr(0xc0000080, 0x1000); /* SVME */

	failed_with_gp(&machine);
	machine = wrmsr(0xc0000080, 0x400); /* LMA is the processor's */
	failed_with_gp(&machine);
	machine = wrmsr(0xc0000080, 1ull << 32);
	failed_with_gp(&machine);
}

START_TEST(efer_refuses_lme_with_paging_on)
{
	struct machine machine = at(VMEXIT_MSR);

	regs->rcx = 0xc0000080;
	set_edx_eax(0x100);
	vmcb->control.exitinfo1 = 1;
	vmcb->save.cr0 |= 1u << 31;
	machine_exit(&machine);
	failed_with_gp(&machine);
}

START_TEST(msrs_of_the_vmcb_are_there)
{
	struct machine machine = wrmsr(0xc0000100, 0x7fff12345678);

	went_on(&machine, 2);
	ck_assert_uint_eq(vmcb->save.fs.base, 0x7fff12345678);
	machine = wrmsr(0xc0000081, 0x1122334455667788);
	ck_assert_uint_eq(vmcb->save.star, 0x1122334455667788);
	machine = rdmsr(0x277);
	went_on(&machine, 2);
	ck_assert_uint_eq(regs->rdx, 0x00070406);
	ck_assert_uint_eq(vmcb->save.rax, 0x00070406);
}

START_TEST(msrs_refuse_illegal_values)
{
	struct machine machine = wrmsr(0xc0000100, 0x0000800000000000);

	failed_with_gp(&machine);
	machine = wrmsr(0x277, 0x0007040600070402);
	failed_with_gp(&machine);
	machine = wrmsr(0x277, 0x0807040600070406);
	failed_with_gp(&machine);
}

START_TEST(msrs_that_are_not_there_fail)
{
	struct machine machine = rdmsr(0x1b);

	failed_with_gp(&machine);
	machine = wrmsr(0xc0010117, 0);
	failed_with_gp(&machine);
}

START_TEST(tsc_goes_on_from_what_was_written)
{
	struct machine machine = wrmsr(0x10, 1ull << 62);
	uint64_t offset = vmcb->control.tsc_offset;

	went_on(&machine, 2);
	machine = at(VMEXIT_MSR);
	vmcb->control.tsc_offset = offset;
	regs->rcx = 0x10;
	machine_exit(&machine);
	ck_assert_uint_eq(regs->rdx >> 30, 1);
}

static struct machine xsetbv(uint64_t value)
{
	struct machine machine = at(VMEXIT_XSETBV);

	set_edx_eax(value);
	machine_exit(&machine);
	return machine;
}

START_TEST(xsetbv_sets_xcr0)
{
	static const uint64_t values[] = { 1, 3, 7, 0xe7, 0x207 };
	struct machine machine;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		machine = xsetbv(values[i]);
		went_on(&machine, 3);
		ck_assert_uint_eq(regs->xcr0, values[i]);
	}
}

START_TEST(xsetbv_refuses_illegal_values)
{
	/* x87 off; AVX without SSE; half of AVX-512, and without AVX; no such */
	static const uint64_t values[] = {
		0, 6, 5, 0x27, 0xe3, 0x19, 1ull << 63 | 1
	};
	struct machine machine;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		machine = xsetbv(values[i]);
		failed_with_gp(&machine);
		ck_assert_uint_eq(regs->xcr0, 1);
	}
}

START_TEST(xsetbv_is_for_xcr0_and_the_kernel)
{
	struct machine machine = at(VMEXIT_XSETBV);

	set_edx_eax(1);
	regs->rcx = 1;
	machine_exit(&machine);
	failed_with_gp(&machine);
	machine = at(VMEXIT_XSETBV);
	set_edx_eax(1);
	vmcb->save.cpl = 3;
	machine_exit(&machine);
	failed_with_gp(&machine);
}

static const TTest **const tests[] = {
	&hlt_with_interrupts_off_is_the_end,
	&hlt_with_interrupts_on_has_no_answer,
	&shutdown_has_a_status_of_its_own,
	&unmapped_address_is_named,
	&other_exits_are_named,
	&port_f4_ends_with_an_odd_status,
	&ports_of_nobody_read_ones_and_are_counted,
	&serial_port_is_ready_and_keeps_its_registers,
	&serial_divisor_is_not_sent,
	&string_instructions_have_no_answer,
	&cpuid_answers_and_goes_on,
	&next_rip_is_the_processors_if_it_says,
	&efer_reads_without_svme,
	&efer_keeps_svme_when_written,
	&efer_refuses_what_it_does_not_have,
	&efer_refuses_lme_with_paging_on,
	&msrs_of_the_vmcb_are_there,
	&msrs_refuse_illegal_values,
	&msrs_that_are_not_there_fail,
	&tsc_goes_on_from_what_was_written,
	&xsetbv_sets_xcr0,
	&xsetbv_refuses_illegal_values,
	&xsetbv_is_for_xcr0_and_the_kernel,
};

Suite *machine_suite(void)
{
	return suite_of("machine", tests, ARRAY_SIZE(tests));
}
