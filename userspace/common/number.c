// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* More than three years, a period that every timer can be set to */
#define MOST_SECONDS 1e8

/* Parse digits only: no octal numbers, no sign, no space. */
static bool parse_digits(const char *text, uint64_t *value, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *stop;

	if (hex ? !isxdigit((unsigned char)text[2]) :
		  !isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &stop, hex ? 16 : 10);
	*end = stop;
	return !errno;
}

bool number_address(const char *text, uint64_t *value)
{
	const char *end;

	return parse_digits(text, value, &end) && !*end;
}

static bool suffix_shift(const char *text, unsigned int *shift)
{
	static const char suffixes[] = "KMG";
	const char *at;

	*shift = 0;
	if (!*text)
		return true;
	at = strchr(suffixes, toupper((unsigned char)*text));
	if (!at || text[1])
		return false;
	*shift = 10 * (at - suffixes + 1);
	return true;
}

bool number_size(const char *text, uint64_t *value)
{
	unsigned int shift;
	const char *end;

	if (!parse_digits(text, value, &end) || !suffix_shift(end, &shift))
		return false;
	if (*value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

bool number_seconds(const char *text, double *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	*value = strtod(text, &end);
	return end != text && !*end && *value > 0 && *value <= MOST_SECONDS;
}
