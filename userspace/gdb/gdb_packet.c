// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "gdb_packet.h"

#define CTRL_C 3
#define ESCAPE '}'
#define ESCAPED 0x20

static const char digits[] = "0123456789abcdef";

/* Return the value of a digit, -1 for other characters. */
static int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* ---- from gdb ------------------------------------------------------------ */

static void begin_packet(struct gdb_reader *reader)
{
	reader->state = GDB_READER_INSIDE;
	reader->sum = 0;
	reader->is_bad = false;
	reader->size = 0;
}

static enum gdb_event take_outside(struct gdb_reader *reader, uint8_t byte)
{
	switch (byte) {
	case '$':
		begin_packet(reader);
		return GDB_MORE;
	case '+':
		return GDB_ACK;
	case '-':
		return GDB_NAK;
	case CTRL_C:
		return GDB_BREAK;
	default:
		return GDB_FOREIGN;
	}
}

static void keep_byte(struct gdb_reader *reader, uint8_t byte)
{
	if (reader->size == GDB_PACKET_MAX)
		reader->is_bad = true;
	else
		reader->packet[reader->size++] = (char)byte;
}

static void take_inside(struct gdb_reader *reader, uint8_t byte)
{
	if (byte == '#') {
		reader->is_bad |= reader->state == GDB_READER_ESCAPED;
		reader->state = GDB_READER_SUM_HIGH;
		return;
	}
	reader->sum += byte;
	if (reader->state == GDB_READER_ESCAPED) {
		reader->state = GDB_READER_INSIDE;
		keep_byte(reader, byte ^ ESCAPED);
	} else if (byte == ESCAPE) {
		reader->state = GDB_READER_ESCAPED;
	} else {
		keep_byte(reader, byte);
	}
}

static void take_sum_digit(struct gdb_reader *reader, uint8_t byte)
{
	int value = hex_digit(byte);

	if (value < 0)
		reader->is_bad = true;
	reader->given = (uint8_t)(reader->given << 4 | (value & 15));
}

static enum gdb_event end_packet(struct gdb_reader *reader)
{
	reader->state = GDB_READER_OUTSIDE;
	reader->packet[reader->size] = 0;
	if (reader->is_bad || reader->given != reader->sum)
		return GDB_BROKEN;
	return GDB_PACKET;
}

enum gdb_event gdb_reader_take(struct gdb_reader *reader, uint8_t byte)
{
	if (reader->state == GDB_READER_OUTSIDE)
		return take_outside(reader, byte);
	/* '$' is always escaped in a packet, so it begins another one. */
	if (byte == '$') {
		begin_packet(reader);
		return GDB_MORE;
	}
	switch (reader->state) {
	case GDB_READER_SUM_HIGH:
		take_sum_digit(reader, byte);
		reader->state = GDB_READER_SUM_LOW;
		return GDB_MORE;
	case GDB_READER_SUM_LOW:
		take_sum_digit(reader, byte);
		return end_packet(reader);
	default:
		take_inside(reader, byte);
		return GDB_MORE;
	}
}

static bool take_character(struct gdb_text *text, const char *wanted)
{
	if (text->at == text->end || *text->at != *wanted)
		return false;
	text->at++;
	return true;
}

bool gdb_get_text(struct gdb_text *text, const char *wanted)
{
	struct gdb_text rest = *text;

	for (; *wanted; wanted++)
		if (!take_character(&rest, wanted))
			return false;
	*text = rest;
	return true;
}

bool gdb_get_number(struct gdb_text *text, uint64_t *number)
{
	const char *at = text->at;
	uint64_t value = 0;

	for (; at < text->end && hex_digit(*at) >= 0; at++) {
		if (value >> 60)
			return false;
		value = value << 4 | hex_digit(*at);
	}
	if (at == text->at)
		return false;
	text->at = at;
	*number = value;
	return true;
}

bool gdb_get_hex(struct gdb_text *text, void *bytes, size_t size)
{
	uint8_t *to = bytes;
	int high, low;
	size_t i;

	if (size > gdb_text_size(text) / 2)
		return false;
	for (i = 0; i < size; i++) {
		high = hex_digit(text->at[2 * i]);
		low = hex_digit(text->at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		to[i] = high << 4 | low;
	}
	text->at += 2 * size;
	return true;
}

/* ---- to gdb -------------------------------------------------------------- */

static bool put_bytes(struct gdb_writer *writer, const char *bytes, size_t size)
{
	if (size > sizeof(writer->packet) - writer->size)
		return false;
	memcpy(writer->packet + writer->size, bytes, size);
	writer->size += size;
	return true;
}

void gdb_put_text(struct gdb_writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

void gdb_put_number(struct gdb_writer *writer, uint64_t number)
{
	char text[16];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[number & 15];
		number >>= 4;
	} while (number);
	put_bytes(writer, text + at, sizeof(text) - at);
}

void gdb_put_hex(struct gdb_writer *writer, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t i;

	for (i = 0; i < size; i++) {
		const char pair[] = { digits[from[i] >> 4],
				      digits[from[i] & 15] };

		put_bytes(writer, pair, sizeof(pair));
	}
}

/* Bytes to be escaped: those of the frame, and *, which marks a run length */
static bool is_special(uint8_t byte)
{
	return byte == '$' || byte == '#' || byte == ESCAPE || byte == '*';
}

static bool put_escaped(struct gdb_writer *writer, uint8_t byte)
{
	const char plain = (char)byte;
	const char pair[] = { ESCAPE, (char)(byte ^ ESCAPED) };

	return is_special(byte) ? put_bytes(writer, pair, sizeof(pair)) :
				  put_bytes(writer, &plain, 1);
}

size_t gdb_put_binary(struct gdb_writer *writer, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t i;

	for (i = 0; i < size; i++)
		if (!put_escaped(writer, from[i]))
			break;
	return i;
}

size_t gdb_frame(const struct gdb_writer *writer, char frame[GDB_FRAME_MAX])
{
	uint8_t sum = 0;
	size_t i;

	frame[0] = '$';
	memcpy(frame + 1, writer->packet, writer->size);
	for (i = 0; i < writer->size; i++)
		sum += (uint8_t)writer->packet[i];
	frame[1 + i] = '#';
	frame[2 + i] = digits[sum >> 4];
	frame[3 + i] = digits[sum & 15];
	return i + 4;
}
