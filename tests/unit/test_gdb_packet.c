// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of gdb's remote protocol: frames, checksums, escapes, the parsing of their
 * contents, and random bytes.
 */
#include <string.h>

#include "gdb/gdb_packet.h"
#include "suites.h"
#include "xorshift.h"

#define RANDOM_BYTES 1000000

static struct gdb_reader reader;
static struct gdb_writer writer;

/* Read bytes, all of which except the last must be incomplete. Return the last event. */
static enum gdb_event read_bytes(const char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i++)
		ck_assert_int_eq(gdb_reader_take(&reader, bytes[i]), GDB_MORE);
	return gdb_reader_take(&reader, bytes[i]);
}

static enum gdb_event read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void begin(void)
{
	memset(&reader, 0, sizeof(reader));
	writer.size = 0;
}

START_TEST(packet_is_taken_out_of_its_frame)
{
	begin();
	ck_assert_int_eq(read_text("$m7c00,10#f4"), GDB_PACKET);
	ck_assert_uint_eq(reader.size, 8);
	ck_assert_str_eq(reader.packet, "m7c00,10");
	ck_assert_int_eq(read_text("$#00"), GDB_PACKET);
	ck_assert_uint_eq(reader.size, 0);
	ck_assert_int_eq(read_text("$?#3F"), GDB_PACKET);
}

START_TEST(wrong_sum_is_broken)
{
	begin();
	ck_assert_int_eq(read_text("$?#3e"), GDB_BROKEN);
	ck_assert_int_eq(read_text("$?#3g"), GDB_BROKEN);
	ck_assert_int_eq(read_text("$?#x3"), GDB_BROKEN);
	ck_assert_int_eq(read_text("$?#3f"), GDB_PACKET);
}

START_TEST(bytes_between_packets_are_for_themselves)
{
	begin();
	ck_assert_int_eq(read_text("+"), GDB_ACK);
	ck_assert_int_eq(read_text("-"), GDB_NAK);
	ck_assert_int_eq(read_text("\3"), GDB_BREAK);
	ck_assert_int_eq(read_text("$?#3f"), GDB_PACKET);
}

START_TEST(other_bytes_between_packets_are_foreign)
{
	static const char foreign[] = "#}xG\n";
	size_t i;

	begin();
	for (i = 0; i < sizeof(foreign); i++) /* and zero */
		ck_assert_int_eq(read_bytes(&foreign[i], 1), GDB_FOREIGN);
	ck_assert_int_eq(read_text("$?#3f"), GDB_PACKET);
}

START_TEST(truncated_packet_is_dropped_for_the_next)
{
	begin();
	ck_assert_int_eq(read_text("$m7c$?#3f"), GDB_PACKET);
	ck_assert_str_eq(reader.packet, "?");
	ck_assert_int_eq(read_text("$m7c#$?#3f"), GDB_PACKET);
	ck_assert_int_eq(read_text("$m7c#5$?#3f"), GDB_PACKET);
	ck_assert_str_eq(reader.packet, "?");
}

START_TEST(escapes_are_undone)
{
	begin();
	ck_assert_int_eq(read_text("$a}\3}]#e3"), GDB_BROKEN);
	ck_assert_int_eq(read_text("$a}\3}]#bb"), GDB_PACKET);
	ck_assert_str_eq(reader.packet, "a#}");
	/* The packet ends after the escape character. */
	ck_assert_int_eq(read_text("$a}#de"), GDB_BROKEN);
}

START_TEST(longest_packet_is_taken_and_no_longer_one)
{
	int i;

	begin();
	gdb_reader_take(&reader, '$');
	for (i = 0; i < GDB_PACKET_MAX; i++)
		ck_assert_int_eq(gdb_reader_take(&reader, 0), GDB_MORE);
	ck_assert_int_eq(read_text("#00"), GDB_PACKET);
	ck_assert_uint_eq(reader.size, GDB_PACKET_MAX);
	gdb_reader_take(&reader, '$');
	for (i = 0; i < GDB_PACKET_MAX + 1; i++)
		ck_assert_int_eq(gdb_reader_take(&reader, 0), GDB_MORE);
	ck_assert_int_eq(read_text("#00"), GDB_BROKEN);
}

START_TEST(numbers_have_up_to_16_digits)
{
	const char *words = "7C00,ffffffffffffffff;10000000000000000";
	struct gdb_text text = { words, words + strlen(words) };
	uint64_t number = 0;

	ck_assert(gdb_get_number(&text, &number));
	ck_assert_uint_eq(number, 0x7c00);
	ck_assert(!gdb_get_number(&text, &number));
	ck_assert(!gdb_get_text(&text, ";"));
	ck_assert(gdb_get_text(&text, ","));
	ck_assert(gdb_get_number(&text, &number));
	ck_assert_uint_eq(number, UINT64_MAX);
	ck_assert(gdb_get_text(&text, ";1"));
	text.at--;
	ck_assert(!gdb_get_number(&text, &number));
	ck_assert_uint_eq(gdb_text_size(&text), 17);
}

START_TEST(texts_end_where_the_packet_does)
{
	const char *words = "vCont";
	struct gdb_text text = { words, words + 3 };

	ck_assert(!gdb_get_text(&text, "vCont"));
	ck_assert(gdb_get_text(&text, "vCo"));
	ck_assert(!gdb_get_text(&text, "n"));
	ck_assert(gdb_get_text(&text, ""));
}

START_TEST(bytes_are_pairs_of_digits)
{
	const char *words = "00fFa5x";
	struct gdb_text text = { words, words + strlen(words) };
	uint8_t bytes[4];

	ck_assert(!gdb_get_hex(&text, bytes, 4));
	ck_assert(gdb_get_hex(&text, bytes, 2));
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(bytes[1], 0xff);
	ck_assert(gdb_get_hex(&text, bytes, 1));
	ck_assert_uint_eq(bytes[0], 0xa5);
	text.end++; /* includes the terminating zero */
	ck_assert(!gdb_get_hex(&text, bytes, 1));
	ck_assert(!gdb_get_hex(&text, bytes, SIZE_MAX));
}

static void frames(const char *expected)
{
	static char frame[GDB_FRAME_MAX];
	size_t size = gdb_frame(&writer, frame);

	ck_assert_uint_eq(size, strlen(expected));
	ck_assert_mem_eq(frame, expected, size);
}

START_TEST(what_is_sent_has_frame_and_sum)
{
	begin();
	frames("$#00");
	gdb_put_text(&writer, "T05thread:");
	gdb_put_number(&writer, 0);
	gdb_put_number(&writer, 0x1a);
	gdb_put_text(&writer, ";");
	gdb_put_hex(&writer, "\x00\xfe", 2);
	frames("$T05thread:01a;00fe#93");
}

START_TEST(binary_is_escaped)
{
	begin();
	ck_assert_uint_eq(gdb_put_binary(&writer, "$#}*a", 5), 5);
	ck_assert_uint_eq(writer.size, 9);
	ck_assert_mem_eq(writer.packet, "}\4}\3}]}\na", 9);
}

START_TEST(what_does_not_fit_is_left_out)
{
	static const char many[2 * GDB_PACKET_MAX];
	static char frame[GDB_FRAME_MAX];

	begin();
	gdb_put_hex(&writer, many, sizeof(many));
	ck_assert_uint_eq(writer.size, GDB_PACKET_MAX);
	gdb_put_number(&writer, 1);
	gdb_put_text(&writer, "x");
	ck_assert_uint_eq(gdb_frame(&writer, frame), GDB_FRAME_MAX);
	writer.size = 1;
	ck_assert_uint_eq(gdb_put_binary(&writer, many, sizeof(many)),
			  GDB_PACKET_MAX - 1);
	writer.size = GDB_PACKET_MAX - 1;
	ck_assert_uint_eq(gdb_put_binary(&writer, "#", 1), 0);
}

/* Binary data is read back as it was written. */
static void goes_round(uint64_t *random)
{
	static char frame[GDB_FRAME_MAX], bytes[256];
	size_t i, size = xorshift(random) % sizeof(bytes);

	for (i = 0; i < size; i++)
		bytes[i] = (char)xorshift(random);
	writer.size = 0;
	ck_assert_uint_eq(gdb_put_binary(&writer, bytes, size), size);
	ck_assert_int_eq(read_bytes(frame, gdb_frame(&writer, frame)),
			 GDB_PACKET);
	ck_assert_uint_eq(reader.size, size);
	ck_assert_mem_eq(reader.packet, bytes, size);
}

START_TEST(random_packets_go_round)
{
	uint64_t random = xorshift_seed(1);
	int i;

	begin();
	for (i = 0; i < 1000; i++)
		goes_round(&random);
}

/* Parse the packet with all functions, whatever it means. */
static void parse(void)
{
	struct gdb_text text = { reader.packet, reader.packet + reader.size };
	uint8_t bytes[8];
	uint64_t number;

	while (gdb_get_text(&text, "m") || gdb_get_number(&text, &number) ||
	       gdb_get_hex(&text, bytes, 1) || gdb_get_text(&text, ","))
		ck_assert(text.at <= text.end);
}

START_TEST(random_bytes_do_no_harm)
{
	/* Bytes with a meaning are frequent. */
	static const char known[] = "$$##}+-\3m0,fF";
	uint64_t random = xorshift_seed(2);
	unsigned int i, seen[GDB_FOREIGN + 1] = { 0 };
	uint64_t choice;
	uint8_t byte;
	enum gdb_event event;

	begin();
	for (i = 0; i < RANDOM_BYTES; i++) {
		choice = xorshift(&random);
		byte = (uint8_t)choice;
		if (choice & 0x300)
			byte = known[(choice >> 16) % 13];
		event = gdb_reader_take(&reader, byte);
		seen[event]++;
		if (event == GDB_PACKET)
			parse();
	}
	for (i = 0; i <= GDB_FOREIGN; i++)
		ck_assert_uint_ne(seen[i], 0);
}

static const TTest **const tests[] = {
	&packet_is_taken_out_of_its_frame,
	&wrong_sum_is_broken,
	&bytes_between_packets_are_for_themselves,
	&other_bytes_between_packets_are_foreign,
	&truncated_packet_is_dropped_for_the_next,
	&escapes_are_undone,
	&longest_packet_is_taken_and_no_longer_one,
	&numbers_have_up_to_16_digits,
	&texts_end_where_the_packet_does,
	&bytes_are_pairs_of_digits,
	&what_is_sent_has_frame_and_sum,
	&binary_is_escaped,
	&what_does_not_fit_is_left_out,
	&random_packets_go_round,
	&random_bytes_do_no_harm,
};

Suite *gdb_packet_suite(void)
{
	return suite_of("gdb_packet", tests, ARRAY_SIZE(tests));
}
