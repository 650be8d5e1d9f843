// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "common/message.h"
#include "common/status.h"
#include "invalid.h"
#include "machine.h"

static unsigned int kept_rules(const struct outcome *outcome)
{
	return outcome->broken < OUTCOME_RULES ? outcome->broken :
						 OUTCOME_RULES;
}

static void explain_invalid(struct outcome *outcome,
			    const struct svmrun_vcpu *vcpu,
			    const struct svmrun_info *info)
{
	struct svmrun_processor processor;
	unsigned int used;

	svmrun_processor_identify(&processor, info);
	outcome->broken = svmrun_vmcb_explain(vcpu->vmcb, &processor,
					      outcome->rules, OUTCOME_RULES);
	used = kept_rules(outcome);
	outcome->broken += svmrun_registers_explain(vcpu->regs, &processor,
						    outcome->rules + used,
						    OUTCOME_RULES - used);
}

/* End the run. If the processor has refused the VMCB, the field is unknown. */
static void end_run_invalid(struct cpu *cpu, const char *unknown)
{
	const struct svmrun_registers *regs = cpu->vcpu.regs;
	const char *reason = svmrun_invalid_reason(regs->out_invalid_reason);
	__u64 rip = cpu->vcpu.vmcb->save.rip;

	if (regs->out_invalid_reason == SVMRUN_INVALID_PROCESSOR)
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"VMEXIT_INVALID at RIP 0x%llx: %s%s", rip, reason,
			unknown);
	else
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"VMEXIT_INVALID at RIP 0x%llx: field at offset 0x%x of the vCPU's pages: %s%s",
			rip, regs->out_invalid_offset,
			reason ? reason : "unknown reason", unknown);
}

void exit_invalid(struct cpu *cpu)
{
	struct outcome *outcome = &cpu->machine->outcome;

	explain_invalid(outcome, &cpu->vcpu, &cpu->machine->info);
	end_run_invalid(cpu,
			outcome->broken ? "" : "; no known rule is broken");
}

static void print_rule(const struct svmrun_broken_rule *rule, FILE *file)
{
	fprintf(file,
		"  %s (0x%" PRIx32 ") is 0x%" PRIx64 ", wrong bits 0x%" PRIx64
		": %s (%s)\n",
		rule->field, rule->offset, rule->value, rule->bits, rule->why,
		rule->source);
}

void invalid_print(const struct outcome *outcome, FILE *file)
{
	unsigned int i;

	for (i = 0; i < kept_rules(outcome); i++)
		print_rule(&outcome->rules[i], file);
	if (outcome->broken > OUTCOME_RULES)
		fprintf(file, "  and %u more\n",
			outcome->broken - OUTCOME_RULES);
}

static void print_rule_json(const struct svmrun_broken_rule *rule,
			    struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "field", rule->field);
	json_hex(json, "offset", rule->offset);
	json_string(json, "reason", svmrun_invalid_reason(rule->reason));
	json_hex(json, "value", rule->value);
	json_hex(json, "bits", rule->bits);
	json_string(json, "why", rule->why);
	json_string(json, "source", rule->source);
	json_object_end(json);
}

/* A message about a guest that continues: print it at once. */
static void print_report_json(const struct svmrun_nested_refusal *report,
			      const char *event, const char *rules)
{
	struct json json = { .file = stderr };
	size_t i;

	json_object_begin(&json, NULL);
	json_string(&json, "event", event);
	json_hex(&json, "rip", report->rip);
	json_hex(&json, "vmcb", report->vmcb);
	json_array_begin(&json, rules);
	for (i = 0; i < report->count; i++)
		print_rule_json(&report->rules[i], &json);
	json_array_end(&json);
	json_object_end(&json);
}

void invalid_print_refusal(const struct svmrun_nested_refusal *refusal,
			   bool json)
{
	size_t i;

	if (json) {
		print_report_json(refusal, "vmrun_refused", "broken_rules");
		return;
	}
	message_warn("VMRUN at RIP 0x%" PRIx64
		     " is refused; its VMCB at 0x%" PRIx64
		     " breaks these rules:",
		     refusal->rip, refusal->vmcb);
	for (i = 0; i < refusal->count; i++)
		print_rule(&refusal->rules[i], stderr);
}

void invalid_print_suspicion(const struct svmrun_nested_refusal *suspicion,
			     bool json)
{
	const struct svmrun_broken_rule *rule;
	size_t i;

	if (json) {
		print_report_json(suspicion, "vmrun_suspicious", "findings");
		return;
	}
	message_warn("VMRUN at RIP 0x%" PRIx64 ": its VMCB at 0x%" PRIx64
		     " is legal, but has suspicious fields:",
		     suspicion->rip, suspicion->vmcb);
	for (i = 0; i < suspicion->count; i++) {
		rule = &suspicion->rules[i];
		fprintf(stderr,
			"  %s (0x%" PRIx32 ") is 0x%" PRIx64 ", bits 0x%" PRIx64
			": %s (%s)\n",
			rule->field, rule->offset, rule->value, rule->bits,
			rule->why, rule->source);
	}
}

void invalid_print_shutdown(uint64_t exitcode, uint64_t rip, const char *why,
			    bool json)
{
	const char *name = svmrun_exit_name(exitcode);
	struct json object = { .file = stderr };

	name = name ? name : "unknown exit";
	if (!json) {
		message_warn("%s of the guest's guest at RIP 0x%" PRIx64
			     ": %s; it shuts down",
			     name, rip, why);
		return;
	}
	json_object_begin(&object, NULL);
	json_string(&object, "event", "guest_shutdown");
	json_hex(&object, "rip", rip);
	json_string(&object, "exit", name);
	json_string(&object, "why", why);
	json_object_end(&object);
}

void invalid_print_last(unsigned int count, bool json)
{
	struct json object = { .file = stderr };

	if (!json) {
		message_warn("--explain: %u reports; no others are printed",
			     count);
		return;
	}
	json_object_begin(&object, NULL);
	json_string(&object, "event", "reports_end");
	json_number(&object, "reports", count);
	json_object_end(&object);
}

void invalid_print_json(const struct outcome *outcome, struct json *json)
{
	unsigned int i;

	if (!outcome->broken)
		return;
	json_number(json, "broken", outcome->broken);
	json_array_begin(json, "broken_rules");
	for (i = 0; i < kept_rules(outcome); i++)
		print_rule_json(&outcome->rules[i], json);
	json_array_end(json);
}
