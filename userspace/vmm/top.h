/* SPDX-License-Identifier: GPL-2.0 */
/* Reports about a running guest: --top, SIGUSR1 and Ctrl-A s */
#ifndef TOP_H
#define TOP_H

#include <stdint.h>

#include "common/bar.h"

struct machine;

/**
 * struct top - the last report; before the first, the beginning of the run
 * @total: exits until then
 * @time: time of the report
 * @rates: exits per second at the last SPARK_WIDTH reports
 * @count: how many
 */
struct top {
	uint64_t total;
	uint64_t time;
	uint64_t rates[SPARK_WIDTH];
	unsigned int count;
};

/* Print a report to standard error. @live: overwrite the last one on a terminal */
void top_show(const struct machine *machine, struct top *top, bool live);

/* Return the time of the next report of --top. */
uint64_t top_due(const struct top *top);

#endif /* TOP_H */
