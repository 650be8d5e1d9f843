// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "json.h"

static void begin_member(struct json *json, const char *key)
{
	if (json->comma)
		putc(',', json->file);
	if (key)
		fprintf(json->file, "\"%s\":", key);
	json->comma = true;
}

static void open_bracket(struct json *json, const char *key, char bracket)
{
	begin_member(json, key);
	putc(bracket, json->file);
	json->comma = false;
}

static void close_bracket(struct json *json, char bracket)
{
	putc(bracket, json->file);
	json->comma = true;
}

void json_object_begin(struct json *json, const char *key)
{
	open_bracket(json, key, '{');
}

void json_object_end(struct json *json)
{
	close_bracket(json, '}');
}

void json_array_begin(struct json *json, const char *key)
{
	open_bracket(json, key, '[');
}

void json_array_end(struct json *json)
{
	close_bracket(json, ']');
}

static unsigned int continuation_bytes(unsigned char first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	if (first >= 0xf0 && first <= 0xf4)
		return 3;
	return 0;
}

/* After some first bytes the second byte has a smaller range (RFC 3629). */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

/* Return the length of the UTF-8 character at @text, 0 if it is malformed. */
static unsigned int character_bytes(const unsigned char *text)
{
	unsigned int i, more = continuation_bytes(*text);

	if (!more || !second_fits(text[0], text[1]))
		return 0;
	for (i = 1; i <= more; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return more + 1;
}

/*
 * Write U+FFFD for bytes that are not UTF-8, which file names may contain and JSON must
 * not. Return the number of bytes read.
 */
static unsigned int put_wide_character(FILE *file, const unsigned char *text)
{
	unsigned int length = character_bytes(text);

	if (!length) {
		fputs("\\ufffd", file);
		return 1;
	}
	fwrite(text, 1, length, file);
	return length;
}

/* Write one character. Return the number of bytes read. */
static unsigned int put_character(FILE *file, const unsigned char *text)
{
	if (*text == '"' || *text == '\\')
		fprintf(file, "\\%c", *text);
	else if (*text < ' ' || *text == 0x7f)
		fprintf(file, "\\u%04x", *text);
	else if (*text < 0x80)
		putc(*text, file);
	else
		return put_wide_character(file, text);
	return 1;
}

void json_string(struct json *json, const char *key, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	begin_member(json, key);
	putc('"', json->file);
	while (*text)
		text += put_character(json->file, text);
	putc('"', json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_member(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	begin_member(json, key);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_member(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_seconds(struct json *json, const char *key, double value)
{
	begin_member(json, key);
	fprintf(json->file, "%.6f", value);
}
