// SPDX-License-Identifier: GPL-2.0
/*
 * The processor where the program carries out its instructions: each must end as on a
 * processor. Prints one line per check.
 */
#include <stdbool.h>

#include "descriptors.h"
#include "guest.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define RFLAGS_TF (1ull << 8)

#define VECTOR_DB 1
#define VECTOR_NMI 2
#define VECTOR_GP 13
#define VECTOR_INTERRUPT 0x41

#define APIC_VERSION 0xfee00030
#define APIC_ICR 0xfee00300
#define APIC_EOI 0xfee000b0
#define IOAPIC_SELECT 0xfec00000
#define IOAPIC_WINDOW 0xfec00010
#define ICR_NMI 0x400
#define ICR_SELF 0x40000
#define PATIENCE 1000000000ull /* ticks of the TSC */
#define MSR_APIC_BASE 0x1b
#define MSR_TSC_AUX 0xc0000103
#define PORT_OF_NOBODY 0x80

#define CR4_DE (1ull << 3)

#define DR6_BS (1ull << 14)
#define DR7_ENABLE_0 1ull
#define DR7_IO_0 (2ull << 16)
#define DR7_ACCESS_4_0 (3ull << 16 | 3ull << 18)

/* State that the handler of #DB has recorded */
static volatile unsigned int traps;
static volatile uint64_t trap_rip;
static volatile uint64_t trap_events;
static volatile unsigned int traps_wanted;

static volatile unsigned int nmis;
static volatile uint64_t nmi_rip[2];
static volatile bool nmi_again;

static void send_nmi(void)
{
	*(volatile uint32_t *)APIC_ICR = ICR_NMI;
}

/* Another one, while they are masked */
static __attribute__((interrupt)) void on_nmi(volatile struct frame *frame)
{
	if (nmis < 2)
		nmi_rip[nmis] = frame->rip;
	nmis++;
	if (nmi_again) {
		nmi_again = false;
		send_nmi();
	}
}

/* Let the handler of #DB wait for an NMI. */
static volatile bool traps_await_nmi;

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void await_nmi(void)
{
	uint64_t end = read_tsc() + PATIENCE;

	while (!nmis && read_tsc() < end)
		;
}

static __attribute__((interrupt)) void on_debug(volatile struct frame *frame)
{
	uint64_t dr6;

	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
	traps++;
	trap_rip = frame->rip;
	trap_events = dr6 & (DR6_BS | 0xf);
	if (traps >= traps_wanted)
		frame->rflags &= ~RFLAGS_TF;
	if (traps_await_nmi)
		await_nmi();
}

static volatile unsigned int faults;
static volatile uint64_t fault_skip;

static __attribute__((interrupt)) void on_fault(volatile struct frame *frame,
						uint64_t error_code)
{
	(void)error_code;
	faults++;
	frame->rip += fault_skip;
}

static void load_tables(void)
{
	set_gate(VECTOR_DB, on_debug);
	set_gate(VECTOR_NMI, on_nmi);
	set_gate(VECTOR_GP, on_fault);
	load_descriptor_tables();
}

static void check(const char *name, bool right)
{
	serial_puts(name);
	serial_puts(right ? ": right\n" : ": wrong\n");
}

static void expect_traps(unsigned int wanted)
{
	traps = 0;
	trap_rip = 0;
	trap_events = 0;
	traps_wanted = wanted;
}

/* ---- single steps -------------------------------------------------------- */

/*
 * Step over instructions: POPF sets TF, which traps after the next instruction. At the end
 * TF is clear even if no trap has come.
 */
#define STEP(name, wanted, instructions, a, c, d)                              \
	do {                                                                   \
		register uint64_t end asm("r8");                               \
		uint64_t rax = (a), rcx = (c), rdx = (d);                      \
                                                                               \
		expect_traps(wanted);                                          \
		asm volatile("pushfq\n\t"                                      \
			     "pushfq\n\t"                                      \
			     "orl $0x100, (%%rsp)\n\t"                         \
			     "popfq\n\t" instructions "\n"                     \
			     "1:\tnop\n\t"                                     \
			     "nop\n\t"                                         \
			     "popfq\n\t"                                       \
			     "lea 1b(%%rip), %0"                               \
			     : "=&r"(end), "+a"(rax), "+c"(rcx), "+d"(rdx)     \
			     :                                                 \
			     : "memory", "rbx", "cc");                         \
		check(name, traps == (wanted) && trap_rip == end &&            \
				    trap_events == DR6_BS);                    \
	} while (0)

static uint64_t read_cr4(void)
{
	uint64_t value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void check_steps(void)
{
	STEP("step of CPUID", 1, "cpuid", 1, 0, 0);
	STEP("step of RDMSR", 1, "rdmsr", 0, MSR_APIC_BASE, 0);
	STEP("step of WRMSR", 1, "wrmsr", 7, MSR_TSC_AUX, 0);
	STEP("step of IN", 1, "in %%dx, %%al", 0, 0, PORT_OF_NOBODY);
	STEP("step of OUT", 1, "out %%al, %%dx", 0, 0, PORT_OF_NOBODY);
	STEP("step of a device's register", 1, "mov (%%rcx), %%eax", 0,
	     APIC_VERSION, 0);
	STEP("step of WBINVD", 1, "wbinvd", 0, 0, 0);
	STEP("step of HLT", 1, "hlt", 0, 0, 0);
	STEP("step of STI and HLT", 2, "sti; hlt", 0, 0, 0);
	STEP("step of MOV to CR4", 1, "mov %%rax, %%cr4", read_cr4(), 0, 0);
	STEP("step of RDTSCP", 1, "rdtscp", 0, 0, 0);
	STEP("step of RDPMC", 1, "rdpmc", 0, 0, 0);
	/* No trap between MOV to SS and the next instruction */
	STEP("step of MOV to SS and CPUID", 1, "mov %%ecx, %%ss; cpuid", 1,
	     0x10, 0);
	STEP("step of MOV to SS and OUT", 1, "mov %%ecx, %%ss; out %%al, %%dx",
	     0, 0x10, PORT_OF_NOBODY);
}

/* ---- breakpoints --------------------------------------------------------- */

static void set_breakpoint(uint64_t address, uint64_t dr7)
{
	asm volatile("mov %0, %%dr0; mov %1, %%dr7"
		     :
		     : "r"(address), "r"(0x400 | dr7));
}

static void check_breakpoints(void)
{
	uint64_t old = read_cr4();

	expect_traps(1);
	set_breakpoint(APIC_VERSION, DR7_ENABLE_0 | DR7_ACCESS_4_0);
	asm volatile("mov (%0), %%eax" : : "r"(APIC_VERSION) : "rax");
	set_breakpoint(0, 0);
	check("watchpoint on a device", traps == 1 && trap_events == 1);
	asm volatile("mov %0, %%cr4" : : "r"(old | CR4_DE));
	expect_traps(1);
	set_breakpoint(PORT_OF_NOBODY, DR7_ENABLE_0 | DR7_IO_0);
	out8(PORT_OF_NOBODY, 0);
	set_breakpoint(0, 0);
	check("breakpoint on a port", traps == 1 && trap_events == 1);
	asm volatile("mov %0, %%cr4" : : "r"(old));
}

/* ---- NMIs ---------------------------------------------------------------- */

static void check_nmis(void)
{
	nmi_again = true;
	send_nmi();
	check("NMI after another's IRET",
	      nmis == 2 && nmi_rip[1] == nmi_rip[0]);
	nmis = 0;
	traps_await_nmi = true;
	STEP("NMI while #DB is delivered", 1, "mov %%eax, (%%rcx)", ICR_NMI,
	     APIC_ICR, 0);
	traps_await_nmi = false;
	check("NMI in the handler of #DB", nmis == 1 && nmi_rip[0] != trap_rip);
}

/*
 * Halt with interrupts disabled, and let the 8254 send NMIs by the I/O APIC. Without them
 * the run ends here.
 */
static void check_nmi_of_timer(void)
{
	nmis = 0;
	out8(0x43, 0x34); /* counter 0, low and high byte, a rate */
	out8(0x40, 0);
	out8(0x40, 0x80);
	*(volatile uint32_t *)IOAPIC_SELECT = 0x10 + 2 * 2;
	*(volatile uint32_t *)IOAPIC_WINDOW = 4 << 8; /* NMI, not masked */
	asm volatile("cli; hlt");
	*(volatile uint32_t *)IOAPIC_WINDOW = 1 << 16;
	check("NMI of a timer ends HLT", nmis);
}

/* ---- CR8 ----------------------------------------------------------------- */

static void set_cr8(uint64_t value)
{
	asm volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static void request(uint8_t vector)
{
	*(volatile uint32_t *)APIC_ICR = ICR_SELF | vector;
}

static volatile unsigned int interrupts;

static __attribute__((interrupt)) void
on_interrupt(volatile struct frame *frame)
{
	(void)frame;
	interrupts++;
	*(volatile uint32_t *)APIC_EOI = 0;
}

static void check_cr8(void)
{
	bool held, raised;

	set_gate(VECTOR_INTERRUPT, on_interrupt);
	set_cr8(VECTOR_INTERRUPT >> 4);
	asm volatile("sti");
	request(VECTOR_INTERRUPT);
	asm volatile("nop");
	held = !interrupts;
	set_cr8((VECTOR_INTERRUPT >> 4) - 1);
	asm volatile("nop");
	check("interrupt held back by CR8", held && interrupts == 1);
	asm volatile("cli");
	set_cr8(0);
	request(VECTOR_INTERRUPT);
	set_cr8(15);
	asm volatile("sti; nop; nop");
	raised = interrupts == 1;
	set_cr8(0);
	asm volatile("nop; cli");
	check("CR8 raised while interrupts are disabled",
	      raised && interrupts == 2);
}

/* ---- x87 errors ---------------------------------------------------------- */

static volatile unsigned int errors;

static __attribute__((interrupt)) void
on_x87_error(volatile struct frame *frame)
{
	(void)frame;
	errors++;
	out8(0xf0, 0);
	asm volatile("fnclex");
	out8(0xa0, 0x20);
	out8(0x20, 0x20);
}

/* Let the 8259s use vectors from 0x20 on, and unmask only the second one's interrupt 13. */
static void set_up_pics(void)
{
	static const uint8_t writes[][2] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0xfb }, { 0xa1, 0xdf },
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		out8(writes[i][0], writes[i][1]);
}

#define CR0_NE (1ull << 5)

static uint64_t read_cr0(void)
{
	uint64_t value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static void check_x87_error(void)
{
	static const uint16_t division_by_zero = 0x037b; /* unmasked */
	uint64_t old = read_cr0();
	bool clear;

	set_up_pics();
	set_gate(0x2d, on_x87_error);
	asm volatile("mov %0, %%cr0" : : "r"(old & ~CR0_NE));
	clear = !(read_cr0() & CR0_NE);
	asm volatile("sti; fninit; fldcw %0; fld1; fldz; fdivrp; fwait;\n\t"
		     "fwait; cli"
		     :
		     : "m"(division_by_zero));
	asm volatile("fninit; mov %0, %%cr0" : : "r"(old));
	check("x87 error while CR0.NE is clear", clear && errors == 1);
}

/* ---- MSRs ---------------------------------------------------------------- */

static bool read_faults(uint32_t msr)
{
	faults = 0;
	fault_skip = 2;
	read_msr(msr);
	return faults;
}

static void check_msrs(void)
{
	static const uint32_t present[] = {
		0x8b,	    0xfe,	0x179,	    0x1a0,	0x2ff,
		0x400,	    0xc0010000, 0xc0010004, 0xc0010010, 0xc0010015,
		0xc001001a, 0xc001001f, 0xc0010200, 0xc0011020, 0xc0011029,
	};
	bool right = true;

	for (size_t i = 0; i < ARRAY_SIZE(present); i++)
		right &= !read_faults(present[i]);
	check("MSRs without a feature bit", right);
	check("MSR that is not there", read_faults(0xc0010117));
	write_msr(0xc0010004, 1ull << 47);
	write_msr(0xc0011029, read_msr(0xc0011029) | 1 << 9);
	check("MSR keeps its value", read_msr(0xc0011029) == (1 << 9 | 1 << 1));
	write_msr(MSR_TSC_AUX, 0x12345678);
	check("TSC_AUX", read_msr(MSR_TSC_AUX) == 0x12345678);
	write_msr(0xc0000102, 0x7fff12345678);
	check("KernelGSBase", read_msr(0xc0000102) == 0x7fff12345678);
}

int main(void)
{
	load_tables();
	check_steps();
	check_breakpoints();
	check_nmis();
	check_nmi_of_timer();
	check_cr8();
	check_x87_error();
	check_msrs();
	return 0;
}
