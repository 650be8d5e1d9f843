// SPDX-License-Identifier: GPL-2.0
#include "tally.h"

#include <errno.h>
#include <string.h>

#include "kselftest.h"

struct outcome outcome_of(const struct svmrun_vcpu *vcpu, int result)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	return (struct outcome){
		.result = result,
		.exitcode = vmcb->control.exitcode,
		.exitinfo1 = vmcb->control.exitinfo1,
		.exitinfo2 = vmcb->control.exitinfo2,
		.reason = vcpu->regs->out_invalid_reason,
		.offset = vcpu->regs->out_invalid_offset,
		.rip = vmcb->save.rip,
		.rsp = vmcb->save.rsp,
		.rflags = vmcb->save.rflags,
		.rax = vmcb->save.rax,
	};
}

bool outcome_is_entered(const struct outcome *outcome)
{
	return outcome->exitcode != TALLY_NO_EXIT &&
	       outcome->exitcode != VMEXIT_INVALID;
}

void tally_run(struct tally *tally, const struct outcome *outcome,
	       uint32_t kinds)
{
	bool entered = outcome_is_entered(outcome);

	tally->runs++;
	tally->entered += entered;
	tally->interrupted += outcome->result == -EINTR;
	if (outcome->exitcode < TALLY_EXITS)
		tally->exits[outcome->exitcode]++;
	else if (outcome->reason < TALLY_REASONS)
		tally->refused[outcome->reason]++;
	for (unsigned int kind = 0; kind < MUTATION_KINDS; kind++)
		if (kinds & 1u << kind) {
			tally->kinds[kind].runs++;
			tally->kinds[kind].entered += entered;
		}
}

/* If a guest is interrupted, how far it got is random. */
void tally_twins(struct tally *tally, unsigned int kind,
		 const struct outcome *with, const struct outcome *without)
{
	if (with->result == -EINTR || without->result == -EINTR)
		return;
	tally->kinds[kind].twins++;
	tally->kinds[kind].differ += memcmp(with, without, sizeof(*with)) != 0;
}

unsigned long tally_percent(unsigned long part, unsigned long whole)
{
	return whole ? part * 100 / whole : 0;
}

/* Return the number of different exit codes. */
unsigned int tally_exit_codes(const struct tally *tally)
{
	unsigned int count = 0;

	for (unsigned int code = 0; code < TALLY_NO_EXIT; code++)
		count += tally->exits[code] > 0;
	return count;
}

/*
 * Return whether a kind of mutation changes outcomes more often than they change
 * without one, because of TSC and clock.
 */
bool tally_matters(const struct tally *tally, unsigned int kind)
{
	unsigned long differ = tally->kinds[kind].differ;
	unsigned long noise = tally->kinds[TALLY_NO_KIND].differ;

	return differ * tally->kinds[TALLY_NO_KIND].twins >
	       2 * noise * tally->kinds[kind].twins;
}

/* Return the most frequent exit code that is not printed yet, or TALLY_NO_EXIT. */
static unsigned int most_frequent(const struct tally *tally,
				  const bool *printed)
{
	unsigned int most = TALLY_NO_EXIT;
	unsigned long count = 0;

	for (unsigned int code = 0; code < TALLY_NO_EXIT; code++)
		if (!printed[code] && tally->exits[code] > count) {
			most = code;
			count = tally->exits[code];
		}
	return most;
}

static void print_exits(const struct tally *tally)
{
	bool printed[TALLY_EXITS] = {};
	unsigned int code;

	while ((code = most_frequent(tally, printed)) != TALLY_NO_EXIT) {
		const char *name = svmrun_exit_name(code);

		printed[code] = true;
		ksft_print_msg("%9lu %s\n", tally->exits[code],
			       name ? name : "unknown");
	}
	for (unsigned int i = SVMRUN_INVALID_PROCESSOR; i < TALLY_REASONS; i++)
		ksft_print_msg("%9lu VMEXIT_INVALID: %s\n", tally->refused[i],
			       svmrun_invalid_reason(i));
	ksft_print_msg("%9lu not entered because of a signal or a kick\n",
		       tally->exits[TALLY_NO_EXIT]);
}

static void print_kinds(const struct tally *tally)
{
	for (unsigned int kind = 0; kind < TALLY_KINDS; kind++)
		ksft_print_msg("%s: %lu runs, %lu %% entered; without it %lu of %lu differ\n",
			       kind < MUTATION_KINDS ? mutation_name[kind] :
						       "nothing",
			       tally->kinds[kind].runs,
			       tally_percent(tally->kinds[kind].entered,
					     tally->kinds[kind].runs),
			       tally->kinds[kind].differ,
			       tally->kinds[kind].twins);
}

void tally_print(const struct tally *tally)
{
	print_exits(tally);
	print_kinds(tally);
}
