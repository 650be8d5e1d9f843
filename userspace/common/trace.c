// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "json.h"
#include "lib/array_size.h"
#include "trace.h"

#define DETAILS 4

/**
 * struct detail - details of an exit
 * @word: kind of access or instruction, NULL for none
 * @used: number of values
 * @values: values and their names
 */
struct detail {
	const char *word;
	unsigned int used;
	struct {
		const char *name;
		uint64_t value;
	} values[DETAILS];
};

static void add_value(struct detail *detail, const char *name, uint64_t value)
{
	detail->values[detail->used].name = name;
	detail->values[detail->used++].value = value;
}

static uint64_t edx_eax(const struct svmrun_vcpu *vcpu)
{
	return vcpu->regs->rdx << 32 | (uint32_t)vcpu->vmcb->save.rax;
}

static void detail_ioio(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	static const char *const words[2][2] = { { "out", "outs" },
						 { "in", "ins" } };
	struct svmrun_ioio io;

	if (svmrun_ioio_decode(&io, vcpu->vmcb))
		return;
	detail->word = words[io.in][io.string];
	add_value(detail, "port", io.port);
	add_value(detail, "size", io.size);
	if (!io.in && !io.string)
		add_value(detail, "value", svmrun_ioio_value(&io, vcpu->vmcb));
}

static void detail_msr(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	bool write = vcpu->vmcb->control.exitinfo1;

	detail->word = write ? "wrmsr" : "rdmsr";
	add_value(detail, "msr", (uint32_t)vcpu->regs->rcx);
	if (write)
		add_value(detail, "value", edx_eax(vcpu));
}

static void detail_cpuid(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	add_value(detail, "leaf", (uint32_t)vcpu->vmcb->save.rax);
	add_value(detail, "subleaf", (uint32_t)vcpu->regs->rcx);
}

static void detail_xsetbv(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	add_value(detail, "xcr", (uint32_t)vcpu->regs->rcx);
	add_value(detail, "value", edx_eax(vcpu));
}

static void detail_npf(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	uint64_t info = vcpu->vmcb->control.exitinfo1;

	detail->word = info & SVM_NPF_WRITE ? "write" : "read";
	if (info & SVM_NPF_FETCH)
		detail->word = "fetch";
	add_value(detail, "gpa", vcpu->vmcb->control.exitinfo2);
	add_value(detail, "info", info);
}

static void detail_halt(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	add_value(detail, "rflags", vcpu->vmcb->save.rflags);
}

static void detail_other(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	add_value(detail, "info1", vcpu->vmcb->control.exitinfo1);
	add_value(detail, "info2", vcpu->vmcb->control.exitinfo2);
}

static const struct {
	uint64_t code;
	void (*fill)(struct detail *detail, const struct svmrun_vcpu *vcpu);
} details[] = {
	{ VMEXIT_IOIO, detail_ioio },	{ VMEXIT_MSR, detail_msr },
	{ VMEXIT_CPUID, detail_cpuid }, { VMEXIT_XSETBV, detail_xsetbv },
	{ VMEXIT_NPF, detail_npf },	{ VMEXIT_HLT, detail_halt },
};

static void detail_fill(struct detail *detail, const struct svmrun_vcpu *vcpu)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(details); i++) {
		if (details[i].code == vcpu->vmcb->control.exitcode) {
			details[i].fill(detail, vcpu);
			return;
		}
	}
	detail_other(detail, vcpu);
}

static void print_exit_text(FILE *file, uint64_t number, const char *name,
			    const struct svm_vmcb *vmcb,
			    const struct detail *detail)
{
	unsigned int i;

	fprintf(file, "%6" PRIu64 "  %-16s rip 0x%" PRIx64, number, name,
		(uint64_t)vmcb->save.rip);
	if (detail->word)
		fprintf(file, " %s", detail->word);
	for (i = 0; i < detail->used; i++)
		fprintf(file, " %s 0x%" PRIx64, detail->values[i].name,
			detail->values[i].value);
	putc('\n', file);
}

static void print_exit_json(FILE *file, uint64_t number, const char *name,
			    const struct svm_vmcb *vmcb,
			    const struct detail *detail)
{
	struct json json = { .file = file };
	unsigned int i;

	json_object_begin(&json, NULL);
	json_string(&json, "type", "exit");
	json_number(&json, "number", number);
	json_string(&json, "name", name);
	json_hex(&json, "code", vmcb->control.exitcode);
	json_hex(&json, "rip", vmcb->save.rip);
	if (detail->word)
		json_string(&json, "access", detail->word);
	for (i = 0; i < detail->used; i++)
		json_hex(&json, detail->values[i].name,
			 detail->values[i].value);
	json_object_end(&json);
	putc('\n', file);
}

void trace_exit(FILE *file, bool json, uint64_t number,
		const struct svmrun_vcpu *vcpu)
{
	const char *name = svmrun_exit_name(vcpu->vmcb->control.exitcode);
	struct detail detail = { 0 };
	char code[24];

	if (!name) {
		snprintf(code, sizeof(code), "0x%" PRIx64,
			 (uint64_t)vcpu->vmcb->control.exitcode);
		name = code;
	}
	detail_fill(&detail, vcpu);
	if (json)
		print_exit_json(file, number, name, vcpu->vmcb, &detail);
	else
		print_exit_text(file, number, name, vcpu->vmcb, &detail);
}
