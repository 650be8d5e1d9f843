/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coverage of kernel code by a thread (KCOV), if the kernel supports it. In the
 * debug kernel only the module is instrumented.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

struct coverage {
	int fd; /* negative: not supported */
	uint64_t *pcs; /* count, and addresses */
};

/* Edges covered by all threads */
struct covered {
	uint8_t seen[1 << 16]; /* indexed by the hash of an edge */
	unsigned long edges;
};

void coverage_open(struct coverage *coverage);

/* Called by the thread itself */
void coverage_begin(struct coverage *coverage);
void coverage_end(struct coverage *coverage);

/* Add a thread's coverage; return whether some of it is new. */
bool coverage_add(struct covered *covered, const struct coverage *coverage);

#endif /* COVERAGE_H */
