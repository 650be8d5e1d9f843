/* SPDX-License-Identifier: GPL-2.0 */
/* How often the guest left, and why. */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <svmrun.h>

#include "json.h"

/* More than the exits that svmrun has an answer to, and the one it has not */
#define STATS_KINDS 24

struct stats_kind {
	uint64_t code;
	uint64_t count;
};

/**
 * struct stats - exits of a run
 * @kinds: by exit code
 * @used: how many of them
 * @unclaimed: bytes read from or written to ports where nothing is
 * @unknown_msrs: accesses to MSRs that the guest does not have
 * @begin: when the run began
 * @seconds: how long it took, once it has ended
 */
struct stats {
	struct stats_kind kinds[STATS_KINDS];
	unsigned int used;
	uint64_t unclaimed;
	uint64_t unknown_msrs;
	struct timespec begin;
	double seconds;
};

void stats_begin(struct stats *stats);
void stats_count(struct stats *stats, uint64_t code);

/* Adds what another processor's are. */
void stats_add(struct stats *stats, const struct stats *other);
void stats_add_inside(struct svmrun_registers *regs,
		      const struct svmrun_registers *other);

void stats_end(struct stats *stats);

/* All exits: those and what the module dealt with itself */
uint64_t stats_total(const struct stats *stats,
		     const struct svmrun_registers *regs);

/* Puts the most frequent first. */
void stats_sort(struct stats *stats);

/* The terminal takes more than ASCII. */
bool stats_draws_utf8(void);

void stats_print(const struct stats *stats, const struct svmrun_registers *regs,
		 FILE *file);

/* As members of the object that is being written. */
void stats_print_json(const struct stats *stats,
		      const struct svmrun_registers *regs, struct json *json);

#endif /* STATS_H */
