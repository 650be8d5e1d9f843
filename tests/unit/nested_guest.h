/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest hypervisor without a processor, for the suites of nested: the tests set the exits of
 * L2's vCPU themselves.
 */
#ifndef NESTED_GUEST_H
#define NESTED_GUEST_H

#include <svmrun/nested.h>

#include "fake_device.h"
#include "fake_maps.h"
#include "guest_ram.h"
#include "lib/x86.h"
#include "suites.h"
#include "vcpu_pages.h"

#define RAM_SIZE (4ul << 20)
#define VMCB12 0x10000ul
#define IOPM 0x20000ul
#define MSRPM 0x24000ul
#define TABLES 0x30000ul
#define CODE 0x1000ul
#define RIP_L1 0x2000ul
#define RULES 8

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

static inline void on_refusal(void *owner,
			      const struct svmrun_nested_refusal *refusal)
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

static inline void on_suspicion(void *owner,
				const struct svmrun_nested_refusal *suspicion)
{
	size_t i;

	suspicions++;
	suspected_count = suspicion->count;
	for (i = 0; i < suspicion->count && i < RULES; i++)
		suspected[i] = suspicion->rules[i];
	ck_assert_uint_eq(suspicion->vmcb, VMCB12);
}

static inline void prepare_info(void)
{
	info = (struct svmrun_info){
		.size = sizeof(info),
		.out_svm_features = SVM_FEATURE_NP | SVM_FEATURE_NRIP_SAVE,
		.out_xcr0 = XCR0_X87 | XCR0_SSE,
		.out_gpa_bits = 40,
		.out_cr0 = 0xe005003f & ~(SVM_CR0_CD | SVM_CR0_NW),
		.out_cr4 = SVM_CR4_PAE | SVM_CR4_PGE | SVM_CR4_OSFXSR |
			   SVM_CR4_OSXMMEXCPT,
		.out_dbgctl = SVM_DBGCTL_LBR | SVM_DBGCTL_BTF,
		.out_efer = SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA |
			    SVM_EFER_NXE | SVM_EFER_SVME,
	};
}

static inline void prepare_vmcb12(void)
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

static inline void begin_nested(void)
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

	ck_assert_int_eq(svmrun_nested_create(&nested, &config), 0);
	ck_assert_int_eq(svmrun_nested_set_svme(nested, true), 0);
}

/* The processor has other features of SVM than those of prepare_info(). */
static inline void begin_with_features(uint32_t features)
{
	svmrun_nested_destroy(nested);
	info.out_svm_features = features;
	begin_nested();
}

static inline void setup(void)
{
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
	begin_nested();
}

static inline void teardown(void)
{
	svmrun_nested_destroy(nested);
	guest_ram_free(&ram);
}

static inline struct svmrun_vcpu *current(void)
{
	return svmrun_nested_vcpu(nested);
}

/* The current vCPU exits. */
static inline int exit_with(uint64_t exitcode, uint64_t info1, uint64_t info2)
{
	struct svm_vmcb_control *control = &current()->vmcb->control;

	control->exitcode = exitcode;
	control->exitinfo1 = info1;
	control->exitinfo2 = info2;
	control->nrip = current()->vmcb->save.rip + 3;
	control->eventinj = 0;
	return svmrun_nested_exit(nested);
}

static inline void vmrun(void)
{
	l1.vmcb->save.rax = VMCB12;
	ck_assert_int_eq(exit_with(VMEXIT_VMRUN, 0, 0), SVMRUN_NESTED_HANDLED);
}

#define PTE_ALL (PTE_P | PTE_W | PTE_U)

static inline uint64_t *table(unsigned int number)
{
	return guest_ram_at(&ram, TABLES + 0x8000 + 0x1000 * number, 0x1000);
}

static inline uint64_t table_address(unsigned int number)
{
	return TABLES + 0x8000 + 0x1000 * number;
}

/* L2's address 0 and the following are L1's @physical and so on; no other is mapped. */
static inline void map_nested(uint64_t physical, uint64_t bits)
{
	unsigned int level;

	for (level = 0; level < 3; level++)
		table(level)[0] = table_address(level + 1) | PTE_ALL;
	table(3)[0] = physical | bits;
	vmcb12->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	vmcb12->control.n_cr3 = table_address(0);
}

static inline int nested_fault(uint64_t gpa, uint64_t bits)
{
	return exit_with(VMEXIT_NPF, bits | SVM_NPF_USER | SVM_NPF_FINAL, gpa);
}

static inline Suite *nested_suite_of(const char *name,
				     const TTest *const *tests, size_t count,
				     TCase **tcase)
{
	Suite *suite = suite_create(name);
	size_t i;

	*tcase = tcase_create(name);
	tcase_add_checked_fixture(*tcase, setup, teardown);
	tcase_set_timeout(*tcase, 60);
	for (i = 0; i < count; i++)
		tcase_add_test(*tcase, tests[i]);
	suite_add_tcase(suite, *tcase);
	return suite;
}

#endif /* NESTED_GUEST_H */
