// SPDX-License-Identifier: GPL-2.0
/*
 * The tool's report on a VMCB that the module or the processor refused: the field, the
 * reason, and the rules that the VMCB breaks, as text and as JSON.
 */
#include <stdlib.h>

#include "common/status.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "vmm/exits.h"
#include "vmm/invalid.h"
#include "vmm/machine.h"

static struct vcpu_pages pages;
static struct svm_vmcb *const vmcb = &pages.vmcb;
static struct svmrun_registers *const regs = &pages.regs;
static struct machine machine;
static struct cpu cpu;
static char *text;
static size_t size;

/* A legal VMCB, in which each test makes its own mistake */
static void setup(void)
{
	machine = (struct machine){ .cpus = &cpu };
	cpu = (struct cpu){ .machine = &machine,
			    .vcpu = vcpu_pages_fill(&pages) };
	machine.info.out_xcr0 = 7;
	memset(regs, 0, sizeof(*regs));
	svmrun_mode_reset(&cpu.vcpu);
	vmcb->control.exitcode = VMEXIT_INVALID;
}

static void refused(uint32_t offset, uint32_t reason)
{
	regs->out_invalid_offset = offset;
	regs->out_invalid_reason = reason;
	exit_handle(&cpu);
	ck_assert(machine.outcome.ended);
	ck_assert_int_eq(machine.outcome.status, STATUS_UNHANDLED);
	ck_assert_str_eq(machine.outcome.kind, "unhandled");
}

static void prints(const struct outcome *outcome, const char *expected)
{
	FILE *file = open_memstream(&text, &size);

	invalid_print(outcome, file);
	fclose(file);
	ck_assert_str_eq(text, expected);
	free(text);
}

static void prints_json(const struct outcome *outcome, const char *expected)
{
	struct json json = { .file = open_memstream(&text, &size) };

	json_object_begin(&json, NULL);
	invalid_print_json(outcome, &json);
	json_object_end(&json);
	fclose(json.file);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(module_names_field_and_reason)
{
	vmcb->control.asid = 0;
	refused(0x58, SVMRUN_INVALID_MUST_BE_SET);
	ck_assert_str_eq(machine.outcome.message,
			 "VMEXIT_INVALID at RIP 0xfff0: field at offset 0x58 of the vCPU's pages: must be set");
	prints(&machine.outcome,
	       "  control.asid (0x58) is 0x0, wrong bits 0xffffffff: 0 is the ASID of the host (APM 15.5.1)\n");
	prints_json(&machine.outcome,
		    "{\"broken\":1,\"broken_rules\":[{\"field\":\"control.asid\",\"offset\":\"0x58\",\"reason\":\"must be set\",\"value\":\"0x0\",\"bits\":\"0xffffffff\",\"why\":\"0 is the ASID of the host\",\"source\":\"APM 15.5.1\"}]}");
}
END_TEST

START_TEST(processor_names_nothing)
{
	vmcb->save.dr7 = 1ull << 32;
	refused(0, SVMRUN_INVALID_PROCESSOR);
	ck_assert_str_eq(machine.outcome.message,
			 "VMEXIT_INVALID at RIP 0xfff0: refused by the processor");
	prints(&machine.outcome,
	       "  save.dr7 (0x560) is 0x100000000, wrong bits 0x100000000: bits 63:32 must be 0 (APM 15.5.1)\n");
}
END_TEST

START_TEST(registers_page_is_explained_too)
{
	vmcb->save.dr7 = 1ull << 32;
	regs->xcr0 = 5;
	refused(0x1090, SVMRUN_INVALID_VALUE);
	prints(&machine.outcome,
	       "  save.dr7 (0x560) is 0x100000000, wrong bits 0x100000000: bits 63:32 must be 0 (APM 15.5.1)\n  xcr0 (0x1090) is 0x5, wrong bits 0x4: AVX must be 0 if SSE is (APM 11.5.2)\n");
}
END_TEST

START_TEST(processor_is_the_one_of_the_module)
{
	vmcb->control.vintr = SVM_VINTR_VGIF_ENABLE;
	machine.info.out_svm_features = SVM_FEATURE_VGIF;
	refused(0, SVMRUN_INVALID_PROCESSOR);
	ck_assert_uint_eq(machine.outcome.broken, 0);
	machine.info.out_svm_features = 0;
	refused(0x60, SVMRUN_INVALID_UNSUPPORTED);
	ck_assert_uint_eq(machine.outcome.broken, 1);
}
END_TEST

START_TEST(unknown_reason_is_said_to_be)
{
	refused(0, SVMRUN_INVALID_PROCESSOR);
	ck_assert_str_eq(machine.outcome.message,
			 "VMEXIT_INVALID at RIP 0xfff0: refused by the processor; no known rule is broken");
	prints(&machine.outcome, "");
	prints_json(&machine.outcome, "{}");
	setup();
	refused(SVMRUN_VCPU_XSAVE, SVMRUN_INVALID_VALUE);
	ck_assert_str_eq(machine.outcome.message,
			 "VMEXIT_INVALID at RIP 0xfff0: field at offset 0x4000 of the vCPU's pages: not a value that the manual defines; no known rule is broken");
	setup();
	refused(0x58, 99);
	ck_assert(strstr(machine.outcome.message, "unknown reason"));
}
END_TEST

static unsigned int lines(const char *from)
{
	unsigned int n = 0;

	for (; *from; from++)
		n += *from == '\n';
	return n;
}

START_TEST(too_many_are_counted)
{
	FILE *file = open_memstream(&text, &size);
	char more[32];

	memset(vmcb, 0xff, sizeof(*vmcb));
	vmcb->control.exitcode = VMEXIT_INVALID;
	regs->xcr0 = 0;
	refused(0x40, SVMRUN_INVALID_MUST_BE_ZERO);
	ck_assert_uint_gt(machine.outcome.broken, OUTCOME_RULES);
	invalid_print(&machine.outcome, file);
	fclose(file);
	ck_assert_uint_eq(lines(text), OUTCOME_RULES + 1);
	snprintf(more, sizeof(more), "  and %u more\n",
		 machine.outcome.broken - OUTCOME_RULES);
	ck_assert(strstr(text, more));
	free(text);
}
END_TEST

Suite *invalid_suite(void)
{
	Suite *suite = suite_create("invalid");
	TCase *tests = tcase_create("invalid");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, module_names_field_and_reason);
	tcase_add_test(tests, processor_names_nothing);
	tcase_add_test(tests, registers_page_is_explained_too);
	tcase_add_test(tests, processor_is_the_one_of_the_module);
	tcase_add_test(tests, unknown_reason_is_said_to_be);
	tcase_add_test(tests, too_many_are_counted);
	suite_add_tcase(suite, tests);
	return suite;
}
