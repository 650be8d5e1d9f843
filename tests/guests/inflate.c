// SPDX-License-Identifier: GPL-2.0
/*
 * Decompress gzip files (RFC 1951, RFC 1952), for userspace/examples/call.c.
 * Invalid input cannot harm anything outside this guest: it reports the first error
 * and is discarded.
 */
#include "serve.h"

#define ROOM (256u << 10)
#define MOST (1024u << 10) /* bytes of an answer */
#define LONGEST 15 /* bits of a code */
#define LITERALS 288
#define DISTANCES 30
#define END 256

enum wrong {
	WRONG_HEADER = 1,
	WRONG_BLOCK,
	WRONG_CODE,
	WRONG_DISTANCE,
	WRONG_END, /* premature end of the input */
	WRONG_SIZE, /* larger than the buffer */
	WRONG_CHECK,
};

/* gzip's flags (RFC 1952, 2.3.1) */
#define FLAG_CRC (1u << 1)
#define FLAG_EXTRA (1u << 2)
#define FLAG_NAME (1u << 3)
#define FLAG_COMMENT (1u << 4)

/*
 * A Huffman code (RFC 1951, 3.2.2): codes of the same length are consecutive
 * numbers below @end, and symbols are in the order of their codes.
 */
struct code {
	uint16_t end[LONGEST + 1];
	int16_t first[LONGEST + 1]; /* in @symbol, minus the first code */
	uint16_t symbol[LITERALS];
};

static uint8_t input[ROOM], output[MOST];
static size_t length, at, size;
static uint32_t bits;
static unsigned int bit_count;
static struct code literals, distances;
static uint32_t crc_table[256];

static void __attribute__((noreturn)) fail(enum wrong wrong)
{
	serve_done(wrong, NULL, 0);
}

/* ---- input --------------------------------------------------------------- */

static uint8_t take_byte(void)
{
	if (at == length)
		fail(WRONG_END);
	return input[at++];
}

static uint32_t take_bits(unsigned int count)
{
	uint32_t value;

	for (; bit_count < count; bit_count += 8)
		bits |= (uint32_t)take_byte() << bit_count;
	value = bits & ((1u << count) - 1);
	bits >>= count;
	bit_count -= count;
	return value;
}

static uint32_t take_number(unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint32_t)take_byte() << 8 * i;
	return value;
}

/* ---- output -------------------------------------------------------------- */

static void put(uint8_t byte)
{
	if (size == MOST)
		fail(WRONG_SIZE);
	output[size++] = byte;
}

static void repeat(size_t distance, unsigned int count)
{
	if (distance > size)
		fail(WRONG_DISTANCE);
	for (; count; count--)
		put(output[size - distance]);
}

/* ---- codes --------------------------------------------------------------- */

static void code_build(struct code *code, const uint8_t *lengths,
		       unsigned int symbols)
{
	uint16_t count[LONGEST + 1] = { 0 }, next[LONGEST + 1];
	unsigned int first = 0, before = 0;

	for (unsigned int i = 0; i < symbols; i++)
		count[lengths[i]]++;
	for (int n = 1; n <= LONGEST; n++) {
		code->end[n] = first + count[n];
		code->first[n] = before - first;
		if (code->end[n] > 1u << n)
			fail(WRONG_CODE);
		next[n] = before;
		before += count[n];
		first = (first + count[n]) << 1;
	}
	for (unsigned int i = 0; i < symbols; i++)
		if (lengths[i])
			code->symbol[next[lengths[i]]++] = i;
}

static unsigned int take_symbol(const struct code *code)
{
	unsigned int value = 0;

	for (int n = 1; n <= LONGEST; n++) {
		value = value << 1 | take_bits(1);
		if (value < code->end[n])
			return code->symbol[code->first[n] + (int)value];
	}
	fail(WRONG_CODE);
}

/* Build the fixed codes (RFC 1951, 3.2.6). */
static void build_fixed(void)
{
	uint8_t lengths[LITERALS];

	for (int i = 0; i < LITERALS; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	code_build(&literals, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	code_build(&distances, lengths, DISTANCES);
}

/* Read one length, or a repeated one (RFC 1951, 3.2.7). */
static unsigned int take_lengths(const struct code *code, uint8_t *lengths,
				 unsigned int number, unsigned int most)
{
	unsigned int symbol = take_symbol(code), times = 1;
	uint8_t value = symbol < 16 ? symbol : 0;

	if (symbol == 16) {
		if (!number)
			fail(WRONG_CODE);
		value = lengths[number - 1];
		times = 3 + take_bits(2);
	} else if (symbol == 17) {
		times = 3 + take_bits(3);
	} else if (symbol == 18) {
		times = 11 + take_bits(7);
	}
	if (times > most - number)
		fail(WRONG_CODE);
	memset(lengths + number, value, times);
	return number + times;
}

static void build_dynamic(void)
{
	static const uint8_t order[19] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					   11, 4,  12, 3, 13, 2, 14, 1, 15 };
	uint8_t lengths[LITERALS + 32] = { 0 };
	unsigned int literal_count = take_bits(5) + 257;
	unsigned int distance_count = take_bits(5) + 1;
	unsigned int own = take_bits(4) + 4, number = 0;

	if (literal_count > LITERALS - 2 || distance_count > DISTANCES)
		fail(WRONG_CODE);
	for (unsigned int i = 0; i < own; i++)
		lengths[order[i]] = take_bits(3);
	code_build(&literals, lengths, 19);
	memset(lengths, 0, sizeof(lengths));
	while (number < literal_count + distance_count)
		number = take_lengths(&literals, lengths, number,
				      literal_count + distance_count);
	code_build(&distances, lengths + literal_count, distance_count);
	code_build(&literals, lengths, literal_count);
}

/* ---- blocks -------------------------------------------------------------- */

/* RFC 1951, 3.2.5: the tables there follow a rule, except for length 258 */
static unsigned int take_length(unsigned int symbol)
{
	unsigned int extra;

	if (symbol < 265)
		return symbol - 254;
	if (symbol == 285)
		return 258;
	if (symbol > 285)
		fail(WRONG_CODE);
	extra = (symbol - 261) / 4;
	return ((((symbol - 257) & 3) + 4) << extra) + 3 + take_bits(extra);
}

static size_t take_distance(void)
{
	unsigned int symbol = take_symbol(&distances), extra;

	if (symbol < 4)
		return symbol + 1;
	extra = symbol / 2 - 1;
	return ((2 + (symbol & 1)) << extra) + 1 + take_bits(extra);
}

static void inflate_coded(void)
{
	unsigned int symbol, count;

	while ((symbol = take_symbol(&literals)) != END) {
		if (symbol < END) {
			put(symbol);
			continue;
		}
		count = take_length(symbol);
		repeat(take_distance(), count);
	}
}

static void inflate_stored(void)
{
	uint32_t count;

	bit_count = 0;
	bits = 0;
	count = take_number(2);
	if ((count ^ take_number(2)) != 0xffff)
		fail(WRONG_BLOCK);
	for (; count; count--)
		put(take_byte());
}

static void inflate(void)
{
	uint32_t last;

	do {
		last = take_bits(1);
		switch (take_bits(2)) {
		case 0:
			inflate_stored();
			break;
		case 1:
			build_fixed();
			inflate_coded();
			break;
		case 2:
			build_dynamic();
			inflate_coded();
			break;
		default:
			fail(WRONG_BLOCK);
		}
	} while (!last);
}

/* ---- file ---------------------------------------------------------------- */

static void skip_text(void)
{
	while (take_byte())
		;
}

static void take_header(void)
{
	uint8_t flags;

	/* gzip's signature, and deflate, its only method */
	if (take_number(3) != 0x088b1f)
		fail(WRONG_HEADER);
	flags = take_byte();
	take_number(4); /* modification time */
	take_number(2); /* extra flags, and operating system */
	if (flags & FLAG_EXTRA)
		for (uint32_t count = take_number(2); count; count--)
			take_byte();
	if (flags & FLAG_NAME)
		skip_text();
	if (flags & FLAG_COMMENT)
		skip_text();
	if (flags & FLAG_CRC)
		take_number(2);
}

/* Build the CRC table (RFC 1952, 8). */
static void build_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
		crc_table[i] = value;
	}
}

static uint32_t crc(void)
{
	uint32_t value = ~0u;

	for (size_t i = 0; i < size; i++)
		value = crc_table[(value ^ output[i]) & 0xff] ^ value >> 8;
	return ~value;
}

/* The table is built before the snapshot, so that no clone has to do it. */
int main(void)
{
	build_crc_table();
	length = serve_wait(input, sizeof(input), NULL, 0);
	take_header();
	inflate();
	if (take_number(4) != crc() || take_number(4) != size)
		fail(WRONG_CHECK);
	serve_done(0, output, size);
}
