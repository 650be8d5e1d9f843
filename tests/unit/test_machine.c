// SPDX-License-Identifier: GPL-2.0
/*
 * The tool's handling of exits: what the guest sees of HLT, ports, CPUID, MSRs and
 * XSETBV, and with which status and message a run ends.
 */
#include <sys/mman.h>

#include "common/clock.h"
#include "common/feature.h"
#include "common/status.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "vmm/cpu_thread.h"
#include "vmm/exits.h"
#include "vmm/machine.h"
#include "model/vmcb_msr.h"
#include "vmm/msr.h"

#define RIP 0x7c00
#define INJECTED_DB (SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 1)
#define INJECTED_GP                                                            \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |                          \
	 SVM_EVENT_ERROR_CODE_VALID | 13)

static struct vcpu_pages pages;
static struct svm_vmcb *const vmcb = &pages.vmcb;
static struct svmrun_registers *const regs = &pages.regs;

static struct machine machine;
static struct cpu cpu;
static struct run_options options;

static void at(uint64_t exitcode)
{
	machine = (struct machine){ .cpus = &cpu, .cpu_count = 1 };
	options = (struct run_options){ .cpus = 1 };
	machine_init(&machine, &options);
	machine.info.out_xcr0 = 0x2e7;
	machine.info.out_cr4 = 0xf70fff;
	machine.info.out_efer = 0x20fd01;
	cpu = (struct cpu){ .machine = &machine,
			    .vcpu = vcpu_pages_fill(&pages) };
	svmrun_mode_reset(&cpu.vcpu);
	vmcb->save.cr0 |= SVM_CR0_PE;
	vmcb->save.rip = RIP;
	vmcb->control.exitcode = exitcode;
}

static void went_on(unsigned int length)
{
	ck_assert(!machine.outcome.ended);
	ck_assert_uint_eq(vmcb->save.rip, RIP + length);
	ck_assert_uint_eq(vmcb->control.eventinj, 0);
}

static void failed_with_gp(void)
{
	ck_assert(!machine.outcome.ended);
	ck_assert_uint_eq(vmcb->save.rip, RIP);
	ck_assert(vmcb->save.rflags & RFLAGS_RF);
	ck_assert_uint_eq(vmcb->control.eventinj, INJECTED_GP);
}

static void ended(int status, const char *kind)
{
	ck_assert(machine.outcome.ended);
	ck_assert_int_eq(machine.outcome.status, status);
	ck_assert_str_eq(machine.outcome.kind, kind);
}

static void says(const char *words)
{
	ck_assert_msg(strstr(machine.outcome.message, words), "%s: %s", words,
		      machine.outcome.message);
}

START_TEST(hlt_with_interrupts_off_is_the_end)
{
	at(VMEXIT_HLT);
	exit_handle(&cpu);
	ck_assert(!machine.outcome.ended);
	cpu_run_once(&cpu);
	ended(STATUS_HALTED, "halt");
	ck_assert_str_eq(machine.outcome.message, "");
	ck_assert_uint_eq(machine.outcome.rip, RIP);
}

START_TEST(hlt_that_nothing_could_end_has_no_answer)
{
	at(VMEXIT_HLT);
	vmcb->save.rflags |= 1 << 9;
	machine.console.at_end = true;
	exit_handle(&cpu);
	cpu_run_once(&cpu);
	ended(STATUS_UNHANDLED, "unhandled");
	says("VMEXIT_HLT at RIP 0x7c00");
}

START_TEST(hlt_is_the_end_only_of_the_last)
{
	static struct cpu two[2];
	static struct vcpu_pages other;

	at(VMEXIT_HLT);
	two[0] = cpu;
	two[1] = (struct cpu){ .machine = &machine,
			       .id = 1,
			       .vcpu = vcpu_pages_fill(&other) };
	options.cpus = 2;
	machine.cpus = two;
	machine.cpu_count = 2;
	machine_init(&machine, &options);
	exit_handle(&two[0]);
	ck_assert(two[0].halted && !two[1].halted);
	ck_assert(cpu_waits_for_sipi(&two[1]));
	cpu_run_once(&two[0]);
	ended(STATUS_HALTED, "halt");
}

START_TEST(shutdown_has_a_status_of_its_own)
{
	at(VMEXIT_SHUTDOWN);

	exit_handle(&cpu);
	ended(STATUS_SHUTDOWN, "shutdown");
	says("VMEXIT_SHUTDOWN at RIP 0x7c00");
}

START_TEST(unmapped_address_is_named)
{
	at(VMEXIT_NPF);

	vmcb->control.exitinfo1 = SVM_NPF_WRITE | SVM_NPF_FINAL;
	vmcb->control.exitinfo2 = 0x12345000;
	exit_handle(&cpu);
	ended(STATUS_UNHANDLED, "unhandled");
	says("write to GPA 0x12345000");
}

START_TEST(other_exits_are_named)
{
	at(VMEXIT_TASK_SWITCH);
	exit_handle(&cpu);
	ended(STATUS_UNHANDLED, "unhandled");
	says("VMEXIT_TASK_SWITCH (0x7d) at RIP 0x7c00");
	at(0x1234);
	exit_handle(&cpu);
	says("(0x1234)");
}

static void io(uint32_t port, uint64_t flags, uint32_t eax)
{
	at(VMEXIT_IOIO);

	vmcb->control.exitinfo1 = port << 16 | flags;
	vmcb->control.exitinfo2 = RIP + 2;
	vmcb->save.rax = eax;
	exit_handle(&cpu);
}

START_TEST(port_f4_ends_with_an_odd_status)
{
	io(0xf4, SVM_IOIO_SZ8, 0);

	ended(1, "port");
	io(0xf4, SVM_IOIO_SZ8, 3);
	ended(7, "port");
	io(0xf4, SVM_IOIO_SZ8, 0x80);
	ended(1, "port");
	io(0xf4, SVM_IOIO_SZ32, 0xffffffff);
	ended(255, "port");
}

START_TEST(resets_name_their_port)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} ways[] = { { 0x64, 0xfe }, { 0x92, 1 }, { 0xcf9, 6 } };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		io(ways[i].port, SVM_IOIO_SZ8, ways[i].value);
		ended(STATUS_HALTED, "reset");
		ck_assert_uint_eq(machine.outcome.reset_port, ways[i].port);
	}
}

static unsigned int restarts;
static int restart_status;

static int restart(void *guest, struct machine *of)
{
	const uint8_t *byte = of->memories[0].base;

	ck_assert_ptr_eq(guest, &restarts);
	ck_assert_uint_eq(*byte, 0);
	ck_assert_uint_eq(vmcb->save.rip, 0xfff0);
	vmcb->save.rip = RIP;
	restarts++;
	return restart_status;
}

/* Reset a machine with a page of memory, after the exit @exitcode. */
static void reset_by(uint64_t exitcode)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(page, 1, 4096);
	at(exitcode);
	options.on_reset = ON_RESET_RESTART;
	machine.memories[0] = (struct svmrun_memory){ .base = page,
						      .size = 4096 };
	machine.memory_count = 1;
	machine.restart = restart;
	machine.guest = &restarts;
	restarts = 0;
	vmcb->control.asid = 7;
	vmcb->control.exitinfo1 = 0xcf9 << 16 | SVM_IOIO_SZ8;
	vmcb->control.exitinfo2 = RIP + 1;
	vmcb->save.rax = 6;
	exit_handle(&cpu);
	ck_assert(machine.stop.reset && !machine.outcome.ended);
	ck_assert(!stop_is_complete(&machine));
	machine.stop.stopped = 1;
	ck_assert(stop_is_complete(&machine));
	cpu.halted = true;
	cpu.tsc_aux = 1;
	machine_reset(&machine);
	ck_assert(!machine.stop.reset);
	ck_assert_uint_eq(restarts, 1);
	munmap(page, 4096);
}

START_TEST(reset_restarts_the_guest)
{
	static const uint64_t ways[] = { VMEXIT_IOIO, VMEXIT_SHUTDOWN };

	restart_status = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		reset_by(ways[i]);
		ck_assert(!machine.outcome.ended);
		ck_assert_uint_eq(machine.stop.resets, 1);
		ck_assert_uint_eq(vmcb->save.rip, RIP);
		ck_assert_uint_eq(vmcb->control.asid, 8);
		ck_assert(!cpu.halted);
		ck_assert_uint_eq(cpu.tsc_aux, 0);
	}
}

START_TEST(reset_that_fails_is_the_end)
{
	restart_status = STATUS_ENVIRONMENT;
	reset_by(VMEXIT_SHUTDOWN);
	ended(STATUS_ENVIRONMENT, "environment");
	says("cannot load the guest again");
}

START_TEST(absent_ports_read_ones_and_are_counted)
{
	io(0x160, SVM_IOIO_IN | SVM_IOIO_SZ16, 0);

	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0xffff);
	ck_assert_uint_eq(machine.pc.unclaimed, 2);
	io(0xf4, SVM_IOIO_IN | SVM_IOIO_SZ8, 0);
	ck_assert_uint_eq(vmcb->save.rax, 0xff);
	io(0x80, SVM_IOIO_SZ8, 7);
	went_on(2);
	ck_assert_uint_eq(machine.pc.unclaimed, 1);
}

START_TEST(instructions_that_cannot_be_read_are_named)
{
	io(0x3f8, SVM_IOIO_STR | SVM_IOIO_SZ8, 0);

	ended(STATUS_UNHANDLED, "unhandled");
	says("does not emulate this instruction");
}

static void cpuid(uint32_t leaf)
{
	at(VMEXIT_CPUID);

	vmcb->save.rax = 0xffffffff00000000 | leaf;
	regs->rcx = 0xffffffff00000000;
	exit_handle(&cpu);
}

START_TEST(cpuid_answers_and_goes_on)
{
	cpuid(0x40000000);

	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0x40000010);
	ck_assert_mem_eq(&regs->rbx, "svmr\0\0\0\0", 8);
	ck_assert_mem_eq(&regs->rcx, "un\0\0\0\0\0\0", 8);
}

START_TEST(next_rip_is_the_processors_if_it_says)
{
	at(VMEXIT_CPUID);

	machine.info.out_svm_features = FEATURE_NRIPS;
	vmcb->control.nrip = RIP + 5;
	vmcb->control.interrupt_shadow = 1;
	exit_handle(&cpu);
	went_on(5);
	ck_assert_uint_eq(vmcb->control.interrupt_shadow, 0);
}

static void rdmsr(uint32_t msr)
{
	at(VMEXIT_MSR);

	regs->rcx = msr;
	exit_handle(&cpu);
}

static void set_edx_eax(uint64_t value)
{
	vmcb->save.rax = (uint32_t)value;
	regs->rdx = value >> 32;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
	at(VMEXIT_MSR);

	regs->rcx = msr;
	set_edx_eax(value);
	vmcb->control.exitinfo1 = 1;
	exit_handle(&cpu);
}

START_TEST(faults_in_real_mode_have_no_error_code)
{
	at(VMEXIT_MSR);
	vmcb->save.cr0 &= ~SVM_CR0_PE;
	regs->rcx = 0xc0010117;
	exit_handle(&cpu);
	ck_assert_uint_eq(vmcb->control.eventinj,
			  INJECTED_GP & ~SVM_EVENT_ERROR_CODE_VALID);
	ck_assert(vmcb->save.rflags & RFLAGS_RF);
}

/* Exits for instructions, and operands with which they complete */
static const struct completion {
	uint64_t code;
	unsigned int length;
	uint64_t rax;
	uint64_t rcx;
	uint64_t info;
} completions[] = {
	{ VMEXIT_CPUID, 2, 0, 0, 0 },
	{ VMEXIT_MSR, 2, 0, 0x1b, 0 },
	{ VMEXIT_MSR, 2, 7, 0xc0000103, 1 },
	{ VMEXIT_XSETBV, 3, 1, 0, 0 },
	{ VMEXIT_RDTSCP, 3, 0, 0, 0 },
	{ VMEXIT_RDPMC, 2, 0, 0, 0 },
	{ VMEXIT_HLT, 1, 0, 0, 0 },
	{ VMEXIT_WBINVD, 2, 0, 0, 0 },
	{ VMEXIT_INVD, 2, 0, 0, 0 },
	{ VMEXIT_IOIO, 2, 0, 0, 0x80 << 16 | SVM_IOIO_SZ8 },
	{ VMEXIT_IOIO, 2, 0, 0, 0x80 << 16 | SVM_IOIO_SZ8 | SVM_IOIO_IN },
};

static void complete(const struct completion *how, uint64_t rflags)
{
	at(how->code);
	vmcb->save.rax = how->rax;
	regs->rcx = how->rcx;
	regs->rdx = 0;
	vmcb->control.exitinfo1 = how->info;
	vmcb->control.exitinfo2 = RIP + how->length;
	vmcb->control.interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	vmcb->save.rflags |= rflags | RFLAGS_RF;
	exit_handle(&cpu);
}

/* APM 13.1.4; RF and the interrupt shadow are for one instruction. */
START_TEST(instructions_end_as_on_the_processor)
{
	const struct completion *how;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(completions); i++) {
		how = &completions[i];
		complete(how, RFLAGS_TF);
		ck_assert_uint_eq(vmcb->save.rip, RIP + how->length);
		ck_assert_uint_eq(vmcb->save.rflags & RFLAGS_RF, 0);
		ck_assert_uint_eq(vmcb->control.interrupt_shadow, 0);
		ck_assert_uint_eq(vmcb->control.eventinj, INJECTED_DB);
		ck_assert(vmcb->save.dr6 & DR6_BS);
		ck_assert(!cpu.halted);
		if (how->code == VMEXIT_HLT)
			continue;
		complete(how, 0);
		went_on(how->length);
		ck_assert_uint_eq(vmcb->save.rflags & RFLAGS_RF, 0);
		ck_assert_uint_eq(vmcb->save.dr6 & DR6_BS, 0);
	}
}

/* Without NRIP, the length comes from memory: here of CPUID with a prefix. */
START_TEST(prefixes_belong_to_the_instruction)
{
	static uint8_t memory[0x10000] = { [RIP] = 0x66, 0x0f, 0xa2 };

	at(VMEXIT_CPUID);
	vmcb->save.cs.base = 0;
	machine.memories[0] = (struct svmrun_memory){
		.base = memory,
		.size = sizeof(memory),
	};
	machine.memory_count = 1;
	exit_handle(&cpu);
	went_on(3);
}

START_TEST(efer_reads_without_svme)
{
	rdmsr(0xc0000080);

	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0);
	ck_assert_uint_eq(regs->rdx, 0);
}

START_TEST(efer_keeps_svme_when_written)
{
	wrmsr(0xc0000080, 0x901);

	went_on(2);
	ck_assert_uint_eq(vmcb->save.efer, 0x1901);
}

START_TEST(efer_refuses_what_it_does_not_have)
{
	wrmsr(0xc0000080, 0x1000); /* SVME */

	failed_with_gp();
	wrmsr(0xc0000080, 0x400); /* LMA, which only the processor sets */
	failed_with_gp();
	wrmsr(0xc0000080, 1ull << 32);
	failed_with_gp();
}

START_TEST(efer_refuses_lme_with_paging_on)
{
	at(VMEXIT_MSR);

	regs->rcx = 0xc0000080;
	set_edx_eax(0x100);
	vmcb->control.exitinfo1 = 1;
	vmcb->save.cr0 |= 1u << 31;
	exit_handle(&cpu);
	failed_with_gp();
}

START_TEST(msrs_of_the_vmcb_are_there)
{
	wrmsr(0xc0000100, 0x7fff12345678);

	went_on(2);
	ck_assert_uint_eq(vmcb->save.fs.base, 0x7fff12345678);
	wrmsr(0xc0000081, 0x1122334455667788);
	ck_assert_uint_eq(vmcb->save.star, 0x1122334455667788);
	rdmsr(0x277);
	went_on(2);
	ck_assert_uint_eq(regs->rdx, 0x00070406);
	ck_assert_uint_eq(vmcb->save.rax, 0x00070406);
}

START_TEST(msrs_refuse_illegal_values)
{
	wrmsr(0xc0000100, 0x0000800000000000);

	failed_with_gp();
	wrmsr(0x277, 0x0007040600070402);
	failed_with_gp();
	wrmsr(0x277, 0x0807040600070406);
	failed_with_gp();
}

START_TEST(bases_have_57_bits_if_the_processor_has)
{
	at(VMEXIT_MSR);
	machine.info.out_cr4 |= SVM_CR4_LA57;
	regs->rcx = 0xc0000101;
	set_edx_eax(0xff00000000000000);
	vmcb->control.exitinfo1 = 1;
	exit_handle(&cpu);
	went_on(2);
	ck_assert_uint_eq(vmcb->save.gs.base, 0xff00000000000000);
	vmcb->save.rip = RIP;
	set_edx_eax(0x0100000000000000);
	exit_handle(&cpu);
	failed_with_gp();
}

static unsigned int permission(uint32_t msr)
{
	size_t base = msr >= 0xc0000000 ? 0x800 : 0, bit = 2 * (msr & 0x1fff);

	return pages.msrpm[base + bit / 8] >> bit % 8 & 3;
}

/* Two bits per MSR: reads, writes */
START_TEST(msrs_that_run_switches_do_not_exit)
{
	static const uint32_t direct[] = {
		0x174,	    0x175,	0x176,	    0xc0000081, 0xc0000082,
		0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
	};
	static const uint32_t others[] = {
		0x10,	    0x173,	0x177,	    0x277,
		0xc0000080, 0xc0000085, 0xc0000103, 0xc00000ff,
	};
	size_t i;

	at(VMEXIT_MSR);
	memset(pages.msrpm, 0xff, sizeof(pages.msrpm));
	vmcb_msr_permit(&cpu.vcpu);
	for (i = 0; i < ARRAY_SIZE(direct); i++)
		ck_assert_uint_eq(permission(direct[i]), 0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_uint_eq(permission(others[i]), 3);
}

START_TEST(msrs_that_are_not_there_fail)
{
	rdmsr(0xc0010117);

	failed_with_gp();
	wrmsr(0xc0010117, 0);
	failed_with_gp();
}

START_TEST(msrs_that_are_not_there_can_be_ignored)
{
	at(VMEXIT_MSR);
	options.msr = MSR_IGNORE;
	regs->rcx = 0xc0010117;
	set_edx_eax(0x1122334455667788);
	exit_handle(&cpu);
	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0);
	ck_assert_uint_eq(regs->rdx, 0);
	ck_assert_uint_eq(machine.unknown_msrs, 1);
}

START_TEST(msrs_that_refuse_a_value_are_not_ignored)
{
	at(VMEXIT_MSR);
	options.msr = MSR_IGNORE;
	regs->rcx = 0x277;
	set_edx_eax(2);
	vmcb->control.exitinfo1 = 1;
	exit_handle(&cpu);
	failed_with_gp();
}

static uint32_t cpuid_apic(void)
{
	vmcb->control.exitcode = VMEXIT_CPUID;
	vmcb->save.rax = 1;
	exit_handle(&cpu);
	return regs->rdx & 1 << 9;
}

static void write_base(uint64_t value)
{
	vmcb->control.exitcode = VMEXIT_MSR;
	vmcb->control.exitinfo1 = 1;
	vmcb->save.rip = RIP;
	regs->rcx = 0x1b;
	set_edx_eax(value);
	exit_handle(&cpu);
}

/* APM 16.3.1, 16.9 */
START_TEST(cpuid_follows_apic_base)
{
	at(VMEXIT_CPUID);
	machine.info.out_gpa_bits = 40;
	ck_assert(cpuid_apic());
	write_base(0xfee00d00);
	went_on(2);
	ck_assert(cpuid_apic());
	write_base(0xfee00100);
	went_on(2);
	ck_assert(!cpuid_apic());
	write_base(0xfee00900);
	went_on(2);
	ck_assert(cpuid_apic());
	write_base(0x100fee00900);
	failed_with_gp();
}

START_TEST(apic_base_is_not_ignored)
{
	at(VMEXIT_MSR);
	machine.info.out_gpa_bits = 40;
	options.msr = MSR_IGNORE;
	write_base(0xfee00500);
	failed_with_gp();
}

/* A deadline that the new value has passed expires at once. */
START_TEST(tsc_moves_the_deadline)
{
	struct svmrun_lapic *lapic = &machine.pc.lapics[0];

	at(VMEXIT_MSR);
	vmcb->control.tsc_offset = -__builtin_ia32_rdtsc();
	svmrun_lapic_write(lapic, 0x320, 0x40041, clock_now());
	svmrun_lapic_write_msr(lapic, 0x6e0, 1ull << 50, clock_now());
	ck_assert_int_eq(svmrun_lapic_pending(lapic), -1);
	vmcb->control.exitinfo1 = 1;
	regs->rcx = 0x10;
	set_edx_eax(1ull << 51);
	exit_handle(&cpu);
	went_on(2);
	ck_assert_int_eq(svmrun_lapic_pending(lapic), 0x41);
}

START_TEST(local_apic_has_its_msrs)
{
	rdmsr(0x1b);
	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0xfee00900); /* enabled, BSP */
}

START_TEST(tsc_goes_on_from_what_was_written)
{
	wrmsr(0x10, 1ull << 62);
	uint64_t offset = vmcb->control.tsc_offset;

	went_on(2);
	at(VMEXIT_MSR);
	vmcb->control.tsc_offset = offset;
	regs->rcx = 0x10;
	exit_handle(&cpu);
	ck_assert_uint_eq(regs->rdx >> 30, 1);
}

START_TEST(tsc_aux_is_the_guests)
{
	wrmsr(0xc0000103, 0x1234567890abcdef);
	went_on(2);
	ck_assert_uint_eq(cpu.tsc_aux, 0x90abcdef);
	at(VMEXIT_RDTSCP);
	cpu.tsc_aux = 7;
	vmcb->control.tsc_offset = 1ull << 62;
	regs->rcx = ~0ull;
	exit_handle(&cpu);
	went_on(3);
	ck_assert_uint_eq(regs->rcx, 7);
	ck_assert_uint_eq(regs->rdx >> 30, 1);
	ck_assert_uint_eq(vmcb->save.rax >> 32, 0);
}

static void rdpmc(uint64_t counter, unsigned int cpl, uint64_t cr4)
{
	at(VMEXIT_RDPMC);
	regs->rcx = counter;
	vmcb->save.cpl = cpl;
	vmcb->save.cr4 = cr4;
	exit_handle(&cpu);
}

START_TEST(performance_counters_read_zero)
{
	rdpmc(3, 0, 0);
	went_on(2);
	ck_assert_uint_eq(vmcb->save.rax, 0);
	ck_assert_uint_eq(regs->rdx, 0);
	rdpmc(0, 3, SVM_CR4_PCE);
	went_on(2);
	rdpmc(0, 3, 0);
	failed_with_gp();
	rdpmc(4, 0, 0);
	failed_with_gp();
}

static void xsetbv(uint64_t value)
{
	at(VMEXIT_XSETBV);

	set_edx_eax(value);
	exit_handle(&cpu);
}

START_TEST(xsetbv_sets_xcr0)
{
	static const uint64_t values[] = { 1, 3, 7, 0xe7, 0x207 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		xsetbv(values[i]);
		went_on(3);
		ck_assert_uint_eq(regs->xcr0, values[i]);
	}
}

START_TEST(xsetbv_refuses_illegal_values)
{
	/* no x87; AVX without SSE; part of AVX-512; AVX-512 without AVX; unsupported */
	static const uint64_t values[] = {
		0, 6, 5, 0x27, 0xe3, 0x19, 1ull << 63 | 1
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		xsetbv(values[i]);
		failed_with_gp();
		ck_assert_uint_eq(regs->xcr0, 1);
	}
}

START_TEST(xsetbv_is_for_xcr0_and_the_kernel)
{
	at(VMEXIT_XSETBV);

	set_edx_eax(1);
	regs->rcx = 1;
	exit_handle(&cpu);
	failed_with_gp();
	at(VMEXIT_XSETBV);
	set_edx_eax(1);
	vmcb->save.cpl = 3;
	exit_handle(&cpu);
	failed_with_gp();
}

static const TTest **const tests[] = {
	&hlt_with_interrupts_off_is_the_end,
	&hlt_that_nothing_could_end_has_no_answer,
	&hlt_is_the_end_only_of_the_last,
	&shutdown_has_a_status_of_its_own,
	&unmapped_address_is_named,
	&other_exits_are_named,
	&port_f4_ends_with_an_odd_status,
	&resets_name_their_port,
	&reset_restarts_the_guest,
	&reset_that_fails_is_the_end,
	&absent_ports_read_ones_and_are_counted,
	&instructions_that_cannot_be_read_are_named,
	&cpuid_answers_and_goes_on,
	&next_rip_is_the_processors_if_it_says,
	&faults_in_real_mode_have_no_error_code,
	&instructions_end_as_on_the_processor,
	&prefixes_belong_to_the_instruction,
	&efer_reads_without_svme,
	&efer_keeps_svme_when_written,
	&efer_refuses_what_it_does_not_have,
	&efer_refuses_lme_with_paging_on,
	&msrs_of_the_vmcb_are_there,
	&msrs_refuse_illegal_values,
	&bases_have_57_bits_if_the_processor_has,
	&msrs_that_run_switches_do_not_exit,
	&msrs_that_are_not_there_fail,
	&msrs_that_are_not_there_can_be_ignored,
	&msrs_that_refuse_a_value_are_not_ignored,
	&cpuid_follows_apic_base,
	&apic_base_is_not_ignored,
	&tsc_moves_the_deadline,
	&local_apic_has_its_msrs,
	&tsc_goes_on_from_what_was_written,
	&tsc_aux_is_the_guests,
	&performance_counters_read_zero,
	&xsetbv_sets_xcr0,
	&xsetbv_refuses_illegal_values,
	&xsetbv_is_for_xcr0_and_the_kernel,
};

Suite *machine_suite(void)
{
	return suite_of("machine", tests, ARRAY_SIZE(tests));
}
