// SPDX-License-Identifier: GPL-2.0
/*
 * A hypervisor as a guest: it runs guests of its own, and checks each exit that it gets.
 * Prints one line per check.
 */
#include <stdbool.h>

#include "broken_rules.h"
#include "descriptors.h"
#include "guest.h"
#include "svm.h"

#define PAGE 4096ul
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CODE_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_L | 0xb)
#define DATA_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_DB | 0x3)
#define RFLAGS_1 (1ull << 1)
#define RFLAGS_IF (1ull << 9)

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_INTERRUPT 0x41

#define APIC_ICR 0xfee00300
#define APIC_EOI 0xfee000b0
#define APIC_SPURIOUS 0xfee000f0
#define ICR_SELF 0x40000
#define PORT_INTERCEPTED 0x80
#define PORT_OPEN 0x81

#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)
#define PTE_U (1ull << 2)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_ALL (PTE_P | PTE_W | PTE_U)

static volatile unsigned int faults;
static volatile unsigned int interrupts;

static struct svm_vmcb vmcb __attribute__((aligned(4096)));
static struct svm_vmcb host __attribute__((aligned(4096)));
static uint8_t hsave[PAGE] __attribute__((aligned(4096)));
static uint8_t iopm[3 * PAGE] __attribute__((aligned(4096)));
static uint8_t msrpm[2 * PAGE] __attribute__((aligned(4096)));
static uint8_t stack[PAGE] __attribute__((aligned(4096)));
static uint64_t npt[4][512] __attribute__((aligned(4096)));
static uint64_t data[512] __attribute__((aligned(4096)));
static uint64_t other[512] __attribute__((aligned(4096)));
struct registers svm_registers;

static void check(const char *name, bool right)
{
	svm_check(&vmcb, name, right);
}

/* ---- the processor ------------------------------------------------------- */

/* All instructions that fault here have three bytes. */
static __attribute__((interrupt)) void on_ud(volatile struct frame *frame)
{
	faults++;
	frame->rip += 3;
}

static __attribute__((interrupt)) void on_gp(volatile struct frame *frame,
					     uint64_t error_code)
{
	(void)error_code;
	faults++;
	frame->rip += 3;
}

static __attribute__((interrupt)) void
on_interrupt(volatile struct frame *frame)
{
	(void)frame;
	interrupts++;
	*(volatile uint32_t *)APIC_EOI = 0;
}

static void load_tables(void)
{
	set_gate(VECTOR_UD, on_ud);
	set_gate(VECTOR_GP, on_gp);
	set_gate(VECTOR_INTERRUPT, on_interrupt);
	load_descriptor_tables();
	*(volatile uint32_t *)APIC_SPURIOUS = 0x1ff;
}

/* ---- L2 ------------------------------------------------------------------ */

/* L2 begins at @entry, with L1's page tables and no intercepts but those it needs. */
static void prepare(void (*entry)(void))
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(iopm, 0, sizeof(iopm));
	memset(msrpm, 0, sizeof(msrpm));
	memset(stack, 0, sizeof(stack));
	prepare_segment(&vmcb.save.cs, CODE_SELECTOR, CODE_ATTRIB);
	prepare_segment(&vmcb.save.ss, DATA_SELECTOR, DATA_ATTRIB);
	prepare_segment(&vmcb.save.ds, DATA_SELECTOR, DATA_ATTRIB);
	prepare_segment(&vmcb.save.es, DATA_SELECTOR, DATA_ATTRIB);
	vmcb.save.gdtr.base = (uint64_t)gdt;
	vmcb.save.gdtr.limit = sizeof(gdt) - 1;
	vmcb.save.efer = read_msr(MSR_EFER);
	vmcb.save.cr0 = read_cr(0);
	vmcb.save.cr3 = read_cr(3);
	vmcb.save.cr4 = read_cr(4);
	vmcb.save.dr6 = 0xffff0ff0;
	vmcb.save.dr7 = 0x400;
	vmcb.save.g_pat = 0x0007040600070406;
	vmcb.save.rflags = RFLAGS_1;
	vmcb.save.rip = (uint64_t)entry;
	vmcb.save.rsp = (uint64_t)stack + sizeof(stack);
	vmcb.control.iopm_base_pa = (uint64_t)iopm;
	vmcb.control.msrpm_base_pa = (uint64_t)msrpm;
	vmcb.control.asid = 1;
	vmcb.control.intercept[3] = SVM_INTERCEPT3_SHUTDOWN;
	vmcb.control.intercept[4] = SVM_INTERCEPT4_VMRUN |
				    SVM_INTERCEPT4_VMMCALL;
}

static uint64_t run(void)
{
	__svm_vmrun((uint64_t)&vmcb);
	__svm_stgi();
	return vmcb.control.exitcode;
}

#define L2(name, code)                                                         \
	static __attribute__((naked)) void name(void)                          \
	{                                                                      \
		asm volatile(code);                                            \
	}

L2(guest_cpuid, "mov $0x8000000a, %eax; cpuid; vmmcall")
L2(guest_ports, "mov $0x5a, %al; out %al, $0x81; out %al, $0x80; vmmcall")
L2(guest_msr,
   "mov $0xc0000081, %ecx; mov $7, %eax; mov $9, %edx; wrmsr; vmmcall")
L2(guest_loop, "1: pause; jmp 1b")
L2(guest_load, "mov (%rbx), %rax; vmmcall")
L2(guest_store, "mov %rcx, (%rbx); vmmcall")
L2(guest_sti, "sti; nop; nop; vmmcall")
L2(guest_ud, "ud2; vmmcall")
L2(guest_cr0, "mov %cr0, %rax; mov %rax, %cr0; vmmcall")
L2(guest_sse, "movq %rbx, %xmm0; movq %xmm0, %rcx; vmmcall")
L2(guest_vmload, "mov %rbx, %rax; vmload; vmmcall")

L2(guest_cr3, "mov %cr3, %rsi; mov %rsi, %cr3; vmmcall")
L2(guest_clts, "clts; vmmcall")
L2(guest_dr7, "mov %rdi, %dr7; vmmcall")
L2(guest_int, "int $0x55; vmmcall")
L2(guest_invlpg, "invlpg 8(%rbx); vmmcall")
L2(guest_invlpga, "mov %rbx, %rax; invlpga; vmmcall")

/* ---- checks -------------------------------------------------------------- */

static void check_svme(void)
{
	uint64_t efer = read_msr(MSR_EFER);

	faults = 0;
	asm volatile("clgi");
	check("CLGI without EFER.SVME", faults == 1);
	write_msr(MSR_EFER, efer | SVM_EFER_SVME);
	check("EFER.SVME", read_msr(MSR_EFER) == (efer | SVM_EFER_SVME));
	write_msr(MSR_VM_HSAVE_PA, (uint64_t)hsave);
	check("VM_HSAVE_PA", read_msr(MSR_VM_HSAVE_PA) == (uint64_t)hsave);
	check("VM_CR", !read_msr(MSR_VM_CR));
	faults = 0;
	__svm_vmrun((uint64_t)&vmcb + 8);
	check("VMRUN of an address that is not that of a page", faults == 1);
	faults = 0;
	__svm_vmrun(1ull << 40);
	check("VMRUN of an address without memory", faults == 1);
}

static void check_instructions(void)
{
	uint64_t entry;
	bool right;

	prepare(guest_cpuid);
	vmcb.control.intercept[3] |= SVM_INTERCEPT3_CPUID;
	entry = vmcb.save.rip;
	right = run() == VMEXIT_CPUID && vmcb.save.rip == entry + 5;
	right &= vmcb.control.nrip == entry + 7;
	check("CPUID exits", right && vmcb.save.rax == 0x8000000a);
	vmcb.control.intercept[3] &= ~SVM_INTERCEPT3_CPUID;
	check("CPUID without an intercept",
	      run() == VMEXIT_VMMCALL && vmcb.save.rax == 1);
	vmcb.save.rip = vmcb.control.nrip;
	prepare(guest_ud);
	vmcb.control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_UD);
	check("#UD exits", run() == VMEXIT_EXCP(VECTOR_UD));
	vmcb.control.intercept[2] = 0;
	check("#UD without an IDT shuts down", run() == VMEXIT_SHUTDOWN);
	prepare(guest_cr0);
	vmcb.control.intercept[0] = SVM_INTERCEPT0_CR_READ(0);
	check("MOV from CR0 exits", run() == VMEXIT_CR_READ(0));
	vmcb.control.intercept[0] = SVM_INTERCEPT0_CR_WRITE(0);
	check("MOV to CR0 exits", run() == VMEXIT_CR_WRITE(0));
	prepare(guest_sse);
	svm_registers.rbx = 0x1234567890abcdef;
	right = run() == VMEXIT_VMMCALL;
	check("SSE registers",
	      right && svm_registers.rcx == 0x1234567890abcdef);
}

/* L2 exits at @entry with EXITINFO1 as decode assists have it. */
static void check_assist(const char *name, void (*entry)(void),
			 uint64_t exitcode, uint64_t info)
{
	prepare(entry);
	vmcb.control.intercept[exitcode / 32] |= 1u << exitcode % 32;
	svm_registers.rbx = 0x12345678;
	svm_registers.rdi = 0x400;
	check(name, run() == exitcode && vmcb.control.exitinfo1 == info);
}

static void check_assists(void)
{
	uint32_t edx;

	asm volatile("cpuid" : "=d"(edx) : "a"(0x8000000a) : "rbx", "rcx");
	check("CPUID has decode assists", edx >> 7 & 1);
	check_assist("MOV to CR3 has its register", guest_cr3,
		     VMEXIT_CR_WRITE(3), 1ull << 63 | 6);
	check_assist("CLTS has none", guest_clts, VMEXIT_CR_WRITE(0), 0);
	check_assist("MOV to DR7 has its register", guest_dr7,
		     VMEXIT_DR_WRITE(7), 7);
	check_assist("INT n has its vector", guest_int, VMEXIT_SWINT, 0x55);
	check_assist("INVLPG has its address", guest_invlpg, VMEXIT_INVLPG,
		     0x12345680);
	check_assist("INVLPGA has its address", guest_invlpga, VMEXIT_INVLPGA,
		     0x12345678);
}

static void check_maps(void)
{
	prepare(guest_ports);
	vmcb.control.intercept[3] |= SVM_INTERCEPT3_IOIO;
	iopm[PORT_INTERCEPTED / 8] = 1 << PORT_INTERCEPTED % 8;
	check("OUT to a port of the map",
	      run() == VMEXIT_IOIO &&
		      vmcb.control.exitinfo1 >> 16 == PORT_INTERCEPTED &&
		      (uint8_t)vmcb.save.rax == 0x5a);
	vmcb.save.rip = vmcb.control.exitinfo2;
	check("it continues behind OUT", run() == VMEXIT_VMMCALL);
	prepare(guest_msr);
	vmcb.control.intercept[3] |= SVM_INTERCEPT3_MSR;
	msrpm[0x800 + 2 * (MSR_STAR & 0x1fff) / 8] = 2 << 2;
	check("WRMSR of an MSR of the map",
	      run() == VMEXIT_MSR && vmcb.control.exitinfo1 == 1);
	msrpm[0x800 + 2 * (MSR_STAR & 0x1fff) / 8] = 1 << 2;
	check("WRMSR without an intercept",
	      run() == VMEXIT_VMMCALL && read_msr(MSR_STAR) == 0x900000007);
}

static void check_vmload(void)
{
	uint64_t old = read_msr(MSR_LSTAR);

	__svm_vmsave((uint64_t)&host);
	check("VMSAVE", host.save.lstar == old);
	host.save.lstar = old + 8;
	__svm_vmload((uint64_t)&host);
	check("VMLOAD", read_msr(MSR_LSTAR) == old + 8);
	host.save.lstar = old;
	prepare(guest_vmload);
	vmcb.control.intercept[4] |= SVM_INTERCEPT4_VMLOAD;
	svm_registers.rbx = (uint64_t)&host;
	check("VMLOAD of L2 exits", run() == VMEXIT_VMLOAD);
	vmcb.control.intercept[4] &= ~SVM_INTERCEPT4_VMLOAD;
	check("VMLOAD of L2",
	      run() == VMEXIT_VMMCALL && read_msr(MSR_LSTAR) == old);
}

static void request_interrupt(void)
{
	interrupts = 0;
	*(volatile uint32_t *)APIC_ICR = VECTOR_INTERRUPT | ICR_SELF;
}

/* GIF holds the interrupt that ends L2's run until STGI. */
static void check_interrupts(void)
{
	prepare(guest_loop);
	vmcb.control.intercept[3] |= SVM_INTERCEPT3_INTR;
	vmcb.control.vintr = SVM_VINTR_V_INTR_MASKING;
	__svm_clgi();
	asm volatile("sti");
	request_interrupt();
	__svm_vmrun((uint64_t)&vmcb);
	check("interrupt exits",
	      vmcb.control.exitcode == VMEXIT_INTR && !interrupts);
	__svm_stgi();
	asm volatile("nop");
	check("STGI lets it in", interrupts == 1);
	asm volatile("cli");
	prepare(guest_sti);
	vmcb.save.idtr.base = (uint64_t)idt;
	vmcb.save.idtr.limit = sizeof(idt) - 1;
	vmcb.control.vintr = SVM_VINTR_V_INTR_MASKING | SVM_VINTR_V_IRQ |
			     SVM_VINTR_V_IGN_TPR |
			     (uint64_t)VECTOR_INTERRUPT
				     << SVM_VINTR_V_INTR_VECTOR_SHIFT;
	interrupts = 0;
	check("virtual interrupt",
	      run() == VMEXIT_VMMCALL && interrupts == 1 &&
		      !(vmcb.control.vintr & SVM_VINTR_V_IRQ));
	prepare(guest_sti);
	vmcb.control.vintr = SVM_VINTR_V_INTR_MASKING | SVM_VINTR_V_IRQ |
			     SVM_VINTR_V_IGN_TPR;
	vmcb.control.intercept[3] |= SVM_INTERCEPT3_VINTR;
	check("VINTR exits",
	      run() == VMEXIT_VINTR && (vmcb.control.vintr & SVM_VINTR_V_IRQ));
}

static void check_injection(void)
{
	bool right;

	prepare(guest_sti);
	vmcb.save.idtr.base = (uint64_t)idt;
	vmcb.save.idtr.limit = sizeof(idt) - 1;
	vmcb.control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
				VECTOR_INTERRUPT;
	interrupts = 0;
	right = run() == VMEXIT_VMMCALL && interrupts == 1;
	check("EVENTINJ", right && !(vmcb.control.eventinj & SVM_EVENT_VALID));
}

/* Pages of 2 MiB, 1:1, for the first GiB */
static void prepare_nested_paging(void)
{
	unsigned int i;

	memset(npt, 0, sizeof(npt));
	npt[0][0] = (uint64_t)npt[1] | PTE_ALL;
	npt[1][0] = (uint64_t)npt[2] | PTE_ALL;
	for (i = 0; i < 512; i++)
		npt[2][i] = (uint64_t)i << 21 | PTE_ALL | PTE_PS;
	vmcb.control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb.control.n_cr3 = (uint64_t)npt[0];
	vmcb.control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
}

/* Map the 2 MiB at @gpa by pages, none of which is present. */
static void split(uint64_t gpa)
{
	memset(npt[3], 0, sizeof(npt[3]));
	npt[2][gpa >> 21] = (uint64_t)npt[3] | PTE_ALL;
}

#define GPA 0x600000ul /* of a page without memory of its own */

static void check_nested_paging(void)
{
	prepare(guest_load);
	prepare_nested_paging();
	data[1] = 0x1111;
	other[1] = 0x2222;
	svm_registers.rbx = (uint64_t)&data[1];
	check("load with nested paging",
	      run() == VMEXIT_VMMCALL && vmcb.save.rax == 0x1111);
	split(GPA);
	vmcb.save.rip = (uint64_t)guest_load;
	svm_registers.rbx = GPA + 8;
	check("page that is not present",
	      run() == VMEXIT_NPF && vmcb.control.exitinfo2 == GPA + 8 &&
		      vmcb.control.exitinfo1 == (SVM_NPF_USER | SVM_NPF_FINAL));
	check("it has the instruction's bytes",
	      vmcb.control.insn_len == 15 &&
		      vmcb.control.insn_bytes[0] == 0x48 &&
		      vmcb.control.insn_bytes[1] == 0x8b &&
		      vmcb.control.insn_bytes[2] == 0x03);
	vmcb.control.tlb_control = 0;
	npt[3][0] = (uint64_t)data | PTE_ALL;
	check("it is mapped",
	      run() == VMEXIT_VMMCALL && vmcb.save.rax == 0x1111);
	check("no dirty bit yet", !(npt[3][0] & PTE_D));
	vmcb.save.rip = (uint64_t)guest_store;
	svm_registers.rcx = 0x3333;
	check("store", run() == VMEXIT_VMMCALL && data[1] == 0x3333);
	check("dirty bit", npt[3][0] & PTE_D);
	npt[3][0] = (uint64_t)other | PTE_P | PTE_U;
	vmcb.control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
	vmcb.save.rip = (uint64_t)guest_load;
	check("another page after a flush",
	      run() == VMEXIT_VMMCALL && vmcb.save.rax == 0x2222);
	vmcb.control.tlb_control = 0;
	vmcb.save.rip = (uint64_t)guest_store;
	check("page that is not writable",
	      run() == VMEXIT_NPF && vmcb.control.exitinfo1 ==
					     (SVM_NPF_PRESENT | SVM_NPF_WRITE |
					      SVM_NPF_USER | SVM_NPF_FINAL));
}

/* --explain names the fields, in this order. */
static void check_refusals(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(broken_rules); i++) {
		prepare(guest_cpuid);
		break_rule(&vmcb, &broken_rules[i]);
		serial_puts("refused ");
		check(broken_rules[i].field, run() == VMEXIT_INVALID);
	}
	prepare(guest_cpuid);
	check("the same VMCB without them", run() == VMEXIT_VMMCALL);
}

int main(void)
{
	load_tables();
	check_svme();
	check_instructions();
	check_assists();
	check_maps();
	check_vmload();
	check_interrupts();
	check_injection();
	check_nested_paging();
	check_refusals();
	return 0;
}
