// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_instruction_control(): intercepted accesses to CR0 and CR4 (APM 3.1.1, 3.1.3),
 * with the faults, mode changes and TLB flushes that they cause on a processor.
 */
#include <errno.h>

#include <linux/svmrun_policy.h>

#include "bus_guest.h"
#include "suites.h"

#define RFLAGS_TF (1ull << 8)
#define RFLAGS_RF (1ull << 16)
#define DB (SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 1)
#define GP                                                                     \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |                          \
	 SVM_EVENT_ERROR_CODE_VALID | 13)

/* The values that svmrun_mode_long() and svmrun_mode_protected() set */
#define CR0_LONG 0x80000033ull
#define CR4_LONG 0x620ull
#define CR0_PROTECTED 0x31ull

/* Instructions with RBX as their register */
static const uint8_t write_cr0[] = { 0x0f, 0x22, 0xc3 };
static const uint8_t read_cr0[] = { 0x0f, 0x20, 0xc3 };
static const uint8_t write_cr4[] = { 0x0f, 0x22, 0xe3 };
static const uint8_t read_cr4[] = { 0x0f, 0x20, 0xe3 };
static const uint8_t lmsw[] = { 0x0f, 0x01, 0xf3 };
static const uint8_t smsw[] = { 0x0f, 0x01, 0xe3 };
static const uint8_t clts[] = { 0x0f, 0x06 };

static struct bus_guest guest;
static struct svmrun_processor processor;
static struct svm_vmcb_save *const save = &guest.pages.vmcb.save;
static struct svm_vmcb_control *const control = &guest.pages.vmcb.control;
static struct svmrun_registers *const regs = &guest.pages.regs;
static struct svm_vmcb before;

static void begin(uint64_t exitcode)
{
	control->exitcode = exitcode;
	control->clean = SVM_CLEAN_ALL;
	control->interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	processor = (struct svmrun_processor){
		.cr4 = SVMRUN_POLICY_KNOWN_CR4,
	};
}

static void begin_long(void)
{
	guest_long(&guest);
	begin(VMEXIT_CR_WRITE(4));
}

static void begin_protected(void)
{
	guest_protected(&guest);
	begin(VMEXIT_CR0_SEL_WRITE);
}

static int execute(const uint8_t *code, size_t size, uint64_t rbx)
{
	memcpy(guest.memory + save->cs.base + save->rip, code, size);
	regs->rbx = rbx;
	control->eventinj = 0;
	before = guest.pages.vmcb;
	return svmrun_instruction_control(&guest.vcpu, &guest.bus, &processor);
}

static void completes_as(const uint8_t *code, size_t size, uint64_t rbx)
{
	ck_assert_int_eq(execute(code, size, rbx), 0);
	ck_assert_uint_eq(control->eventinj, 0);
	ck_assert_uint_eq(save->rip, before.save.rip + size);
	ck_assert_uint_eq(control->interrupt_shadow, 0);
}

/* The instruction raises #GP, and changes nothing else. */
static void refuses_as(const uint8_t *code, size_t size, uint64_t rbx)
{
	ck_assert_int_eq(execute(code, size, rbx), 0);
	ck_assert_uint_eq(control->eventinj, GP);
	ck_assert(save->rflags & RFLAGS_RF);
	before.save.rflags |= RFLAGS_RF;
	ck_assert_mem_eq(save, &before.save, sizeof(*save));
	ck_assert_uint_eq(control->clean, before.control.clean);
	ck_assert_uint_eq(control->asid, before.control.asid);
}

#define completes(code, rbx) completes_as(code, sizeof(code), rbx)
#define refuses(code, rbx) refuses_as(code, sizeof(code), rbx)

/* Only the groups that changed are no longer clean; a flush changes the ASID. */
static void changed(bool flushed)
{
	uint32_t stale = SVM_CLEAN_CRx | (flushed ? SVM_CLEAN_ASID : 0);

	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL & ~stale);
	ck_assert_int_eq(control->asid != before.control.asid, flushed);
	ck_assert_uint_ne(control->asid, 0);
}

START_TEST(reads_give_what_the_vmcb_has)
{
	begin_long();
	completes(read_cr4, 0);
	ck_assert_uint_eq(regs->rbx, CR4_LONG);
	begin_long();
	completes(read_cr0, 0);
	ck_assert_uint_eq(regs->rbx, CR0_LONG);
	begin_long();
	completes(smsw, 0);
	ck_assert_uint_eq(regs->rbx, CR0_LONG & 0xffffffff);
	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL);
}

/* The VMCB holds CR8 as V_TPR. */
START_TEST(cr8_has_four_bits)
{
	static const uint8_t write_cr8[] = { 0x44, 0x0f, 0x22, 0xc3 };
	static const uint8_t read_cr8[] = { 0x44, 0x0f, 0x20, 0xc3 };

	begin_long();
	control->vintr = SVM_VINTR_V_IRQ | 7;
	completes(write_cr8, 0xd);
	ck_assert_uint_eq(control->vintr, SVM_VINTR_V_IRQ | 0xd);
	ck_assert_uint_eq(control->clean, SVM_CLEAN_ALL & ~SVM_CLEAN_TPR);
	completes(read_cr8, 0);
	ck_assert_uint_eq(regs->rbx, 0xd);
	begin_long();
	refuses(write_cr8, 0x10);
}

START_TEST(cr4_accepts_bits_of_the_processor)
{
	uint64_t bit;

	for (bit = 1; bit; bit <<= 1) {
		begin_long();
		save->cr0 |= SVM_CR0_WP; /* CR4.CET requires it */
		if (CR4_LONG & bit || bit == SVM_CR4_LA57)
			continue;
		if (!(processor.cr4 & bit)) {
			refuses(write_cr4, CR4_LONG | bit);
			continue;
		}
		completes(write_cr4, CR4_LONG | bit);
		ck_assert_uint_eq(save->cr4, CR4_LONG | bit);
		begin_long();
		processor.cr4 &= ~bit;
		refuses(write_cr4, CR4_LONG | bit);
	}
}

START_TEST(cr4_has_rules_of_long_mode)
{
	begin_long();
	refuses(write_cr4, CR4_LONG & ~SVM_CR4_PAE);
	begin_long();
	refuses(write_cr4, CR4_LONG | SVM_CR4_LA57);
	begin_long();
	save->cr3 |= 1;
	refuses(write_cr4, CR4_LONG | SVM_CR4_PCIDE);
	begin_long();
	save->cr4 |= SVM_CR4_PCIDE;
	save->cr3 |= 1; /* PCID 1 */
	completes(write_cr4, CR4_LONG | SVM_CR4_PCIDE | SVM_CR4_SMEP);
	begin_protected();
	refuses(write_cr4, SVM_CR4_PAE | SVM_CR4_PCIDE);
	begin_protected();
	completes(write_cr4, SVM_CR4_PAE | SVM_CR4_LA57);
	begin_protected();
	save->cr4 = SVM_CR4_PAE;
	completes(write_cr4, 0);
}

START_TEST(shadow_stacks_need_write_protection)
{
	begin_long();
	refuses(write_cr4, CR4_LONG | SVM_CR4_CET);
	begin_long();
	save->cr4 |= SVM_CR4_CET;
	save->cr0 |= SVM_CR0_WP;
	refuses(write_cr0, CR0_LONG);
	begin_long();
	save->cr0 |= SVM_CR0_WP;
	completes(write_cr0, CR0_LONG);
}

/* Translations are flushed whenever the processor would flush them (APM 5.5.2). */
START_TEST(translations_go_where_the_processor_drops_them)
{
	/* CET, PKE, SMAP, SMEP, PCIDE, LA57, PGE, PAE, PSE */
	static const uint64_t flushes = 0xf210b0;
	uint64_t bit;

	for (bit = 1; bit <= SVM_CR4_CET; bit <<= 1) {
		begin_protected();
		save->cr0 |= SVM_CR0_WP;
		if (!(processor.cr4 & bit) || bit == SVM_CR4_PCIDE)
			continue;
		completes(write_cr4, bit);
		changed(flushes & bit);
	}
	begin_long();
	completes(write_cr4, CR4_LONG | SVM_CR4_PCIDE);
	changed(true);
	begin_long();
	completes(write_cr4, CR4_LONG);
	changed(false);
	begin_long();
	control->asid = ~0u;
	completes(write_cr4, CR4_LONG | SVM_CR4_PGE);
	changed(true);
	begin_long();
	completes(write_cr0, CR0_LONG | SVM_CR0_WP);
	changed(true);
	begin_long();
	completes(write_cr0, CR0_LONG | SVM_CR0_AM);
	changed(false);
}

START_TEST(cr0_has_no_illegal_combination)
{
	begin_protected();
	refuses(write_cr0, (CR0_PROTECTED | SVM_CR0_PG) & ~SVM_CR0_PE);
	begin_protected();
	refuses(write_cr0, CR0_PROTECTED | SVM_CR0_NW);
	begin_long();
	refuses(write_cr0, CR0_LONG | 1ull << 32);
	begin_long();
	refuses(write_cr0, CR0_LONG | 1ull << 63);
	/* Outside 64-bit mode, registers have 32 bits. */
	begin_protected();
	completes(write_cr0, CR0_PROTECTED | 1ull << 32);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED);
}

START_TEST(what_no_vmcb_may_have_is_taken_and_forgotten)
{
	begin_protected();
	completes(write_cr0, CR0_PROTECTED | SVM_CR0_CD);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED);
	changed(false);
	begin_protected();
	completes(write_cr0, 0xffffffff & ~SVM_CR0_PG);
	ck_assert_uint_eq(save->cr0, SVMRUN_POLICY_KNOWN_CR0 & ~SVM_CR0_PG);
	/* ET is always set. */
	begin_protected();
	completes(write_cr0, SVM_CR0_PE);
	ck_assert_uint_eq(save->cr0, SVM_CR0_PE | SVM_CR0_ET);
}

/* Prepare for entering long mode (APM 14.6). */
static void begin_entry(void)
{
	begin_protected();
	save->efer |= SVM_EFER_LME;
	save->cr4 = SVM_CR4_PAE;
}

START_TEST(paging_enters_long_mode)
{
	begin_entry();
	completes(write_cr0, CR0_PROTECTED | SVM_CR0_PG);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED | SVM_CR0_PG);
	ck_assert_uint_eq(save->efer,
			  SVM_EFER_SVME | SVM_EFER_LME | SVM_EFER_LMA);
	changed(true);
	begin_entry();
	save->cr4 = 0;
	refuses(write_cr0, CR0_PROTECTED | SVM_CR0_PG);
	begin_entry();
	save->cs.attrib |= SVM_SEG_L;
	save->cs.attrib &= ~SVM_SEG_DB;
	refuses(write_cr0, CR0_PROTECTED | SVM_CR0_PG);
	begin_entry();
	save->tr.attrib &= ~8; /* 16-bit TSS */
	refuses(write_cr0, CR0_PROTECTED | SVM_CR0_PG);
	/* Without LME it is legacy paging. */
	begin_protected();
	completes(write_cr0, CR0_PROTECTED | SVM_CR0_PG);
	ck_assert_uint_eq(save->efer, SVM_EFER_SVME);
}

START_TEST(no_paging_leaves_long_mode)
{
	begin_long();
	refuses(write_cr0, CR0_LONG & ~SVM_CR0_PG); /* 64-bit mode */
	begin_long();
	save->cs.attrib = 0xc9b;
	completes(write_cr0, CR0_LONG & ~SVM_CR0_PG);
	ck_assert_uint_eq(save->efer, SVM_EFER_SVME | SVM_EFER_LME);
	changed(true);
	begin_long();
	save->cs.attrib = 0xc9b;
	save->cr4 |= SVM_CR4_PCIDE;
	refuses(write_cr0, CR0_LONG & ~SVM_CR0_PG);
}

START_TEST(msw_is_four_bits_and_sets_pe_only)
{
	begin_protected();
	completes(lmsw, ~0xeull);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED);
	completes(lmsw, 0xfffffff0);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED);
	completes(lmsw, 0xe);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED | 0xe);
	guest_real(&guest);
	begin(VMEXIT_CR0_SEL_WRITE);
	completes(lmsw, 1);
	ck_assert_uint_eq(save->cr0, SVM_CR0_ET | SVM_CR0_PE);
	changed(true);
}

START_TEST(msw_may_be_in_memory)
{
	static const uint8_t from_memory[] = { 0x0f, 0x01, 0x33 };
	static const uint8_t to_memory[] = { 0x0f, 0x01, 0x23 };
	uint16_t value = SVM_CR0_TS;

	begin_protected();
	memcpy(guest.memory + GUEST_STACK, &value, sizeof(value));
	completes(from_memory, GUEST_STACK);
	ck_assert_uint_eq(save->cr0, CR0_PROTECTED | SVM_CR0_TS);
	completes(to_memory, GUEST_STACK);
	memcpy(&value, guest.memory + GUEST_STACK, sizeof(value));
	ck_assert_uint_eq(value, CR0_PROTECTED | SVM_CR0_TS);
}

START_TEST(task_switched_is_cleared)
{
	begin_long();
	save->cr0 |= SVM_CR0_TS;
	completes(clts, 0);
	ck_assert_uint_eq(save->cr0, CR0_LONG);
}

START_TEST(users_may_not)
{
	begin_protected();
	save->cpl = 3;
	refuses(write_cr0, CR0_PROTECTED);
	begin_protected();
	save->cpl = 1;
	refuses(read_cr4, 0);
	begin_protected();
	save->cpl = 3;
	refuses(lmsw, 0);
	begin_protected();
	save->cpl = 3;
	refuses(clts, 0);
	begin_protected();
	save->cpl = 3;
	completes(smsw, 0);
	ck_assert_uint_eq(regs->rbx, CR0_PROTECTED);
	begin_protected();
	save->cpl = 3;
	save->cr4 = SVM_CR4_UMIP;
	refuses(smsw, 0);
}

START_TEST(trap_flag_traps_behind_it)
{
	begin_long();
	save->rflags |= RFLAGS_TF;
	ck_assert_int_eq(execute(write_cr4, sizeof(write_cr4), CR4_LONG), 0);
	ck_assert_uint_eq(control->eventinj, DB);
	ck_assert_uint_eq(save->rip, GUEST_CODE + 3);
}

START_TEST(what_it_does_not_know_changes_nothing)
{
	static const uint8_t others[][3] = {
		{ 0x0f, 0x22, 0xdb }, /* mov cr3, rbx */
		{ 0x0f, 0x20, 0xdb }, /* mov rbx, cr3 */
		{ 0x89, 0xd8, 0x90 }, /* mov eax, ebx */
		{ 0x0f, 0xa2, 0x90 }, /* cpuid */
		{ 0x0f, 0x0b, 0x90 }, /* ud2 */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		begin_long();
		ck_assert_int_eq(execute(others[i], 3, 0), -EOPNOTSUPP);
		ck_assert_mem_eq(save, &before.save, sizeof(*save));
		ck_assert_uint_eq(control->eventinj, 0);
	}
	begin_long();
	save->rip = 0x40000000;
	before = guest.pages.vmcb;
	ck_assert_int_eq(svmrun_instruction_control(&guest.vcpu, &guest.bus,
						    &processor),
			 -ENXIO);
	ck_assert_mem_eq(save, &before.save, sizeof(*save));
}

static const TTest **const tests[] = {
	&reads_give_what_the_vmcb_has,
	&cr8_has_four_bits,
	&cr4_accepts_bits_of_the_processor,
	&cr4_has_rules_of_long_mode,
	&shadow_stacks_need_write_protection,
	&translations_go_where_the_processor_drops_them,
	&cr0_has_no_illegal_combination,
	&what_no_vmcb_may_have_is_taken_and_forgotten,
	&paging_enters_long_mode,
	&no_paging_leaves_long_mode,
	&msw_is_four_bits_and_sets_pe_only,
	&msw_may_be_in_memory,
	&task_switched_is_cleared,
	&users_may_not,
	&trap_flag_traps_behind_it,
	&what_it_does_not_know_changes_nothing,
};

Suite *control_suite(void)
{
	return suite_of("control", tests, ARRAY_SIZE(tests));
}
