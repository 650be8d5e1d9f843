/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of gdb's remote serial protocol (gdb's manual, appendix E): bytes in,
 * packets out, and the other way round. No files, no state but what is given.
 */
#ifndef GDB_PACKET_H
#define GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest packet either way, as qSupported says it */
#define GDB_PACKET_MAX 0x4000
/* Around it: $, #, two digits */
#define GDB_FRAME_MAX (GDB_PACKET_MAX + 4)

enum gdb_event {
	GDB_MORE, /* nothing yet */
	GDB_PACKET, /* there is one */
	GDB_BROKEN, /* its checksum is wrong, or it is too long */
	GDB_BREAK, /* Ctrl-C */
	GDB_ACK,
	GDB_NAK,
};

enum gdb_reader_state {
	GDB_READER_OUTSIDE,
	GDB_READER_INSIDE,
	GDB_READER_ESCAPED,
	GDB_READER_SUM_HIGH,
	GDB_READER_SUM_LOW,
};

/**
 * struct gdb_reader - what has come of a packet
 * @state: where in it
 * @sum: of its bytes
 * @given: the checksum that it has
 * @is_bad: not to be taken, whatever its checksum
 * @size: bytes of @packet
 * @packet: without frame and escapes; ends in a zero
 */
struct gdb_reader {
	enum gdb_reader_state state;
	uint8_t sum;
	uint8_t given;
	bool is_bad;
	size_t size;
	char packet[GDB_PACKET_MAX + 1];
};

/* Takes a byte. The packet is there until the next. */
enum gdb_event gdb_reader_take(struct gdb_reader *reader, uint8_t byte);

/**
 * struct gdb_writer - a packet to be sent; what does not fit is left out
 * @size: bytes of it
 * @packet: with escapes, without frame
 */
struct gdb_writer {
	size_t size;
	char packet[GDB_PACKET_MAX];
};

void gdb_put_text(struct gdb_writer *writer, const char *text);
/* A number, the highest digit first */
void gdb_put_number(struct gdb_writer *writer, uint64_t number);
/* Bytes as they lie in memory, two digits each */
void gdb_put_hex(struct gdb_writer *writer, const void *bytes, size_t size);
/* Bytes as they are, escaped; gives how many fitted */
size_t gdb_put_binary(struct gdb_writer *writer, const void *bytes,
		      size_t size);

/* Gives the size of what is to be sent. */
size_t gdb_frame(const struct gdb_writer *writer, char frame[GDB_FRAME_MAX]);

/**
 * struct gdb_text - what is left to be read of a packet
 * @at: the next byte
 * @end: behind the last
 */
struct gdb_text {
	const char *at;
	const char *end;
};

/* Each takes what it says, or gives false and takes nothing. */
bool gdb_get_text(struct gdb_text *text, const char *wanted);
bool gdb_get_number(struct gdb_text *text, uint64_t *number);
bool gdb_get_hex(struct gdb_text *text, void *bytes, size_t size);

static inline size_t gdb_text_size(const struct gdb_text *text)
{
	return text->end - text->at;
}

#endif /* GDB_PACKET_H */
