// SPDX-License-Identifier: GPL-2.0
/*
 * A hypervisor as a guest that attacks the program which gives it SVM: VMCBs, permission maps
 * and nested page tables that are wrong, or that another processor changes while L2 runs.
 * Needs two processors and MEMORY bytes of memory. Prints one line per check.
 *
 * L2 runs in protected mode without paging, on pages of its own from address 0 on, so that it
 * cannot change L1.
 */
#include <stdbool.h>

#include "descriptors.h"
#include "guest.h"
#include "start_ap.h"
#include "svm.h"

#define PAGE 4096ul
#define MEMORY (64ul << 20)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CODE_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_DB | SVM_SEG_G | 0xb)
#define DATA_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_DB | SVM_SEG_G | 0x3)
#define RFLAGS_1 (1ull << 1)
#define MSR_EFER 0xc0000080
#define MSR_VM_HSAVE_PA 0xc0010117

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_TIMER 0x41

#define LAPIC 0xfee00000ul
#define IOAPIC 0xfec00000ul
#define LAPIC_EOI 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_ICR 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_TIMER 0x320
#define LAPIC_INITIAL 0x380
#define LAPIC_DIVIDE 0x3e0
#define ICR_INIT 0x4500
#define ICR_STARTUP 0x4600
#define TIMER_PERIODIC (1 << 17)
#define TIMER_MASKED (1 << 16)
#define TIMER_PERIOD 10000000 /* about 10 ms */

#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)
#define PTE_U (1ull << 2)
#define PTE_PS (1ull << 7)
#define PTE_ALL (PTE_P | PTE_W | PTE_U)
#define PTE_RESERVED (1ull << 51)

/* Pages of L2 */
#define L2_DATA 0x0000u
#define L2_CODE 0x1000u
#define L2_OTHER 0x2000u

#define ROUNDS 2000

static struct svm_vmcb vmcb __attribute__((aligned(4096)));
static struct svm_vmcb good __attribute__((aligned(4096)));
static uint8_t hsave[PAGE] __attribute__((aligned(4096)));
static uint8_t iopm[3 * PAGE] __attribute__((aligned(4096)));
static uint8_t msrpm[2 * PAGE] __attribute__((aligned(4096)));
static uint64_t npt[4][512] __attribute__((aligned(4096)));
static uint64_t roots[8][512] __attribute__((aligned(4096)));
static uint32_t code[1024] __attribute__((aligned(4096)));
static uint32_t data[1024] __attribute__((aligned(4096)));
struct registers svm_registers;

static volatile unsigned int faults;
static unsigned int fault_skip;

static void check(const char *name, bool right)
{
	svm_check(&vmcb, name, right);
}

static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* ---- the processor ------------------------------------------------------- */

static volatile uint32_t *lapic(unsigned int offset)
{
	return (volatile uint32_t *)(LAPIC + offset);
}

static __attribute__((interrupt)) void on_gp(volatile struct frame *frame,
					     uint64_t error_code)
{
	(void)error_code;
	faults++;
	frame->rip += fault_skip;
}

static __attribute__((interrupt)) void on_timer(volatile struct frame *frame)
{
	(void)frame;
	*lapic(LAPIC_EOI) = 0;
}

static void load_tables(void)
{
	set_gate(VECTOR_GP, on_gp);
	set_gate(VECTOR_TIMER, on_timer);
	load_descriptor_tables();
	*lapic(LAPIC_SPURIOUS) = 0x1ff;
	write_msr(MSR_EFER, read_msr(MSR_EFER) | SVM_EFER_SVME);
	write_msr(MSR_VM_HSAVE_PA, (uint64_t)hsave);
}

/* The timer ends an L2 that does not exit by itself. */
static void begin_timer(void)
{
	*lapic(LAPIC_DIVIDE) = 0xb;
	*lapic(LAPIC_TIMER) = VECTOR_TIMER | TIMER_PERIODIC;
	*lapic(LAPIC_INITIAL) = TIMER_PERIOD;
}

static void end_timer(void)
{
	*lapic(LAPIC_TIMER) = TIMER_MASKED;
	*lapic(LAPIC_INITIAL) = 0;
}

/* ---- the other processor -------------------------------------------------- */

static void (*volatile job)(void);
static volatile bool job_must_end;

void ap_main(void)
{
	const struct table idtr = { sizeof(idt) - 1, (uint64_t)idt };

	asm volatile("lidt %0" : : "m"(idtr));
	for (;;) {
		while (!job)
			asm volatile("pause");
		job();
		job = NULL;
	}
}

static void begin_job(void (*new)(void))
{
	job_must_end = false;
	job = new;
}

static void end_job(void)
{
	job_must_end = true;
	while (job)
		asm volatile("pause");
}

static void halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static void start_ap(void)
{
	ap_state[0] = read_cr(0);
	ap_state[1] = read_cr(3);
	ap_state[2] = read_cr(4);
	ap_state[3] = read_msr(MSR_EFER) & ~SVM_EFER_LMA;
	memcpy((void *)AP_CODE, ap_begin, ap_end - ap_begin);
	*lapic(LAPIC_ICR_HIGH) = 1 << 24;
	*lapic(LAPIC_ICR) = ICR_INIT;
	*lapic(LAPIC_ICR) = ICR_STARTUP | AP_CODE >> 12;
}

/* ---- L2 ------------------------------------------------------------------ */

#define L2(name, text)                                                         \
	static __attribute__((naked)) void name(void)                          \
	{                                                                      \
		asm volatile(".code32\n\t" text "\n\t.code64");                \
	}

L2(guest_call, "1: vmmcall; jmp 1b")
L2(guest_load, "mov (%ebx), %eax; vmmcall")
L2(guest_store, "mov %ecx, (%ebx); vmmcall")
L2(guest_jump, "jmp *%ebx")
L2(guest_port, "out %al, $0x80; vmmcall")
L2(guest_msr, "mov $0xc0000081, %ecx; rdmsr; vmmcall")

static void prepare_state(void (*entry)(void))
{
	struct svm_vmcb_save *save = &vmcb.save;

	memcpy(code, entry, 64);
	prepare_segment(&save->cs, CODE_SELECTOR, CODE_ATTRIB);
	prepare_segment(&save->ss, DATA_SELECTOR, DATA_ATTRIB);
	prepare_segment(&save->ds, DATA_SELECTOR, DATA_ATTRIB);
	prepare_segment(&save->es, DATA_SELECTOR, DATA_ATTRIB);
	save->efer = SVM_EFER_SVME;
	save->cr0 = SVM_CR0_PE | SVM_CR0_ET;
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->g_pat = 0x0007040600070406;
	save->rflags = RFLAGS_1;
	save->rip = L2_CODE;
	save->rsp = L2_CODE;
}

static void prepare_tables(void)
{
	memset(npt, 0, sizeof(npt));
	npt[0][0] = (uint64_t)npt[1] | PTE_ALL;
	npt[1][0] = (uint64_t)npt[2] | PTE_ALL;
	npt[2][0] = (uint64_t)npt[3] | PTE_ALL;
	npt[3][L2_DATA / PAGE] = (uint64_t)data | PTE_ALL;
	npt[3][L2_CODE / PAGE] = (uint64_t)code | PTE_ALL;
}

/* L2 starts at @entry. It has only its own pages, and everything is intercepted. */
static void prepare(void (*entry)(void))
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(iopm, 0, sizeof(iopm));
	memset(msrpm, 0, sizeof(msrpm));
	prepare_state(entry);
	prepare_tables();
	vmcb.control.intercept[3] = SVM_INTERCEPT3_INTR | SVM_INTERCEPT3_NMI |
				    SVM_INTERCEPT3_HLT | SVM_INTERCEPT3_IOIO |
				    SVM_INTERCEPT3_MSR |
				    SVM_INTERCEPT3_SHUTDOWN |
				    SVM_INTERCEPT3_CPUID;
	vmcb.control.intercept[4] = SVM_INTERCEPT4_VMRUN |
				    SVM_INTERCEPT4_VMMCALL;
	vmcb.control.iopm_base_pa = (uint64_t)iopm;
	vmcb.control.msrpm_base_pa = (uint64_t)msrpm;
	vmcb.control.asid = 1;
	vmcb.control.vintr = SVM_VINTR_V_INTR_MASKING;
	vmcb.control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb.control.n_cr3 = (uint64_t)npt[0];
	vmcb.control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
}

/* Interrupts end L2's run, and are taken after STGI. */
static uint64_t run(void)
{
	__svm_clgi();
	asm volatile("sti");
	__svm_vmrun((uint64_t)&vmcb);
	__svm_stgi();
	asm volatile("nop; cli" : : : "memory");
	return vmcb.control.exitcode;
}

static uint64_t run_at(void (*entry)(void), uint32_t address)
{
	prepare_state(entry);
	svm_registers.rbx = address;
	svm_registers.rcx = 0;
	return run();
}

/* ---- races ----------------------------------------------------------------- */

/* Words of the VMCB that keep L2 within its pages, and let it exit */
static bool is_kept(size_t offset)
{
	static const size_t kept[] = {
		offsetof(struct svm_vmcb, control.intercept[2]),
		offsetof(struct svm_vmcb, control.intercept[4]),
		offsetof(struct svm_vmcb, control.vintr),
		offsetof(struct svm_vmcb, control.nested_ctl),
		offsetof(struct svm_vmcb, control.n_cr3),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] == offset)
			return true;
	return false;
}

#define RACED_WORDS (0x698 / 8)

static void delay(void)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		asm volatile("pause");
}

/* Break one word of the VMCB at a time, and mend it again. */
static void race_vmcb(void)
{
	static const uint64_t tables[] = { MEMORY, LAPIC, ~0ull << 12,
					   MEMORY - 8 };
	volatile uint64_t *words = (volatile uint64_t *)&vmcb;
	const uint64_t *old = (const uint64_t *)&good;
	uint64_t at;

	while (!job_must_end) {
		at = next_random() % RACED_WORDS;
		if (!is_kept(8 * at))
			words[at] = next_random() >> next_random() % 64;
		else
			vmcb.control.n_cr3 = tables[at % ARRAY_SIZE(tables)];
		delay();
		if (!is_kept(8 * at))
			words[at] = old[at];
		else
			vmcb.control.n_cr3 = good.control.n_cr3;
		if (next_random() % 2)
			delay();
	}
}

/* Go on for longer if a race has not had all its outcomes. */
static bool goes_on(unsigned int round, bool complete)
{
	return round < ROUNDS || (round < 20 * ROUNDS && !complete);
}

struct outcomes {
	unsigned int calls, invalid, page_faults, shutdowns, others;
};

static void count(struct outcomes *outcomes, uint64_t exitcode)
{
	if (exitcode == VMEXIT_VMMCALL)
		outcomes->calls++;
	else if (exitcode == VMEXIT_INVALID)
		outcomes->invalid++;
	else if (exitcode == VMEXIT_NPF)
		outcomes->page_faults++;
	else if (exitcode == VMEXIT_SHUTDOWN)
		outcomes->shutdowns++;
	else
		outcomes->others++;
}

static void check_race_vmcb(void)
{
	struct outcomes outcomes = { 0 };
	unsigned int i;

	prepare(guest_call);
	good = vmcb;
	begin_timer();
	begin_job(race_vmcb);
	for (i = 0; goes_on(i, outcomes.calls && outcomes.invalid); i++) {
		if (i % 2)
			memcpy(&vmcb.save, &good.save, sizeof(vmcb.save));
		count(&outcomes, run());
	}
	end_job();
	end_timer();
	check("VMCB that changes: L2 runs", outcomes.calls);
	check("VMCB that changes: is refused", outcomes.invalid);
}

/* Replace L2's pages, tables and code. */
static void race_tables(void)
{
	const uint32_t old = code[0];
	uint64_t entry, kind;
	unsigned int level;

	while (!job_must_end) {
		level = next_random() % 4;
		kind = next_random() % 6;
		entry = npt[level][level == 3];
		if (kind == 0)
			npt[level][level == 3] = 0;
		else if (kind == 1)
			npt[level][level == 3] = entry | PTE_RESERVED;
		else if (kind == 2)
			npt[level][level == 3] = (uint64_t)npt[0] | PTE_P |
						 PTE_U;
		else if (kind == 3)
			npt[level][level == 3] = MEMORY | PTE_ALL;
		else if (kind == 4)
			npt[level][level == 3] = (uint64_t)data | PTE_P | PTE_U;
		else
			code[0] = next_random();
		delay();
		npt[level][level == 3] = entry;
		code[0] = old;
		delay();
	}
}

static void check_race_tables(void)
{
	struct outcomes outcomes = { 0 };
	unsigned int i;

	prepare(guest_call);
	good = vmcb;
	begin_timer();
	begin_job(race_tables);
	for (i = 0; goes_on(i, outcomes.calls && outcomes.page_faults); i++) {
		vmcb = good;
		if (!(i % 16))
			prepare_tables();
		prepare_state(guest_call);
		count(&outcomes, run());
	}
	end_job();
	end_timer();
	check("tables that change: L2 runs", outcomes.calls);
	check("tables that change: page faults", outcomes.page_faults);
	check("tables that change: never refused", !outcomes.invalid);
}

/* ---- the same VMCB on two processors -------------------------------------- */

static volatile unsigned int ap_runs, ap_others;

static void run_same(void)
{
	write_msr(MSR_VM_HSAVE_PA, (uint64_t)hsave);
	while (!job_must_end) {
		__svm_vmrun((uint64_t)&vmcb);
		__svm_stgi();
		if (vmcb.control.exitcode == VMEXIT_VMMCALL)
			ap_runs++;
		else
			ap_others++;
	}
}

static void check_same_vmcb(void)
{
	struct outcomes outcomes = { 0 };
	unsigned int i;

	prepare(guest_call);
	begin_job(run_same);
	for (i = 0; i < ROUNDS || !ap_runs; i++)
		count(&outcomes, run());
	end_job();
	check("one VMCB on two processors", outcomes.calls == i && !ap_others);
}

/* ---- addresses ------------------------------------------------------------- */

/* Pages that are not memory */
static const uint64_t nowhere[] = {
	MEMORY, 0xd0000000, IOAPIC, LAPIC, 0xfffff000, 1ull << 36, ~0xfffull,
};

static unsigned int faults_of(void (*instruction)(uint64_t), uint64_t gpa)
{
	faults = 0;
	fault_skip = 3;
	instruction(gpa);
	return faults;
}

static void check_vmcb_addresses(void)
{
	bool right = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		right &= faults_of(__svm_vmrun, nowhere[i]) == 1;
		right &= faults_of(__svm_vmload, nowhere[i]) == 1;
		right &= faults_of(__svm_vmsave, nowhere[i]) == 1;
	}
	check("VMCB outside of memory", right);
	right = faults_of(__svm_vmrun, MEMORY - PAGE / 2) == 1;
	check("VMCB across the end of memory", right);
}

static void check_map_addresses(void)
{
	static const uint64_t ends[] = { MEMORY - PAGE, MEMORY, IOAPIC, LAPIC,
					 0xfffff000 };
	bool ports = true, msrs = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		prepare(guest_port);
		vmcb.control.iopm_base_pa = ends[i];
		ports &= run() == VMEXIT_IOIO;
		prepare(guest_msr);
		vmcb.control.msrpm_base_pa = ends[i];
		msrs &= run() == VMEXIT_MSR;
	}
	check("IOPM outside of memory", ports);
	check("MSRPM outside of memory", msrs);
	prepare(guest_port);
	vmcb.control.iopm_base_pa = ~0xfffull;
	check("IOPM above all addresses", run() == VMEXIT_INVALID);
	prepare(guest_port);
	vmcb.control.msrpm_base_pa = ~0xfffull;
	check("MSRPM above all addresses", run() == VMEXIT_INVALID);
}

static void check_hsave_addresses(void)
{
	bool right = true;
	size_t i;

	prepare(guest_call);
	for (i = 0; i < ARRAY_SIZE(nowhere) - 1; i++) {
		write_msr(MSR_VM_HSAVE_PA, nowhere[i]);
		right &= run() == VMEXIT_VMMCALL;
	}
	check("VM_HSAVE_PA outside of memory", right);
	faults = 0;
	fault_skip = 2;
	write_msr(MSR_VM_HSAVE_PA, ~0xfffull);
	write_msr(MSR_VM_HSAVE_PA, 8);
	check("VM_HSAVE_PA that is not an address", faults == 2);
	write_msr(MSR_VM_HSAVE_PA, (uint64_t)hsave);
}

/* Any value can be loaded, and L1 continues with it. */
static void check_vmload(void)
{
	static struct svm_vmcb old __attribute__((aligned(4096)));
	uint64_t *words = (uint64_t *)&vmcb.save;
	unsigned int i, j;

	__svm_vmsave((uint64_t)&old);
	for (i = 0; i < 100; i++) {
		for (j = 0; j < sizeof(vmcb.save) / 8; j++)
			words[j] = next_random() >> next_random() % 64;
		__svm_vmload((uint64_t)&vmcb);
		__svm_vmsave((uint64_t)&vmcb);
	}
	__svm_vmload((uint64_t)&old);
	check("VMLOAD of random values", true);
}

/* ---- nested page tables ------------------------------------------------------ */

static bool npf_is(uint64_t info, uint64_t address)
{
	return vmcb.control.exitcode == VMEXIT_NPF &&
	       vmcb.control.exitinfo1 == info &&
	       vmcb.control.exitinfo2 == address;
}

/* One table for all levels: its first entry is itself. */
static void check_loop(void)
{
	bool right;

	prepare(guest_load);
	npt[0][0] = (uint64_t)npt[0] | PTE_ALL;
	npt[0][L2_CODE / PAGE] = (uint64_t)code | PTE_ALL;
	right = run_at(guest_load, 0) == VMEXIT_VMMCALL;
	check("table that maps itself",
	      right && (vmcb.save.rax & PTE_ALL) == PTE_ALL);
	right = run_at(guest_store, 0) == VMEXIT_VMMCALL;
	check("L2 clears its own table", right && !(uint32_t)npt[0][0]);
	run_at(guest_load, 0);
	check("no table is left", vmcb.control.exitcode == VMEXIT_NPF);
}

static void check_entries(void)
{
	static const uint64_t bits[] = { PTE_RESERVED, 1ull << 48 };
	const uint64_t present = SVM_NPF_PRESENT | SVM_NPF_USER |
				 SVM_NPF_RESERVED | SVM_NPF_FINAL;
	unsigned int level;
	bool right = true;
	size_t i;

	for (level = 0; level < 4; level++) {
		for (i = 0; i < ARRAY_SIZE(bits); i++) {
			prepare(guest_call);
			npt[level][level == 3] |= bits[i];
			run();
			right &= npf_is(present | SVM_NPF_FETCH, L2_CODE) ||
				 npf_is(present, L2_CODE);
		}
	}
	check("reserved bits of tables", right);
	for (i = 0, right = true; i < ROUNDS / 4; i++) {
		prepare(guest_call);
		npt[i % 4][i % 4 == 3] = next_random() | PTE_RESERVED;
		right &= run() == VMEXIT_NPF;
	}
	check("random tables", right);
}

static void check_roots(void)
{
	bool right = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nowhere) - 1; i++) {
		prepare(guest_call);
		vmcb.control.n_cr3 = nowhere[i];
		right &= run() == VMEXIT_NPF;
	}
	check("N_CR3 outside of memory", right);
	prepare(guest_call);
	vmcb.control.n_cr3 = ~0xfffull;
	check("N_CR3 above all addresses", run() == VMEXIT_INVALID);
}

/* 1 GiB or 2 MiB at L2's address 40000000h, which has memory only at its beginning */
static uint64_t run_large(void (*entry)(void), unsigned int level,
			  uint64_t physical, uint32_t offset)
{
	prepare(entry);
	memset(roots[0], 0, sizeof(roots[0]));
	roots[0][0] = physical | PTE_ALL | PTE_PS;
	npt[1][1] = level == 1 ? roots[0][0] : (uint64_t)roots[0] | PTE_ALL;
	return run_at(entry, 0x40000000 + offset);
}

static void check_large_pages(void)
{
	static const uint32_t behind[] = { MEMORY, 0x30000000 };
	unsigned int level;
	bool right = true;
	size_t i;

	data[5] = 0x12345678;
	for (level = 1; level < 3; level++) {
		right &= run_large(guest_load, level, 0,
				   (uint32_t)(uint64_t)&data[5]) ==
				 VMEXIT_VMMCALL &&
			 (uint32_t)vmcb.save.rax == data[5];
		right &= run_large(guest_load, 2, MEMORY, 8) == VMEXIT_SHUTDOWN;
	}
	check("large page with memory", right);
	for (i = 0, right = true; i < ARRAY_SIZE(behind); i++) {
		right &= run_large(guest_load, 1, 0, behind[i]) ==
			 VMEXIT_SHUTDOWN;
		right &= run_large(guest_store, 1, 0, behind[i]) ==
			 VMEXIT_SHUTDOWN;
		right &= run_large(guest_jump, 1, 0, behind[i]) ==
			 VMEXIT_SHUTDOWN;
	}
	check("large page without memory", right);
}

/* The LAPIC's page is a device for L2, too, but has neither code nor tables. */
static void check_device_page(void)
{
	prepare(guest_load);
	npt[3][L2_OTHER / PAGE] = LAPIC | PTE_ALL;
	check("device of L1",
	      run_at(guest_load, L2_OTHER + LAPIC_SPURIOUS) == VMEXIT_VMMCALL &&
		      (uint32_t)vmcb.save.rax == 0x1ff);
	check("code in a device",
	      run_at(guest_jump, L2_OTHER) == VMEXIT_SHUTDOWN);
	prepare_state(guest_load);
	vmcb.save.cr3 = L2_OTHER;
	vmcb.save.cr0 |= SVM_CR0_PG;
	check("L2's tables in a device", run() == VMEXIT_SHUTDOWN);
}

/* L2 changes the VMCB that it runs with: VMRUN has read it already. */
static void check_vmcb_page(void)
{
	const unsigned int at = offsetof(struct svm_vmcb, control.intercept[4]);

	prepare(guest_store);
	npt[3][L2_OTHER / PAGE] = (uint64_t)&vmcb | PTE_ALL;
	check("L2 clears intercepts of its VMCB",
	      run_at(guest_store, L2_OTHER + at) == VMEXIT_VMMCALL &&
		      !vmcb.control.intercept[4]);
	check("which the next VMRUN refuses", run() == VMEXIT_INVALID);
	prepare(guest_load);
	npt[3][L2_OTHER / PAGE] = read_cr(3) | PTE_P | PTE_U;
	check("L2 reads L1's tables",
	      run_at(guest_load, L2_OTHER) == VMEXIT_VMMCALL &&
		      (vmcb.save.rax & PTE_P));
	check("but cannot write to them",
	      run_at(guest_store, L2_OTHER) == VMEXIT_NPF);
}

/* ---- quantity ---------------------------------------------------------------- */

static void check_asids(void)
{
	static const uint32_t asids[] = { 1, 2, 15, 16, 0x10000, 0xffffffff };
	bool right = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(asids); i++) {
		prepare(guest_call);
		vmcb.control.asid = asids[i];
		right &= run() == VMEXIT_VMMCALL;
	}
	check("ASIDs", right);
	prepare(guest_call);
	for (i = 0; i < ROUNDS; i++) {
		roots[i % 8][0] = (uint64_t)npt[1] | PTE_ALL;
		vmcb.control.asid = 1 + i;
		vmcb.control.n_cr3 = (uint64_t)roots[i % 8];
		vmcb.control.tlb_control = SVM_TLB_CONTROL_NOTHING;
		right &= run() == VMEXIT_VMMCALL;
		__svm_invlpga(NULL, next_random());
	}
	check("thousands of ASIDs and tables", right);
}

/* --explain prints the first 1000. */
static void check_refusals(void)
{
	bool right = true;
	unsigned int i;

	prepare(guest_call);
	vmcb.control.asid = 0;
	for (i = 0; i < 1100; i++)
		right &= run() == VMEXIT_INVALID;
	check("VMCB that is always refused", right);
}

int main(void)
{
	load_tables();
	start_ap();
	check_vmcb_addresses();
	check_map_addresses();
	check_hsave_addresses();
	check_vmload();
	check_loop();
	check_entries();
	check_roots();
	check_large_pages();
	check_device_page();
	check_vmcb_page();
	check_asids();
	check_same_vmcb();
	check_race_tables();
	check_race_vmcb();
	check_refusals();
	begin_job(halt);
	return 0;
}
