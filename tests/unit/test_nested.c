// SPDX-License-Identifier: GPL-2.0
/*
 * nested: VMRUN and #VMEXIT of a guest hypervisor, its intercepts, events and nested page
 * faults, without a processor: the tests set the exits of L2's vCPU themselves.
 */
#include <errno.h>
#include <stdlib.h>

#include <svmrun/nested.h>

#include "fake_device.h"
#include "fake_maps.h"
#include "guest_ram.h"
#include "lib/x86.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define RAM_SIZE (4ul << 20)
#define VMCB12 0x10000ul
#define IOPM 0x20000ul
#define MSRPM 0x24000ul
#define TABLES 0x30000ul
#define CODE 0x1000ul
#define RIP_L1 0x2000ul
#define RULES 8

#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

static struct vcpu_pages pages;
static struct svmrun_vcpu l1;
static struct svmrun_vm vm;
static struct svmrun_memory ram;
static struct svmrun_info info;
static struct svmrun_nested *nested;
static struct svm_vmcb *vmcb12;

/* The last refusal */
static unsigned int refusals;
static size_t refused_count;
static struct svmrun_broken_rule refused[RULES];

static void on_refusal(void *owner, const struct svmrun_nested_refusal *refusal)
{
	size_t i;

	refusals++;
	refused_count = refusal->count;
	for (i = 0; i < refusal->count && i < RULES; i++)
		refused[i] = refusal->rules[i];
	ck_assert_uint_eq(refusal->vmcb, VMCB12);
}

/* The last warning */
static unsigned int suspicions;
static size_t suspected_count;
static struct svmrun_broken_rule suspected[RULES];

static void on_suspicion(void *owner,
			 const struct svmrun_nested_refusal *suspicion)
{
	size_t i;

	suspicions++;
	suspected_count = suspicion->count;
	for (i = 0; i < suspicion->count && i < RULES; i++)
		suspected[i] = suspicion->rules[i];
	ck_assert_uint_eq(suspicion->vmcb, VMCB12);
}

static void prepare_info(void)
{
	info = (struct svmrun_info){
		.size = sizeof(info),
		.out_svm_features = SVM_FEATURE_NP | SVM_FEATURE_NRIP_SAVE,
		.out_xcr0 = XCR0_X87 | XCR0_SSE,
		.out_gpa_bits = 40,
		.out_cr0 = 0xe005003f & ~(SVM_CR0_CD | SVM_CR0_NW),
		.out_cr4 = SVM_CR4_PAE | SVM_CR4_PGE | SVM_CR4_OSFXSR |
			   SVM_CR4_OSXMMEXCPT,
		.out_efer = SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA |
			    SVM_EFER_NXE | SVM_EFER_SVME,
	};
}

static void prepare_vmcb12(void)
{
	memset(vmcb12, 0, sizeof(*vmcb12));
	vmcb12->save = l1.vmcb->save;
	vmcb12->save.rip = CODE;
	vmcb12->save.rsp = 0x3000;
	vmcb12->save.rax = 0x1111;
	vmcb12->control.asid = 1;
	vmcb12->control.iopm_base_pa = IOPM;
	vmcb12->control.msrpm_base_pa = MSRPM;
	vmcb12->control.intercept[4] = SVM_INTERCEPT4_VMRUN;
}

static void setup(void)
{
	const struct svmrun_nested_config config = {
		.device = FAKE_DEVICE,
		.vm = &vm,
		.vcpu = &l1,
		.memories = &ram,
		.memory_count = 1,
		.info = &info,
		.refused = on_refusal,
		.suspected = on_suspicion,
	};

	ck_assert_int_eq(svmrun_vm_create(&vm, FAKE_DEVICE), 0);
	ram = guest_ram_of(RAM_SIZE);
	memset(ram.base, 0, ram.size);
	l1 = vcpu_pages_fill(&pages);
	memset(&pages, 0, sizeof(pages));
	memset(pages.msrpm, 0xff, sizeof(pages.msrpm));
	l1.xsave_size = 0; /* the vCPUs of FAKE_DEVICE have another size */
	ck_assert_int_eq(svmrun_mode_long(&l1, &ram, TABLES, RIP_L1, 0x9000),
			 0);
	prepare_info();
	refusals = 0;
	suspicions = 0;
	fake_map_count = 0;
	fake_maps_are_whole = false;
	vmcb12 = guest_ram_at(&ram, VMCB12, sizeof(*vmcb12));
	prepare_vmcb12();
	ck_assert_int_eq(svmrun_nested_create(&nested, &config), 0);
	ck_assert_int_eq(svmrun_nested_set_svme(nested, true), 0);
}

static void teardown(void)
{
	svmrun_nested_destroy(nested);
	guest_ram_free(&ram);
}

static struct svmrun_vcpu *current(void)
{
	return svmrun_nested_vcpu(nested);
}

/* The current vCPU exits. */
static int exit_with(uint64_t exitcode, uint64_t info1, uint64_t info2)
{
	struct svm_vmcb_control *control = &current()->vmcb->control;

	control->exitcode = exitcode;
	control->exitinfo1 = info1;
	control->exitinfo2 = info2;
	control->nrip = current()->vmcb->save.rip + 3;
	control->eventinj = 0;
	return svmrun_nested_exit(nested);
}

static void vmrun(void)
{
	l1.vmcb->save.rax = VMCB12;
	ck_assert_int_eq(exit_with(VMEXIT_VMRUN, 0, 0), SVMRUN_NESTED_HANDLED);
}

#define PTE_ALL (PTE_P | PTE_W | PTE_U)

static uint64_t *table(unsigned int number)
{
	return guest_ram_at(&ram, TABLES + 0x8000 + 0x1000 * number, 0x1000);
}

static uint64_t table_address(unsigned int number)
{
	return TABLES + 0x8000 + 0x1000 * number;
}

/* L2's address 0 and the following are L1's @physical and so on; no other is mapped. */
static void map_nested(uint64_t physical, uint64_t bits)
{
	unsigned int level;

	for (level = 0; level < 3; level++)
		table(level)[0] = table_address(level + 1) | PTE_ALL;
	table(3)[0] = physical | bits;
	vmcb12->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb12->control.n_cr3 = table_address(0);
}

static int nested_fault(uint64_t gpa, uint64_t bits)
{
	return exit_with(VMEXIT_NPF, bits | SVM_NPF_USER | SVM_NPF_FINAL, gpa);
}

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

/* ---- nested paging --------------------------------------------------------- */

START_TEST(a_page_of_l1s_table_is_mapped)
{
	map_nested(0x5000, PTE_ALL);
	vmrun();
	ck_assert_int_eq(nested_fault(0x123, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_eq(fake_maps[0].gpa, 0);
	ck_assert_uint_eq(fake_maps[0].length, PAGE_SIZE);
	ck_assert_uint_eq(fake_maps[0].hva, (uintptr_t)ram.base + 0x5000);
	ck_assert_uint_eq(fake_maps[0].flags,
			  SVMRUN_MAP_READ | SVMRUN_MAP_EXEC);
	ck_assert_uint_eq(table(3)[0] & (PTE_A | PTE_D), PTE_A);
	/* The write sets the dirty bit, and makes the page writable. */
	ck_assert_int_eq(nested_fault(0x123, SVM_NPF_WRITE | SVM_NPF_PRESENT),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_ne(fake_maps[0].flags & SVMRUN_MAP_WRITE, 0);
	ck_assert_uint_eq(table(3)[0] & PTE_D, PTE_D);
}
END_TEST

/* The mappings of the ASID make room, and L2 continues. */
START_TEST(all_mappings_are_dropped_if_there_is_no_room)
{
	map_nested(0x5000, PTE_ALL);
	table(3)[1] = 0x6000 | PTE_ALL;
	vmrun();
	nested_fault(0x123, 0);
	ck_assert_uint_eq(fake_maps[0].length, 2 * PAGE_SIZE);
	fake_maps_are_whole = true;
	ck_assert_int_eq(nested_fault(0x123, SVM_NPF_WRITE | SVM_NPF_PRESENT),
			 SVMRUN_NESTED_HANDLED);
	ck_assert(svmrun_nested_is_active(nested));
	ck_assert_uint_eq(fake_map_count, 1);
	ck_assert_uint_eq(fake_maps[0].length, PAGE_SIZE);
	ck_assert_uint_ne(fake_maps[0].flags & SVMRUN_MAP_WRITE, 0);
}
END_TEST

/* L1's tables can have larger addresses than the VM of L2. */
START_TEST(an_address_that_the_vm_cannot_have_is_not_present)
{
	map_nested(0x5000, PTE_ALL);
	table(0)[2] = table_address(1) | PTE_ALL;
	vmrun();
	ck_assert_int_eq(nested_fault(1ull << 40, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(fake_map_count, 0);
}
END_TEST

START_TEST(a_page_that_l1_has_not_mapped_exits)
{
	map_nested(0x5000, PTE_P | PTE_U);
	vmrun();
	ck_assert_int_eq(nested_fault(0x1008, 0), SVMRUN_NESTED_HANDLED);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x1008);
	vmrun();
	ck_assert_int_eq(exit_with(VMEXIT_NPF,
				   SVM_NPF_WRITE | SVM_NPF_USER | SVM_NPF_TABLE,
				   8),
			 SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_PRESENT | SVM_NPF_WRITE | SVM_NPF_USER |
				  SVM_NPF_TABLE);
}
END_TEST

START_TEST(a_large_page_is_mapped_as_far_as_there_is_memory)
{
	map_nested(0, 0);
	table(2)[0] = 0x200000 | PTE_ALL | PTE_PS;
	vmrun();
	nested_fault(0x3123, 0);
	ck_assert_uint_eq(fake_maps[0].length, 2ul << 20);
	ck_assert_uint_eq(fake_maps[0].hva, (uintptr_t)ram.base + 0x200000);
	fake_map_count = 0;
	table(1)[0] = PTE_ALL | PTE_PS; /* 1 GiB, of which there are 4 MiB */
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmrun();
	nested_fault(0x201123, 0);
	ck_assert_uint_eq(fake_maps[0].gpa, 0x200000);
	ck_assert_uint_eq(fake_maps[0].length, 2ul << 20);
	ck_assert_int_eq(nested_fault(RAM_SIZE + 8, 0),
			 SVMRUN_NESTED_NOT_HANDLED);
	ck_assert_uint_eq(current()->vmcb->control.exitinfo2, RAM_SIZE + 8);
}
END_TEST

START_TEST(a_flush_unmaps_the_pages_of_its_asid)
{
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	nested_fault(0, 0);
	ck_assert_uint_eq(fake_map_count, 1);
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->control.tlb_control = SVM_TLB_CONTROL_FLUSH_GUEST;
	vmrun();
	ck_assert_uint_eq(fake_map_count, 0);
	nested_fault(0, 0);
	ck_assert_uint_eq(fake_map_count, 1);
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	ck_assert_uint_eq(fake_map_count, 0);
}
END_TEST

START_TEST(translations_for_the_program_follow_l1s_table)
{
	uint64_t physical;

	ck_assert_int_eq(svmrun_nested_translate(nested, 0x123, 0, &physical),
			 0);
	ck_assert_uint_eq(physical, 0x123);
	map_nested(0x5000, PTE_ALL);
	vmrun();
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x123, 0, &physical),
			 0);
	ck_assert_uint_eq(physical, 0x5123);
	ck_assert(!svmrun_nested_fault(nested));
	ck_assert_int_eq(svmrun_nested_translate(nested, 0x1123,
						 SVMRUN_ACCESS_WRITE,
						 &physical),
			 -ENXIO);
	ck_assert(svmrun_nested_fault(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(vmcb12->control.exitinfo1,
			  SVM_NPF_WRITE | SVM_NPF_USER | SVM_NPF_FINAL);
	ck_assert_uint_eq(vmcb12->control.exitinfo2, 0x1123);
}
END_TEST

/* A table that points to itself ends where the levels end. */
START_TEST(a_loop_of_tables_ends)
{
	table(0)[0] = table_address(0) | PTE_ALL;
	vmcb12->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb12->control.n_cr3 = table_address(0);
	vmrun();
	ck_assert_int_eq(nested_fault(8, 0), SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(fake_maps[0].hva,
			  (uintptr_t)ram.base + table_address(0));
	vmcb12->control.n_cr3 = RAM_SIZE + 0x1000;
	svmrun_nested_reset(nested);
	svmrun_nested_set_svme(nested, true);
	vmrun();
	ck_assert_int_eq(nested_fault(8, 0), SVMRUN_NESTED_HANDLED);
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_NPF);
}
END_TEST

/* ---- rules ---------------------------------------------------------------- */

#define AT(member) offsetof(struct svm_vmcb, member)

/* Each rule alone: bits that are set and cleared in a VMCB12 that is legal */
static const struct broken {
	const char *field;
	size_t offset;
	uint64_t set;
	uint64_t clear;
	size_t size;
} broken[] = {
	{ "save.efer", AT(save.efer), 0, SVM_EFER_SVME, 8 },
	{ "save.efer", AT(save.efer), 1ull << 40, 0, 8 },
	{ "save.cr0", AT(save.cr0), SVM_CR0_NW, 0, 8 },
	{ "save.cr0", AT(save.cr0), 1ull << 32, 0, 8 },
	{ "save.cr0", AT(save.cr0), 0, SVM_CR0_PE, 8 },
	{ "save.cr3", AT(save.cr3), 1ull << 60, 0, 8 },
	{ "save.cr4", AT(save.cr4), 1ull << 31, 0, 8 },
	{ "save.cr4", AT(save.cr4), 0, SVM_CR4_PAE, 8 },
	{ "save.dr6", AT(save.dr6), 1ull << 32, 0, 8 },
	{ "save.dr7", AT(save.dr7), 1ull << 63, 0, 8 },
	{ "save.cs.attrib", AT(save.cs.attrib), SVM_SEG_L | SVM_SEG_DB, 0, 2 },
	{ "control.intercept[4]", AT(control.intercept[4]), 0,
	  SVM_INTERCEPT4_VMRUN, 4 },
	{ "control.iopm_base_pa", AT(control.iopm_base_pa), 1ull << 52, 0, 8 },
	{ "control.msrpm_base_pa", AT(control.msrpm_base_pa), 1ull << 52, 0,
	  8 },
	{ "control.asid", AT(control.asid), 0, ~0u, 4 },
	{ "control.tlb_control", AT(control.tlb_control), 2, 0, 1 },
	{ "control.eventinj", AT(control.eventinj), SVM_EVENT_VALID | 1ull << 8,
	  0, 8 },
	{ "control.eventinj", AT(control.eventinj),
	  SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | 2, 0, 8 },
};

static void break_rule(const struct broken *rule)
{
	uint64_t value = 0;
	char *at = (char *)vmcb12 + rule->offset;

	memcpy(&value, at, rule->size);
	value = (value & ~rule->clear) | rule->set;
	memcpy(at, &value, rule->size);
}

START_TEST(each_broken_rule_is_refused_and_named)
{
	const struct broken *rule = &broken[_i];

	break_rule(rule);
	vmcb12->control.exitcode = 0;
	vmrun();
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(refusals, 1);
	ck_assert_uint_ge(refused_count, 1);
	ck_assert_str_eq(refused[0].field, rule->field);
	ck_assert_int_eq(svmrun_nested_event(nested, VMEXIT_NMI),
			 SVMRUN_NESTED_HOLD);
	prepare_vmcb12();
	vmrun();
	ck_assert(svmrun_nested_is_active(nested));
}
END_TEST

START_TEST(n_cr3_and_pat_are_checked_with_nested_paging)
{
	map_nested(0x5000, PTE_ALL);
	vmcb12->control.n_cr3 |= 1ull << 60;
	vmrun();
	ck_assert_str_eq(refused[0].field, "control.n_cr3");
	map_nested(0x5000, PTE_ALL);
	vmcb12->save.g_pat = 2;
	vmrun();
	ck_assert_str_eq(refused[0].field, "save.g_pat");
}
END_TEST

START_TEST(a_refusal_of_the_module_is_explained)
{
	vmrun();
	exit_with(VMEXIT_INVALID, 0, 0);
	ck_assert(!svmrun_nested_is_active(nested));
	ck_assert_uint_eq(vmcb12->control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(refusals, 1);
}
END_TEST

/* ---- warnings ---------------------------------------------------- */

START_TEST(missing_intercepts_are_reported_once)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_IOIO |
				       SVM_INTERCEPT3_SHUTDOWN |
				       SVM_INTERCEPT3_INTR |
				       SVM_INTERCEPT3_NMI | SVM_INTERCEPT3_HLT;
	vmcb12->control.vintr = SVM_VINTR_V_INTR_MASKING;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
	ck_assert_uint_eq(suspected_count, 1);
	ck_assert_str_eq(suspected[0].field, "control.intercept[3]");
	ck_assert_uint_eq(suspected[0].bits, SVM_INTERCEPT3_MSR);
	exit_with(VMEXIT_HLT, 0, 0);
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
}
END_TEST

START_TEST(clean_bits_of_changed_fields_are_reported)
{
	vmcb12->control.intercept[3] = SVM_INTERCEPT3_HLT;
	vmrun();
	exit_with(VMEXIT_HLT, 0, 0);
	suspicions = 0;
	vmcb12->save.rip = CODE;
	vmcb12->control.clean = SVM_CLEAN_ALL;
	vmrun();
	ck_assert_uint_eq(suspicions, 0);
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->save.cr2 = 0x1000;
	vmcb12->save.es.base = 0x2000;
	vmcb12->control.tsc_offset = 5;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
	ck_assert_uint_eq(suspected_count, 3);
	ck_assert_str_eq(suspected[0].field, "control.tsc_offset");
	ck_assert_uint_eq(suspected[0].bits, 5);
	ck_assert_str_eq(suspected[1].field, "save.es");
	ck_assert_str_eq(suspected[2].field, "save.cr2");
	exit_with(VMEXIT_HLT, 0, 0);
	vmcb12->save.cr2 = 0x3000;
	vmcb12->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_CR2;
	vmrun();
	ck_assert_uint_eq(suspicions, 1);
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

/* ---- hostile hypervisors -------------------------------------------------- */

#define ROUNDS 20000

static void scribble(uint64_t *seed)
{
	uint64_t *words = (uint64_t *)vmcb12;
	unsigned int count = xorshift(seed) % 8;

	while (count--)
		words[xorshift(seed) % (0x698 / 8)] = xorshift(seed) >>
						      xorshift(seed) % 64;
	if (xorshift(seed) % 4)
		vmcb12->control.intercept[4] |= SVM_INTERCEPT4_VMRUN;
	if (xorshift(seed) % 2)
		prepare_vmcb12();
	if (xorshift(seed) % 2)
		map_nested(xorshift(seed) % RAM_SIZE & ~0xfffull,
			   xorshift(seed) & 0xff);
	if (!(xorshift(seed) % 8))
		vmcb12->control.n_cr3 = xorshift(seed) % (2 * RAM_SIZE);
}

static const uint64_t exits[] = {
	VMEXIT_CPUID,	VMEXIT_IOIO,	 VMEXIT_MSR,	  VMEXIT_HLT,
	VMEXIT_NPF,	VMEXIT_NPF,	 VMEXIT_VMLOAD,	  VMEXIT_VMSAVE,
	VMEXIT_STGI,	VMEXIT_CLGI,	 VMEXIT_VINTR,	  VMEXIT_INVLPGA,
	VMEXIT_INVALID, VMEXIT_SHUTDOWN, VMEXIT_EXCP(14), VMEXIT_CR_WRITE(0),
};

/* Whatever VMCB12 and the tables contain, nothing outside of L1's memory is touched. */
START_TEST(random_vmcbs_do_no_harm)
{
	uint64_t seed = 1, physical;
	unsigned int i, entered = 0;

	for (i = 0; i < ROUNDS; i++) {
		scribble(&seed);
		if (!svmrun_nested_is_active(nested)) {
			svmrun_nested_set_svme(nested, true);
			vmrun();
			entered += svmrun_nested_is_active(nested);
		}
		current()->regs->rcx = xorshift(&seed) >> xorshift(&seed) % 64;
		current()->vmcb->save.rax = xorshift(&seed) % (2 * RAM_SIZE);
		svmrun_nested_prepare(nested, xorshift(&seed) % 2);
		exit_with(exits[xorshift(&seed) % ARRAY_SIZE(exits)],
			  xorshift(&seed) >> xorshift(&seed) % 64,
			  xorshift(&seed) >> xorshift(&seed) % 64);
		svmrun_nested_event(nested, VMEXIT_INTR + xorshift(&seed) % 4);
		svmrun_nested_translate(nested, xorshift(&seed) % RAM_SIZE, 0,
					&physical);
		if (!(xorshift(&seed) % 4))
			svmrun_nested_fault(nested);
	}
	ck_assert_uint_gt(entered, ROUNDS / 50);
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
		a_page_of_l1s_table_is_mapped,
		a_page_that_l1_has_not_mapped_exits,
		all_mappings_are_dropped_if_there_is_no_room,
		an_address_that_the_vm_cannot_have_is_not_present,
		a_large_page_is_mapped_as_far_as_there_is_memory,
		a_flush_unmaps_the_pages_of_its_asid,
		translations_for_the_program_follow_l1s_table,
		a_loop_of_tables_ends,
		n_cr3_and_pat_are_checked_with_nested_paging,
		a_refusal_of_the_module_is_explained,
		missing_intercepts_are_reported_once,
		clean_bits_of_changed_fields_are_reported,
		cpuid_has_what_is_carried_out,
		vm_cr_locks_svmdis,
		random_vmcbs_do_no_harm,
	};
	Suite *suite = suite_create("nested");
	TCase *tcase = tcase_create("nested");
	size_t i;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, each_broken_rule_is_refused_and_named, 0,
			    ARRAY_SIZE(broken));
	suite_add_tcase(suite, tcase);
	return suite;
}
