// SPDX-License-Identifier: LGPL-2.1-or-later
/* Records of the devices' state; numbers are little-endian, as on every AMD processor. */
#include <errno.h>
#include <string.h>

#include <svmrun/state.h>

/* Header of a record */
struct record {
	uint32_t id;
	uint32_t version;
	uint64_t size;
};
_Static_assert(sizeof(struct record) == SVMRUN_STATE_HEADER, "layout of files");

void svmrun_state_init(struct svmrun_state *state, void *bytes, size_t size)
{
	*state = (struct svmrun_state){ .bytes = bytes, .size = size };
}

static void fail_state(struct svmrun_state *state, int error)
{
	if (!state->error)
		state->error = error;
}

/* ---- writing ------------------------------------------------------------- */

void svmrun_state_put(struct svmrun_state *state, const void *from, size_t size)
{
	if (state->bytes && size > state->size - state->used)
		fail_state(state, -ENOSPC);
	if (state->error)
		return;
	if (state->bytes)
		memcpy(state->bytes + state->used, from, size);
	state->used += size;
}

/* The size is written by svmrun_state_end(). */
void svmrun_state_begin(struct svmrun_state *state, uint32_t id,
			uint32_t version)
{
	const struct record record = { .id = id, .version = version };

	state->id = id;
	svmrun_state_put(state, &record, sizeof(record));
	state->begin = state->used;
}

void svmrun_state_put_members(struct svmrun_state *state, const void *from,
			      const struct svmrun_state_member *members,
			      size_t count)
{
	const struct svmrun_state_member *end = members + count;
	const uint8_t *at;
	uint32_t i;

	for (; members < end; members++) {
		at = (const uint8_t *)from + members->offset;
		for (i = 0; i < members->count; i++, at += members->stride)
			svmrun_state_put(state, at, members->size);
	}
}

int svmrun_state_end(struct svmrun_state *state)
{
	const uint64_t size = state->used - state->begin;

	if (state->bytes && !state->error)
		memcpy(state->bytes + state->begin - sizeof(size), &size,
		       sizeof(size));
	return state->error;
}

/* ---- reading ------------------------------------------------------------- */

static bool record_is_valid(const struct svmrun_state *state, uint32_t id,
			    const struct record *record)
{
	return record->id == id && record->size <= state->size - state->used;
}

int svmrun_state_open(struct svmrun_state *state, uint32_t id, uint32_t version)
{
	struct record record;

	if (state->error)
		return state->error;
	state->id = id;
	state->end = state->size;
	svmrun_state_get(state, &record, sizeof(record));
	if (!record_is_valid(state, id, &record))
		fail_state(state, -EINVAL);
	else if (record.version != version)
		fail_state(state, -EOPNOTSUPP);
	else
		state->end = state->used + record.size;
	state->begin = state->used;
	return state->error;
}

uint32_t svmrun_state_next(const struct svmrun_state *state)
{
	struct record record;

	if (state->error || state->size - state->used < sizeof(record))
		return 0;
	memcpy(&record, state->bytes + state->used, sizeof(record));
	return record.id;
}

int svmrun_state_skip(struct svmrun_state *state)
{
	struct record record;

	state->id = svmrun_state_next(state);
	state->end = state->size;
	svmrun_state_get(state, &record, sizeof(record));
	if (!state->error && record_is_valid(state, record.id, &record))
		state->used += record.size;
	else
		fail_state(state, -EINVAL);
	return state->error;
}

size_t svmrun_state_left(const struct svmrun_state *state)
{
	return state->error ? 0 : state->end - state->used;
}

const void *svmrun_state_take(struct svmrun_state *state, size_t size)
{
	const uint8_t *at = state->bytes + state->used;

	if (size > state->end - state->used)
		fail_state(state, -EINVAL);
	if (state->error)
		return NULL;
	state->used += size;
	return at;
}

void svmrun_state_get(struct svmrun_state *state, void *to, size_t size)
{
	const void *from = svmrun_state_take(state, size);

	if (from)
		memcpy(to, from, size);
	else
		memset(to, 0, size);
}

/* A bool that has another value must not be read as one. */
static void get_bools(struct svmrun_state *state, uint8_t *to, size_t size)
{
	size_t i;

	svmrun_state_get(state, to, size);
	for (i = 0; i < size; i++) {
		if (to[i] > 1)
			fail_state(state, -EINVAL);
		to[i] &= 1;
	}
}

void svmrun_state_get_members(struct svmrun_state *state, void *to,
			      const struct svmrun_state_member *members,
			      size_t count)
{
	const struct svmrun_state_member *end = members + count;
	uint8_t *at;
	uint32_t i;

	for (; members < end; members++) {
		at = (uint8_t *)to + members->offset;
		for (i = 0; i < members->count; i++, at += members->stride)
			if (members->is_bool)
				get_bools(state, at, members->size);
			else
				svmrun_state_get(state, at, members->size);
	}
}

int svmrun_state_close(struct svmrun_state *state, bool valid)
{
	if (!valid || state->used != state->end)
		fail_state(state, -EINVAL);
	return state->error;
}
