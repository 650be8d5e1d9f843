/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of gdb's remote serial protocol (gdb's manual, appendix E): their framing, and
 * the text in them. There is no input or output here, and no state except in the
 * arguments.
 */
#ifndef GDB_PACKET_H
#define GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest packet in each direction, reported by qSupported */
#define GDB_PACKET_MAX 0x4000
/* The frame adds $, # and two digits. */
#define GDB_FRAME_MAX (GDB_PACKET_MAX + 4)

enum gdb_event {
	GDB_MORE, /* the packet is not complete */
	GDB_PACKET, /* a packet is complete */
	GDB_BROKEN, /* its checksum is wrong, or it is too long */
	GDB_BREAK, /* Ctrl-C */
	GDB_ACK,
	GDB_NAK,
	GDB_FOREIGN, /* gdb does not send this byte between packets */
};

enum gdb_reader_state {
	GDB_READER_OUTSIDE,
	GDB_READER_INSIDE,
	GDB_READER_ESCAPED,
	GDB_READER_SUM_HIGH,
	GDB_READER_SUM_LOW,
};

/**
 * struct gdb_reader - a packet that is being received
 * @state: part of the packet that comes next
 * @sum: checksum of the bytes received
 * @given: checksum in the packet
 * @is_bad: malformed or too long
 * @size: bytes of @packet
 * @packet: the packet without frame and escapes; a zero follows it
 */
struct gdb_reader {
	enum gdb_reader_state state;
	uint8_t sum;
	uint8_t given;
	bool is_bad;
	size_t size;
	char packet[GDB_PACKET_MAX + 1];
};

/* Handle a received byte. A complete packet is valid until the next call. */
enum gdb_event gdb_reader_take(struct gdb_reader *reader, uint8_t byte);

/**
 * struct gdb_writer - a packet to be sent; text that does not fit is left out
 * @size: bytes of it
 * @packet: the packet with escapes, without frame
 */
struct gdb_writer {
	size_t size;
	char packet[GDB_PACKET_MAX];
};

void gdb_put_text(struct gdb_writer *writer, const char *text);
/* Append a number, the highest digit first. */
void gdb_put_number(struct gdb_writer *writer, uint64_t number);
/* Append bytes in the order of memory, with two digits each. */
void gdb_put_hex(struct gdb_writer *writer, const void *bytes, size_t size);
/* Append bytes as binary data with escapes. Return how many fitted. */
size_t gdb_put_binary(struct gdb_writer *writer, const void *bytes,
		      size_t size);

/* Add the frame. Return the number of bytes to send. */
size_t gdb_frame(const struct gdb_writer *writer, char frame[GDB_FRAME_MAX]);

/**
 * struct gdb_text - the rest of a packet that is being parsed
 * @at: the next byte
 * @end: the byte after the last
 */
struct gdb_text {
	const char *at;
	const char *end;
};

/* Parse an item and advance; or return false, and do not advance. */
bool gdb_get_text(struct gdb_text *text, const char *wanted);
bool gdb_get_number(struct gdb_text *text, uint64_t *number);
bool gdb_get_hex(struct gdb_text *text, void *bytes, size_t size);

static inline size_t gdb_text_size(const struct gdb_text *text)
{
	return text->end - text->at;
}

#endif /* GDB_PACKET_H */
