/* SPDX-License-Identifier: GPL-2.0 */
/* Bars and sparklines for the terminal */
#ifndef BAR_H
#define BAR_H

#include <stdbool.h>
#include <stdint.h>

#define BAR_WIDTH 28 /* the widest row has 80 columns */
#define BAR_SIZE (BAR_WIDTH * 3 + 1) /* bytes: three per block in UTF-8 */

/* Draw @part of @whole as a bar, with @utf8 to an eighth of a column. */
void bar_draw(char bar[BAR_SIZE], uint64_t part, uint64_t whole, bool utf8);

#define SPARK_WIDTH 40
#define SPARK_SIZE (SPARK_WIDTH * 3 + 1)

/*
 * Draw @count values, SPARK_WIDTH at most, as columns side by side. The largest has the
 * full height.
 */
void spark_draw(char spark[SPARK_SIZE], const uint64_t *values,
		unsigned int count, bool utf8);

#endif /* BAR_H */
