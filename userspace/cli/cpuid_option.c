// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "cpuid_option.h"

#define REGISTERS 4

/* Parse a number as strtoul() does, and advance the text past it. */
static bool parse_number(const char **text, uint32_t *value)
{
	unsigned long number;
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	number = strtoul(*text, &end, 0);
	if (number > UINT32_MAX)
		return false;
	*text = end;
	*value = number;
	return true;
}

static bool parse_register(const char **text, struct cpuid_override *override,
			   unsigned int number)
{
	uint32_t *const registers[REGISTERS] = {
		&override->answer.eax,
		&override->answer.ebx,
		&override->answer.ecx,
		&override->answer.edx,
	};

	if (**text == ',' || !**text)
		return true;
	override->given |= 1u << number;
	return parse_number(text, registers[number]);
}

static bool parse_leaf(const char **text, struct cpuid_override *override)
{
	if (!parse_number(text, &override->leaf))
		return false;
	if (**text != '.')
		return true;
	++*text;
	return parse_number(text, &override->subleaf);
}

bool cpuid_parse(const char *text, struct cpuid_override *override)
{
	unsigned int i;

	*override = (struct cpuid_override){ 0 };
	if (!parse_leaf(&text, override) || *text != '=')
		return false;
	for (i = 0; i < REGISTERS; i++) {
		if (*text)
			text++; /* the equals sign or comma */
		if (!parse_register(&text, override, i) ||
		    (*text && *text != ','))
			return false;
	}
	return !*text && override->given;
}
