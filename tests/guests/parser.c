// SPDX-License-Identifier: GPL-2.0
/*
 * A parser with a bug, for userspace/examples/fuzz.c to find. A file is "SVMP",
 * followed by commands:
 *
 *	W n	the canvas is n bytes wide
 *	C n	the colour is n
 *	L x n	draw a line that begins at x and has length n
 *	E	end: show the picture
 */
#include "parser.h"

#include <stdbool.h>

#include "guest.h"

enum wrong {
	WRONG_MAGIC = 1,
	WRONG_COMMAND,
	WRONG_WIDTH,
	WRONG_PLACE,
	WRONG_END,
};

struct picture {
	uint8_t canvas[256];
	int (*show)(const struct picture *picture);
	unsigned int width;
	uint8_t colour;
};

/* The remaining part of the file */
struct text {
	const uint8_t *at;
	size_t length;
};

static int show(const struct picture *picture)
{
	return picture->width ? 0 : WRONG_WIDTH;
}

static const uint8_t *take(struct text *text, size_t length)
{
	const uint8_t *at = text->at;

	if (length > text->length)
		return NULL;
	text->at += length;
	text->length -= length;
	return at;
}

static int set_width(struct picture *picture, struct text *text)
{
	const uint8_t *width = take(text, 1);

	if (!width)
		return WRONG_END;
	picture->width = *width;
	return 0;
}

static int set_colour(struct picture *picture, struct text *text)
{
	const uint8_t *colour = take(text, 1);

	if (!colour)
		return WRONG_END;
	picture->colour = *colour;
	return 0;
}

/* The bug: 250 + 8 overflows to 2 here, which is within many a canvas. */
static int draw_line(struct picture *picture, struct text *text)
{
	const uint8_t *line = take(text, 2);
	uint8_t end;

	if (!line)
		return WRONG_END;
	end = line[0] + line[1];
	if (end > picture->width)
		return WRONG_PLACE;
	memset(picture->canvas + line[0], picture->colour, line[1]);
	return 0;
}

static int execute(struct picture *picture, uint8_t command, struct text *text)
{
	switch (command) {
	case 'W':
		return set_width(picture, text);
	case 'C':
		return set_colour(picture, text);
	case 'L':
		return draw_line(picture, text);
	default:
		return WRONG_COMMAND;
	}
}

static bool is_magic(struct text *text)
{
	const char *magic = "SVMP";

	for (; *magic; magic++) {
		const uint8_t *next = take(text, 1);

		if (!next || *next != *magic)
			return false;
	}
	return true;
}

int parse(const uint8_t *bytes, size_t length)
{
	struct text text = { .at = bytes, .length = length };
	struct picture picture = { .show = show, .width = 160 };
	int wrong = is_magic(&text) ? 0 : WRONG_MAGIC;

	while (!wrong) {
		const uint8_t *command = take(&text, 1);

		if (!command)
			return WRONG_END;
		if (*command == 'E')
			return picture.show(&picture);
		wrong = execute(&picture, *command, &text);
	}
	return wrong;
}
