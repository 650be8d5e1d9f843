// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: a guest that is a hypervisor, and its own guest (L2) */
#include <string.h>
#include <sys/mman.h>

#include <linux/svm_vmcb.h>

#include "nested.h"
#include "work.h"

/* Low memory of the guest */
#define L2_CODE 0x2000
#define PML4 0x3000
#define PDPT 0x4000
#define PD 0x5000
#define VMCB_1 0x8000
#define VMCB_2 0x9000
#define NESTED_PML4 0xa000
#define NESTED_PDPT 0xb000
#define NESTED_PD 0xc000
#define NESTED_PT 0xd000
#define NESTED_DATA_PT 0xe000
#define NESTED_DATA_PD 0xf000
#define DATA_PAGES 256u

#define PTE_ALL 7ull /* P, W, U */
#define PTE_PS (1ull << 7)

/* L1: run the L2 of RBX and the L2 of RDX by turns, until ECX is 0 */
asm(".pushsection .rodata\n"
    ".globl nested_l1, nested_l1_end, nested_cpuids, nested_cpuids_end\n"
    ".globl nested_outs, nested_outs_end\n"
    ".globl nested_reads, nested_reads_end\n"
    "nested_l1:\n"
    "	mov	%ebx, %edx\n"
    "	shr	$16, %edx\n"
    "	movzwl	%bx, %ebx\n"
    "1:	mov	%rbx, %rax\n"
    "	vmrun\n"
    "	movq	$0x2000, 0x578(%rax)\n" /* RIP in the VMCB */
    "	movl	$0x1fff, 0xc0(%rax)\n" /* nothing else has changed */
    "	xchg	%rbx, %rdx\n"
    "	dec	%ecx\n"
    "	jnz	1b\n"
    "	hlt\n"
    "nested_l1_end:\n"
    "nested_cpuids:\n"
    "	cpuid\n"
    "nested_cpuids_end:\n"
    "nested_outs:\n"
    "	out	%al, $0x80\n"
    "	hlt\n"
    "nested_outs_end:\n"
    "nested_reads:\n"
    "	mov	$0x40000000, %esi\n"
    "	mov	$256, %edi\n"
    "1:	mov	(%rsi), %al\n"
    "	add	$0x1000, %rsi\n"
    "	dec	%edi\n"
    "	jnz	1b\n"
    "	vmmcall\n"
    "nested_reads_end:\n"
    ".popsection");

static uint64_t *table(char *low, uint32_t address)
{
	return (uint64_t *)(low + address);
}

/* L1 and L2 have the same tables: low memory and the pages at DATA, 1:1 */
static void fill_tables(char *low)
{
	table(low, PML4)[0] = PDPT | PTE_ALL;
	table(low, PDPT)[0] = PD | PTE_ALL;
	table(low, PDPT)[1] = DATA | PTE_ALL | PTE_PS;
	table(low, PD)[0] = PTE_ALL | PTE_PS;
}

/* L2's addresses are L1's, in pages of 4 KiB. */
static void fill_nested_tables(char *low)
{
	unsigned int i;

	table(low, NESTED_PML4)[0] = NESTED_PDPT | PTE_ALL;
	table(low, NESTED_PDPT)[0] = NESTED_PD | PTE_ALL;
	table(low, NESTED_PDPT)[1] = NESTED_DATA_PD | PTE_ALL;
	table(low, NESTED_PD)[0] = NESTED_PT | PTE_ALL;
	table(low, NESTED_DATA_PD)[0] = NESTED_DATA_PT | PTE_ALL;
	for (i = 0; i < LOW_SIZE / PAGE; i++)
		table(low, NESTED_PT)[i] = i * PAGE | PTE_ALL;
	for (i = 0; i < DATA_PAGES; i++)
		table(low, NESTED_DATA_PT)[i] = (DATA + i * PAGE) | PTE_ALL;
}

static struct svm_seg flat(uint16_t selector, uint16_t attrib)
{
	return (struct svm_seg){ .selector = selector,
				 .attrib = attrib,
				 .limit = ~0u };
}

static void fill_vmcb(struct svm_vmcb *vmcb, uint32_t asid)
{
	struct svm_vmcb_save *save = &vmcb->save;

	save->cs = flat(0x08, 0xa9b);
	save->ss = flat(0x10, 0xc93);
	save->ds = save->ss;
	save->es = save->ss;
	save->efer = 0x1500; /* SVME, LMA, LME */
	save->cr0 = 0x80000031;
	save->cr4 = 0x20;
	save->cr3 = PML4;
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->g_pat = 0x0007040600070406;
	save->rflags = 0x202; /* IF */
	save->rip = L2_CODE;
	vmcb->control.asid = asid;
	vmcb->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb->control.n_cr3 = NESTED_PML4;
	vmcb->control.intercept[3] = SVM_INTERCEPT3_CPUID |
				     SVM_INTERCEPT3_INTR |
				     SVM_INTERCEPT3_SHUTDOWN;
	vmcb->control.intercept[4] = SVM_INTERCEPT4_VMRUN |
				     SVM_INTERCEPT4_VMMCALL;
}

static struct machine *hypervisor(const struct engine *engine, void *data,
				  const char *code, const char *end)
{
	char *low = memory_create(LOW_SIZE, PAGE, 0);
	struct machine *machine;

	memcpy(low + CODE, nested_l1, nested_l1_end - nested_l1);
	memcpy(low + L2_CODE, code, end - code);
	fill_tables(low);
	fill_nested_tables(low);
	fill_vmcb((struct svm_vmcb *)(low + VMCB_1), 1);
	fill_vmcb((struct svm_vmcb *)(low + VMCB_2), 2);
	machine = machine_begin(engine, low);
	engine->map(machine, DATA, data, DATA_PAGES * PAGE, false);
	engine->long_mode(machine, PML4);
	engine->nested(machine);
	return machine;
}

static ticks runs(const struct engine *engine, struct machine *machine,
		  uint32_t first, uint32_t second, uint32_t count)
{
	ticks taken;

	engine->start(machine, CODE, first | second << 16, count);
	taken = __rdtsc();
	engine->run(machine);
	return __rdtsc() - taken;
}

/* Return the ticks per VMRUN, with the #VMEXIT for L2's CPUID. */
static ticks round_trips(const struct engine *engine, uint32_t first,
			 uint32_t second)
{
	void *data = memory_create(DATA_PAGES * PAGE, PAGE, 0);
	struct machine *machine = hypervisor(engine, data, nested_cpuids,
					     nested_cpuids_end);
	ticks taken[BATCHES], once;

	runs(engine, machine, first, second, BATCH);
	for (int i = 0; i < BATCHES; i++) {
		once = runs(engine, machine, first, second, 1);
		taken[i] = runs(engine, machine, first, second, BATCH + 1);
		taken[i] -= once;
	}
	engine->destroy(machine);
	munmap(data, DATA_PAGES * PAGE);
	return median(taken, BATCHES) / BATCH;
}

ticks nested_cpuid(const struct engine *engine)
{
	return round_trips(engine, VMCB_1, VMCB_1);
}

ticks nested_switch(const struct engine *engine)
{
	return round_trips(engine, VMCB_1, VMCB_2);
}

static ticks interrupted_runs(const struct engine *engine,
			      struct machine *machine, uint32_t count)
{
	ticks taken;

	engine->start(machine, CODE, VMCB_1 | VMCB_1 << 16, count);
	taken = __rdtsc();
	while (count--) {
		engine->run(machine);
		engine->interrupt(machine);
	}
	engine->run(machine);
	return __rdtsc() - taken;
}

/* L2 exits to the program, which has an interrupt for L1, so that L2 exits to L1. */
ticks nested_interrupt(const struct engine *engine)
{
	void *data = memory_create(DATA_PAGES * PAGE, PAGE, 0);
	struct machine *machine = hypervisor(engine, data, nested_outs,
					     nested_outs_end);
	ticks taken[BATCHES], once;

	interrupted_runs(engine, machine, BATCH);
	for (int i = 0; i < BATCHES; i++) {
		once = interrupted_runs(engine, machine, 1);
		taken[i] = interrupted_runs(engine, machine, BATCH + 1) - once;
	}
	engine->destroy(machine);
	munmap(data, DATA_PAGES * PAGE);
	return median(taken, BATCHES) / BATCH;
}

/* L2 reads pages for the first time, and once more. */
ticks nested_fault(const struct engine *engine)
{
	void *data = memory_create(DATA_PAGES * PAGE, PAGE, MADV_NOHUGEPAGE);
	struct machine *machine = hypervisor(engine, data, nested_reads,
					     nested_reads_end);
	ticks first = runs(engine, machine, VMCB_1, VMCB_1, 1);
	ticks again = runs(engine, machine, VMCB_1, VMCB_1, 1);

	engine->destroy(machine);
	munmap(data, DATA_PAGES * PAGE);
	return (first - again) / DATA_PAGES;
}
