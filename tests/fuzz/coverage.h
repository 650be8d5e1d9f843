/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of the module a thread has been through (KCOV), where the kernel can tell:
 * in the debug kernel the module is all that is instrumented.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

struct coverage {
	int fd; /* negative: the kernel does not tell */
	uint64_t *pcs; /* how many, and which */
};

/* Of all threads together */
struct covered {
	uint8_t seen[1 << 16]; /* by a hash of an edge */
	unsigned long edges;
};

void coverage_open(struct coverage *coverage);

/* By the thread itself */
void coverage_begin(struct coverage *coverage);
void coverage_end(struct coverage *coverage);

/* Adds what a thread went through; was some of it new? */
bool coverage_add(struct covered *covered, const struct coverage *coverage);

#endif /* COVERAGE_H */
