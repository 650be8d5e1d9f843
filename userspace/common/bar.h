/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BAR_H
#define BAR_H

#include <stdbool.h>
#include <stdint.h>

#define BAR_WIDTH 30
#define BAR_SIZE (BAR_WIDTH * 3 + 1) /* bytes: three a block in UTF-8 */

/* Draws @part of @whole as a bar; in eighths of a column with @utf8. */
void bar_draw(char bar[BAR_SIZE], uint64_t part, uint64_t whole, bool utf8);

#define SPARK_WIDTH 40
#define SPARK_SIZE (SPARK_WIDTH * 3 + 1)

/*
 * Draws the last @count values, SPARK_WIDTH at most, beside each other: the largest
 * is a full column high.
 */
void spark_draw(char spark[SPARK_SIZE], const uint64_t *values,
		unsigned int count, bool utf8);

#endif /* BAR_H */
