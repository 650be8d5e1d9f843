// SPDX-License-Identifier: LGPL-2.1-or-later
/* The rules of VMRUN for VMCB12 (APM 15.5.1) */
#include <string.h>

#include "lib/array_size.h"
#include "nested.h"

#define RULES_MAX 32

static void collect(struct checked *checked, const struct svmrun_nested *nested)
{
	const struct svm_vmcb_control *control = &nested->control;
	const struct svm_vmcb_save *save = &nested->save;

	checked->efer = save->efer;
	checked->cr0 = save->cr0;
	checked->cr3 = save->cr3;
	checked->cr4 = save->cr4;
	checked->dr6 = save->dr6;
	checked->dr7 = save->dr7;
	checked->s_cet = save->s_cet;
	checked->g_pat = save->g_pat;
	checked->cs_attrib = save->cs.attrib;
	checked->iopm = control->iopm_base_pa;
	checked->msrpm = control->msrpm_base_pa;
	checked->eventinj = control->eventinj;
	checked->n_cr3 = control->n_cr3;
	checked->nested_ctl = control->nested_ctl;
	checked->intercept4 = control->intercept[4];
	checked->asid = control->asid;
	checked->tlb_control = control->tlb_control;
}

/* Tell the program. The rules are those of L1's processor. */
static void refuse(const struct svmrun_nested *nested,
		   const struct svmrun_broken_rule *rules, size_t count)
{
	const struct svmrun_nested_refusal refusal = {
		.vmcb = nested->vmcb12_gpa,
		.rip = nested->vmrun_rip,
		.rules = rules,
		.count = count < RULES_MAX ? count : RULES_MAX,
	};

	if (nested->config.refused)
		nested->config.refused(nested->config.owner, &refusal);
}

bool nested_check(struct svmrun_nested *nested)
{
	struct checked *accepted =
		&nested->accepted[nested->control.asid % NESTED_SPACES];
	struct svmrun_broken_rule rules[RULES_MAX];
	struct checked checked;
	struct svm_vmcb vmcb;
	size_t count;

	collect(&checked, nested);
	if (!memcmp(&checked, accepted, sizeof(checked)))
		return true;
	vmcb.control = nested->control;
	vmcb.save = nested->save;
	count = svmrun_vmrun_explain(&vmcb, &nested->processor, rules,
				     ARRAY_SIZE(rules));
	if (!count)
		*accepted = checked;
	else
		refuse(nested, rules, count);
	return !count;
}

void nested_explain_invalid(struct svmrun_nested *nested)
{
	struct svmrun_broken_rule rules[RULES_MAX];
	size_t count = svmrun_vmcb_explain(nested->current->vmcb,
					   &nested->processor, rules,
					   ARRAY_SIZE(rules));

	refuse(nested, rules, count);
}
