// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <string.h>

#define PTE_P (1u << 0)
#define PTE_W (1u << 1)
#define PTE_U (1u << 2)
#define PTE_ALL (PTE_P | PTE_W | PTE_U)

#define CR0_PG (1ull << 31)
#define CR4_PAE (1ull << 5)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_OSXSAVE (1ull << 18)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_SYSCALL (1ull << 0)
#define RFLAGS_VM (1ull << 17)
#define RFLAGS_IOPL (3ull << 12)

#define CODE (SVM_SEG_P | SVM_SEG_S | 0xb)
#define DATA (SVM_SEG_P | SVM_SEG_S | 0x3)
#define BUSY_TSS (SVM_SEG_P | 0xb)

/* Selectors of descriptors */
#define SELECTOR_CODE_32 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE_64 0x18
static const uint64_t gdt[] = {
	0,
	0x00cf9b000000ffff, /* code, 32 bits */
	0x00cf93000000ffff, /* data */
	0x00af9b000000ffff, /* code, 64 bits */
	0x00cff3000000ffff, /* user data */
	0x00cffb000000ffff, /* user code, 32 bits */
	0x00affb000000ffff, /* user code, 64 bits */
	0x00009b000000ffff, /* code, 16 bits */
	0x0000890018000067, /* task, 32 bits */
};

/*
 * Continue two bytes after the faulting instruction. If there is an error code, the
 * handler goes wrong, which does not matter.
 */
static const uint8_t handler[] = {
	0x48, 0x83, 0x04, 0x24, 0x02, /* add $2, (%rsp) */
	0x48, 0xcf, /* iretq */
};
static const uint8_t handler_16[] = { 0xf4, 0xcf }; /* hlt, iret */

static void put(uint8_t *memory, uint32_t gpa, uint64_t value, uint32_t size)
{
	memcpy(memory + gpa, &value, size);
}

/* Build an interrupt gate that CPL 3 may use. */
static uint64_t gate(uint16_t selector, uint16_t offset)
{
	return offset | (uint64_t)selector << 16 | 0xeeull << 40;
}

static void fill_vectors(uint8_t *memory)
{
	for (unsigned int i = 0; i < 256; i++) {
		put(memory, GUEST_IVT + 4 * i, GUEST_HANDLER_16, 4);
		put(memory, GUEST_IDT_32 + 8 * i,
		    gate(SELECTOR_CODE_32, GUEST_HANDLER), 8);
		put(memory, GUEST_IDT_64 + 16 * i,
		    gate(SELECTOR_CODE_64, GUEST_HANDLER), 8);
	}
}

static void fill_tables(uint8_t *memory)
{
	put(memory, GUEST_PML4, GUEST_PDP_64 | PTE_ALL, 8);
	put(memory, GUEST_PDP_64, GUEST_PD_64 | PTE_ALL, 8);
	put(memory, GUEST_PD_64, GUEST_PT_64 | PTE_ALL, 8);
	put(memory, GUEST_PDP_32, GUEST_PD_64 | PTE_P, 8);
	put(memory, GUEST_PD_32, GUEST_PT_32 | PTE_ALL, 4);
	for (unsigned int i = 0; i < GUEST_PAGES; i++) {
		put(memory, GUEST_PT_64 + 8 * i, i * GUEST_PAGE | PTE_ALL, 8);
		put(memory, GUEST_PT_32 + 4 * i, i * GUEST_PAGE | PTE_ALL, 4);
	}
}

/* Map one page: page tables are not executable, and the last page is read-only. */
int guest_map(struct svmrun_vm *vm, uint8_t *memory, uint32_t gpa)
{
	uint32_t rights = SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC;

	if (gpa >= GUEST_TABLES)
		rights &= ~SVMRUN_MAP_EXEC;
	if (gpa >= GUEST_READ_ONLY)
		rights &= ~SVMRUN_MAP_WRITE;
	return svmrun_vm_map(vm, gpa, memory + gpa, GUEST_PAGE, rights);
}

/* Fill in everything except the code. */
void guest_fill(uint8_t *memory)
{
	memset(memory, 0, GUEST_SIZE);
	memcpy(memory + GUEST_GDT, gdt, sizeof(gdt));
	memcpy(memory + GUEST_HANDLER, handler, sizeof(handler));
	memcpy(memory + GUEST_HANDLER_16, handler_16, sizeof(handler_16));
	put(memory, GUEST_TSS_32 + 4, GUEST_STACK, 4);
	put(memory, GUEST_TSS_32 + 8, SELECTOR_DATA, 2);
	put(memory, GUEST_TSS_64 + 4, GUEST_STACK, 8);
	fill_vectors(memory);
	fill_tables(memory);
}

static void set_table(struct svm_seg *table, uint64_t base, uint32_t limit)
{
	table->base = base;
	table->limit = limit;
}

static struct svm_seg *data_segment(struct svm_vmcb_save *save, unsigned int i)
{
	struct svm_seg *const segments[] = {
		&save->ss, &save->ds, &save->es, &save->fs, &save->gs,
	};

	return segments[i];
}

static void set_segments(struct svm_vmcb_save *save, uint16_t code,
			 uint16_t data, uint32_t limit)
{
	save->cs.attrib = code;
	save->cs.limit = limit;
	for (unsigned int i = 0; i < 5; i++) {
		data_segment(save, i)->attrib = data;
		data_segment(save, i)->limit = limit;
	}
}

static void set_tables(struct svm_vmcb_save *save, bool bits_64)
{
	set_table(&save->gdtr, GUEST_GDT, sizeof(gdt) - 1);
	if (bits_64)
		set_table(&save->idtr, GUEST_IDT_64, 16 * 256 - 1);
	else
		set_table(&save->idtr, GUEST_IDT_32, 8 * 256 - 1);
	set_table(&save->tr, bits_64 ? GUEST_TSS_64 : GUEST_TSS_32, 0x67);
	save->tr.attrib = BUSY_TSS;
}

static void set_user(struct svm_vmcb_save *save)
{
	save->cpl = 3;
	save->cs.attrib |= SVM_SEG_DPL_MASK;
	save->cs.selector |= 3;
	for (unsigned int i = 0; i < 5; i++) {
		data_segment(save, i)->attrib |= SVM_SEG_DPL_MASK;
		data_segment(save, i)->selector |= 3;
	}
}

static void set_virtual_8086(struct svm_vmcb_save *save)
{
	const uint16_t attrib = DATA | SVM_SEG_DPL_MASK;

	set_segments(save, attrib, attrib, 0xffff);
	save->cs.selector = 0;
	for (unsigned int i = 0; i < 5; i++)
		data_segment(save, i)->selector = 0;
	save->rflags |= RFLAGS_VM | RFLAGS_IOPL;
	save->cpl = 3;
}

static void set_paging(struct svm_vmcb_save *save, enum guest_mode mode)
{
	bool bits_64 = mode == GUEST_LONG || mode == GUEST_COMPATIBILITY;

	save->cr0 |= CR0_PG;
	save->cr3 = bits_64 ? GUEST_PML4 : GUEST_PD_32;
	if (mode == GUEST_PAE)
		save->cr3 = GUEST_PDP_32;
	if (mode != GUEST_PAGED)
		save->cr4 |= CR4_PAE;
	if (bits_64)
		save->efer |= EFER_LME | EFER_LMA | EFER_SYSCALL;
}

static void set_real(struct svmrun_vcpu *vcpu)
{
	svmrun_mode_real(vcpu, 0, GUEST_CODE);
	vcpu->vmcb->save.rsp = GUEST_STACK;
}

static void set_protected(struct svmrun_vcpu *vcpu,
			  const struct guest_ground *ground)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;
	enum guest_mode mode = ground->mode;

	svmrun_mode_protected(vcpu, GUEST_CODE, GUEST_STACK);
	save->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	if (mode < GUEST_PROTECTED)
		set_paging(save, mode);
	set_tables(save, mode <= GUEST_COMPATIBILITY);
	if (mode == GUEST_LONG)
		save->cs.attrib = CODE | SVM_SEG_G | SVM_SEG_L;
	if (mode == GUEST_VIRTUAL_8086)
		set_virtual_8086(save);
	else if (ground->user)
		set_user(save);
	if (!ground->handlers)
		save->idtr.limit = 0;
}

/*
 * Set up a legal VMCB. RDTSC is intercepted, so that runs do not depend on the
 * time.
 */
void guest_begin(struct svmrun_vcpu *vcpu, const struct guest_ground *ground)
{
	struct svm_vmcb_control *control = &vcpu->vmcb->control;

	memset(vcpu->regs, 0, sizeof(*vcpu->regs));
	memset(vcpu->msrpm, 0xff, 2 * GUEST_PAGE);
	if (ground->mode == GUEST_REAL)
		set_real(vcpu);
	else
		set_protected(vcpu, ground);
	control->intercept[3] |= SVM_INTERCEPT3_RDTSC;
	control->intercept[4] |= SVM_INTERCEPT4_RDTSCP;
}
