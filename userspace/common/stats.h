/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics of exits */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <svmrun.h>

#include "json.h"

/* Sufficient for all exits that svmrun handles, and for one that ends the run */
#define STATS_KINDS 24

struct stats_kind {
	uint64_t code;
	uint64_t count;
};

/**
 * struct stats - exits of a run
 * @kinds: counts by exit code
 * @used: how many
 * @unclaimed: bytes read from and written to ports that no device has
 * @unknown_msrs: accesses to MSRs that the guest does not have
 * @resets: resets after which the guest was started again
 * @begin: start of the run
 * @seconds: its duration, after stats_end()
 */
struct stats {
	struct stats_kind kinds[STATS_KINDS];
	unsigned int used;
	uint64_t unclaimed;
	uint64_t unknown_msrs;
	uint64_t resets;
	struct timespec begin;
	double seconds;
};

void stats_begin(struct stats *stats);
void stats_count(struct stats *stats, uint64_t code);

/* Add the exits of another processor; @regs: those that the module handled */
void stats_add(struct stats *stats, const struct stats *other);
void stats_add_kernel(struct svmrun_registers *regs,
		      const struct svmrun_registers *other);

void stats_end(struct stats *stats);

/* Return the number of all exits, including those that the module handled. */
uint64_t stats_total(const struct stats *stats,
		     const struct svmrun_registers *regs);

/* Sort by frequency, highest first. */
void stats_sort(struct stats *stats);

/* Return whether the terminal uses UTF-8. */
bool stats_draws_utf8(void);

void stats_print(const struct stats *stats, const struct svmrun_registers *regs,
		 FILE *file);

/* Write members of the JSON object that is open. */
void stats_print_json(const struct stats *stats,
		      const struct svmrun_registers *regs, struct json *json);

#endif /* STATS_H */
