/* SPDX-License-Identifier: GPL-2.0 */
/* Filters of system calls (seccomp) */
#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>

#define FILTER_STEPS 512 /* instructions of one filter */

/**
 * struct filter - a filter that is ready to be used
 * @count: number of instructions
 * @steps: the instructions
 */
struct filter {
	unsigned short count;
	struct sock_filter steps[FILTER_STEPS];
};

/* Check whether the kernel can filter system calls. Return 0 or a negative errno. */
int filter_check(void);

/*
 * Build the filter of these kinds of threads, as bits. Return 0 or a negative errno.
 */
int filter_build(struct filter *filter, unsigned int threads);

/*
 * Filter the system calls of this thread, and of those that it creates, from now on.
 * Return 0 or a negative errno.
 */
int filter_use(struct filter *filter);

#endif /* FILTER_H */
