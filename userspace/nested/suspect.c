// SPDX-License-Identifier: LGPL-2.1-or-later
/* Warnings about a VMCB12 that is legal, and probably not what its author means */
#include <string.h>

#include <linux/svmrun_policy.h>

#include "lib/array_size.h"
#include "nested.h"

#define FINDINGS_MAX 32

#define FIELD(member)                                                          \
	.field = #member, .offset = offsetof(struct svm_vmcb, member)

/* Bits that a hypervisor sets in general */
static const struct svmrun_broken_rule expected[] = {
	{ FIELD(control.intercept[3]), .bits = SVM_INTERCEPT3_IOIO,
	  .why = "without this intercept, the guest accesses all ports",
	  .source = "APM 15.10" },
	{ FIELD(control.intercept[3]), .bits = SVM_INTERCEPT3_MSR,
	  .why = "without this intercept, the guest accesses all MSRs",
	  .source = "APM 15.11" },
	{ FIELD(control.intercept[3]), .bits = SVM_INTERCEPT3_SHUTDOWN,
	  .why = "without this intercept, a triple fault of the guest shuts the processor down",
	  .source = "APM 15.14.3" },
	{ FIELD(control.intercept[3]), .bits = SVM_INTERCEPT3_INTR,
	  .why = "without this intercept, interrupts are delivered by the guest's IDT",
	  .source = "APM 15.13.1" },
	{ FIELD(control.intercept[3]), .bits = SVM_INTERCEPT3_NMI,
	  .why = "without this intercept, NMIs are delivered by the guest's IDT",
	  .source = "APM 15.13.2" },
	{ FIELD(control.vintr), .bits = SVM_VINTR_V_INTR_MASKING,
	  .why = "while it is 0, the guest's RFLAGS.IF and CR8 mask interrupts",
	  .source = "APM 15.21.1" },
};

struct findings {
	struct svmrun_broken_rule rules[FINDINGS_MAX];
	size_t count;
};

static void add(struct findings *findings, struct svmrun_broken_rule rule,
		uint64_t value, uint64_t bits)
{
	rule.reason = SVMRUN_INVALID_NONE;
	rule.value = value;
	rule.bits = bits;
	if (findings->count < FINDINGS_MAX)
		findings->rules[findings->count++] = rule;
}

static void find_missing(struct findings *findings, const struct svm_vmcb *vmcb)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		value = 0;
		memcpy(&value, (const char *)vmcb + expected[i].offset,
		       sizeof(uint32_t));
		if (!(value & expected[i].bits))
			add(findings, expected[i], value, expected[i].bits);
	}
}

/**
 * struct clean_field - a field and its clean bit
 * @field: its name
 * @bit: SVM_CLEAN_*, 0 if it has none
 * @offset: its offset in the VMCB
 * @size: its size in bytes
 */
struct clean_field {
	const char *field;
	uint32_t bit;
	uint16_t offset;
	uint16_t size;
};

#define CLEAN_FIELD(member, clean)                                             \
	{ FIELD(member), .bit = (clean),                                       \
	  .size = sizeof(((struct svm_vmcb *)0)->member) },
#define CONTROL_FIELD(member, bit, ...) CLEAN_FIELD(control.member, bit)
#define CRx_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_CRx)
#define DRx_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_DRx)
#define DT_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_DT)
#define SEG_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_SEG)
#define CR2_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_CR2)
#define NP_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_NP)
#define LBR_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_LBR)
#define CET_FIELD(member) CLEAN_FIELD(save.member, SVM_CLEAN_CET)

/* The fields and their clean bits are those of the module's policy (APM 15.15.3). */
/* clang-format off */
static const struct clean_field clean_fields[] = {
	SVMRUN_POLICY_CONTROL(CONTROL_FIELD)
	SVMRUN_POLICY_ZERO(CONTROL_FIELD)
	CLEAN_FIELD(control.asid, SVM_CLEAN_ASID)
	SVMRUN_POLICY_STATE_CRx(CRx_FIELD)
	SVMRUN_POLICY_STATE_DRx(DRx_FIELD)
	SVMRUN_POLICY_STATE_DT(DT_FIELD)
	SVMRUN_POLICY_STATE_SEG(SEG_FIELD)
	SVMRUN_POLICY_STATE_CR2(CR2_FIELD)
	SVMRUN_POLICY_STATE_NP(NP_FIELD)
	SVMRUN_POLICY_STATE_LBR(LBR_FIELD)
	SVMRUN_POLICY_STATE_CET(CET_FIELD)
};
/* clang-format on */

static void compare(struct findings *findings, const struct svm_vmcb *vmcb,
		    const struct svm_vmcb *before,
		    const struct clean_field *field)
{
	const struct svmrun_broken_rule rule = {
		.field = field->field,
		.offset = field->offset,
		.why = "has changed since the last VMRUN, but its clean bit is 1",
		.source = "APM 15.15",
	};
	size_t done, part;

	for (done = 0; done < field->size; done += part) {
		uint64_t old = 0, new = 0;

		part = field->size - done;
		if (part > sizeof(new))
			part = sizeof(new);
		memcpy(&old, (const char *)before + field->offset + done, part);
		memcpy(&new, (const char *)vmcb + field->offset + done, part);
		if (old != new)
			add(findings, rule, new, old ^ new);
	}
}

static void find_changed(struct findings *findings, const struct svm_vmcb *vmcb,
			 const struct svm_vmcb *before)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clean_fields); i++)
		if (vmcb->control.clean & clean_fields[i].bit)
			compare(findings, vmcb, before, &clean_fields[i]);
}

static struct remembered *remembered(struct svmrun_nested *nested)
{
	struct suspicion *suspicion = nested->suspicion;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suspicion->vmcbs); i++)
		if (suspicion->vmcbs[i].gpa == nested->vmcb12_gpa &&
		    suspicion->vmcbs[i].used)
			return &suspicion->vmcbs[i];
	return NULL;
}

void nested_suspect(struct svmrun_nested *nested, const struct svm_vmcb *vmcb)
{
	struct findings findings;
	struct svmrun_nested_refusal report = {
		.vmcb = nested->vmcb12_gpa,
		.rip = nested->vmrun_rip,
		.rules = findings.rules,
	};
	struct remembered *before = remembered(nested);

	findings.count = 0;
	if (before)
		find_changed(&findings, vmcb, &before->vmcb);
	else
		find_missing(&findings, vmcb);
	report.count = findings.count;
	if (report.count)
		nested->config.suspected(nested->config.owner, &report);
}

/* The VMCB that was used first makes room. */
void nested_remember(struct svmrun_nested *nested)
{
	struct suspicion *suspicion = nested->suspicion;
	struct remembered *found = remembered(nested);

	if (!found)
		found = &suspicion->vmcbs[suspicion->next++ % NESTED_SPACES];
	found->used = true;
	found->gpa = nested->vmcb12_gpa;
	found->vmcb = *nested->vmcb12;
}
