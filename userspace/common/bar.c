// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "bar.h"

/* Append a block that fills eighths of a column: U+2588 (eight) to U+258F (one). */
static char *put_block(char *to, unsigned int eighths)
{
	static const char first[] = "\xe2\x96\x88";

	memcpy(to, first, 3);
	to[2] += 8 - eighths;
	return to + 3;
}

static void draw_blocks(char *bar, unsigned int eighths)
{
	for (; eighths >= 8; eighths -= 8)
		bar = put_block(bar, 8);
	if (eighths)
		bar = put_block(bar, eighths);
	*bar = '\0';
}

static void draw_hashes(char *bar, unsigned int columns)
{
	memset(bar, '#', columns);
	bar[columns] = '\0';
}

/* Return the length in @units, rounded; at least 1 if @part is not 0. */
static unsigned int scaled_length(uint64_t part, uint64_t whole,
				  unsigned int units)
{
	unsigned int drawn;

	if (!part || !whole)
		return 0;
	if (part >= whole)
		return units;
	drawn = (double)part / (double)whole * units + 0.5;
	return drawn ? drawn : 1;
}

void bar_draw(char bar[BAR_SIZE], uint64_t part, uint64_t whole, bool utf8)
{
	if (utf8)
		draw_blocks(bar, scaled_length(part, whole, BAR_WIDTH * 8));
	else
		draw_hashes(bar, scaled_length(part, whole, BAR_WIDTH));
}

/* Append a block that fills eighths of a row: U+2581 (one) to U+2588 (eight). */
static char *put_column(char *to, unsigned int eighths)
{
	static const char none[] = "\xe2\x96\x80";

	if (!eighths) {
		*to = ' ';
		return to + 1;
	}
	memcpy(to, none, 3);
	to[2] += eighths;
	return to + 3;
}

static char *put_level(char *to, unsigned int eighths)
{
	static const char levels[] = " .:-=+*%#";

	*to = levels[eighths];
	return to + 1;
}

static uint64_t largest_value(const uint64_t *values, unsigned int count)
{
	uint64_t most = 0;

	while (count--)
		if (values[count] > most)
			most = values[count];
	return most;
}

void spark_draw(char spark[SPARK_SIZE], const uint64_t *values,
		unsigned int count, bool utf8)
{
	uint64_t most = largest_value(values, count);
	unsigned int i, eighths;

	for (i = 0; i < count; i++) {
		eighths = scaled_length(values[i], most, 8);
		spark = utf8 ? put_column(spark, eighths) :
			       put_level(spark, eighths);
	}
	*spark = '\0';
}
