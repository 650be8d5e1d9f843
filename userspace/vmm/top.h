/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest is doing now, for a person who watches: --top, SIGUSR1, Ctrl-A s */
#ifndef TOP_H
#define TOP_H

#include <stdint.h>

#include "common/bar.h"

struct machine;

/**
 * struct top - what was shown before; at first nothing, when the run began
 * @total: exits by then
 * @time: when that was
 * @rates: exits a second, in each second since, the last SPARK_WIDTH of them
 * @count: how many
 */
struct top {
	uint64_t total;
	uint64_t time;
	uint64_t rates[SPARK_WIDTH];
	unsigned int count;
};

/* On standard error; @live: over what was shown before, if that is a terminal */
void top_show(const struct machine *machine, struct top *top, bool live);

/* When --top shows it next */
uint64_t top_due(const struct top *top);

#endif /* TOP_H */
