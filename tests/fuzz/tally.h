/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics about a fuzzer's runs */
#ifndef TALLY_H
#define TALLY_H

#include "mutation.h"

/* Initial exit code, which remains if the guest is not entered */
#define TALLY_NO_EXIT 0xfff
#define TALLY_EXITS 0x1000
#define TALLY_REASONS (SVMRUN_INVALID_UNSUPPORTED + 1)

/* Twins differ in one kind of mutation, or in none. */
#define TALLY_NO_KIND MUTATION_KINDS
#define TALLY_KINDS (MUTATION_KINDS + 1)

/**
 * struct outcome - outcome of a run, as far as it does not depend on the clock
 */
struct outcome {
	int64_t result;
	uint64_t exitcode;
	uint64_t exitinfo1;
	uint64_t exitinfo2;
	uint64_t reason;
	uint64_t offset;
	uint64_t rip;
	uint64_t rsp;
	uint64_t rflags;
	uint64_t rax;
};

/**
 * struct tally - the counts
 * @runs: calls of RUN
 * @entered: those that entered the guest
 * @interrupted: those that returned -EINTR
 * @exits: by exit code
 * @refused: by reason
 * @kinds: by kind of mutation: runs with it, those of them that entered the guest, pairs
 *	of guests that differ only in this kind, and pairs with different outcomes
 */
struct tally {
	unsigned long runs;
	unsigned long entered;
	unsigned long interrupted;
	unsigned long exits[TALLY_EXITS];
	unsigned long refused[TALLY_REASONS];
	struct {
		unsigned long runs;
		unsigned long entered;
		unsigned long twins;
		unsigned long differ;
	} kinds[TALLY_KINDS];
};

struct outcome outcome_of(const struct svmrun_vcpu *vcpu, int result);
bool outcome_is_entered(const struct outcome *outcome);

void tally_run(struct tally *tally, const struct outcome *outcome,
	       uint32_t kinds);
void tally_twins(struct tally *tally, unsigned int kind,
		 const struct outcome *with, const struct outcome *without);
unsigned long tally_percent(unsigned long part, unsigned long whole);
unsigned int tally_exit_codes(const struct tally *tally);
bool tally_matters(const struct tally *tally, unsigned int kind);
void tally_print(const struct tally *tally);

#endif /* TALLY_H */
