// SPDX-License-Identifier: GPL-2.0
/*
 * A target of svmrun fuzz: zlib's inflate() with inflateGetHeader(), for a gzip file that
 * arrives in pieces, as one that is read from a pipe. Output is discarded.
 */
#define SVMRUN_GUEST_COVERAGE
#include <svmrun_guest.h>

#include <zlib.h>

#include "../../guests/guest.h"
#include "arena.h"

#define WINDOW_BITS 15
#define GZIP 16 /* added to the window's bits: only this format */
#define PIECE_SIZE 64
#define OUTPUT_SIZE 4096
#define FIELD_SIZE 32 /* of each field of the header */

/* Bytes of output after which a run ends: a small input can have a thousand times its size. */
#define OUTPUT_MAX (1 << 20)

static z_stream stream;
static gz_header header;
static uint8_t *piece, *output; /* each ends where memory ends */

static int is_complete(void)
{
	return piece && output && header.extra && header.name && header.comment;
}

static int begin_stream(void)
{
	piece = malloc(PIECE_SIZE);
	output = malloc(OUTPUT_SIZE);
	header.extra = malloc(FIELD_SIZE);
	header.extra_max = FIELD_SIZE;
	header.name = malloc(FIELD_SIZE);
	header.name_max = FIELD_SIZE;
	header.comment = malloc(FIELD_SIZE);
	header.comm_max = FIELD_SIZE;
	if (!is_complete() || inflateInit2(&stream, WINDOW_BITS + GZIP) != Z_OK)
		return -1;
	return inflateGetHeader(&stream, &header) == Z_OK ? 0 : -1;
}

/* A piece that is shorter ends where the others do. */
static int inflate_piece(const uint8_t *bytes, size_t length)
{
	int ret;

	stream.next_in = memcpy(piece + PIECE_SIZE - length, bytes, length);
	stream.avail_in = length;
	do {
		stream.next_out = output;
		stream.avail_out = OUTPUT_SIZE;
		ret = inflate(&stream, Z_NO_FLUSH);
	} while (ret == Z_OK && !stream.avail_out &&
		 stream.total_out < OUTPUT_MAX);
	/* The output just fitted, and there is no more. */
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

/* Return 0 after the end of the gzip file, otherwise 1. */
static int inflate_file(const uint8_t *bytes, size_t length)
{
	int ret = Z_OK;
	size_t size;

	for (; ret == Z_OK && length; bytes += size, length -= size) {
		size = length < PIECE_SIZE ? length : PIECE_SIZE;
		ret = inflate_piece(bytes, size);
		if (stream.total_out >= OUTPUT_MAX)
			break;
	}
	inflateEnd(&stream);
	return ret != Z_STREAM_END;
}

int main(void)
{
	struct svmrun_guest_areas areas;
	long length;

	if (arena_init() || begin_stream())
		return 1;
	svmrun_guest_find(&areas);
	svmrun_guest_map = (uint8_t *)areas.map;
	svmrun_guest_map_size = areas.map_size;
	length = svmrun_guest_ready(NULL, 0);
	svmrun_guest_done(inflate_file((const uint8_t *)areas.input, length));
}
