/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of all members of a struct, each with what becomes of it when the struct is saved
 * and loaded. A list has to cover the struct: a member that is added, and not listed,
 * fails the test.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "xorshift.h"

/**
 * enum member_kind - what becomes of a member
 * @SAVED: it is saved and loaded
 * @DERIVED: it is computed from others when these are loaded, or has no meaning between
 *	two calls
 * @CONFIG: it is set by the initialization, and remains as it is
 */
enum member_kind { SAVED = 1, DERIVED, CONFIG };

/**
 * struct member - a member of a struct
 * @name: its name
 * @offset: its offset
 * @size: its size
 * @count: number of elements, if it is a member of the elements of an array
 * @stride: size of an element
 * @kind: what becomes of it
 * @first: its least value, if @values is not 0
 * @values: how many values it can have; 0 for all that fit
 */
struct member {
	const char *name;
	size_t offset;
	size_t size;
	size_t count;
	size_t stride;
	enum member_kind kind;
	uint64_t first;
	uint64_t values;
};

#define MEMBER_OF(type, name, kind, first, values)                             \
	{                                                                      \
#name, offsetof(type, name), sizeof(((type *)0)->name), 1, 0,  \
			kind, first, values                                    \
	}
#define ELEMENT_OF(type, array, name, kind, first, values)                     \
	{                                                                      \
#array "." #name, offsetof(type, array[0].name),               \
			sizeof(((type *)0)->array[0].name),                    \
			sizeof(((type *)0)->array) /                           \
				sizeof(((type *)0)->array[0]),                 \
			sizeof(((type *)0)->array[0]), kind, first, values     \
	}

/* Entries of a list; EACH_: a member of each element of an array */
#define MEMBER(type, name, kind) MEMBER_OF(type, name, kind, 0, 0)
#define VALUES(type, name, first, values)                                      \
	MEMBER_OF(type, name, SAVED, first, values)
#define BOOL(type, name) MEMBER_OF(type, name, SAVED, 0, 2)
#define EACH(type, array, name, kind) ELEMENT_OF(type, array, name, kind, 0, 0)
#define EACH_VALUES(type, array, name, first, values)                          \
	ELEMENT_OF(type, array, name, SAVED, first, values)
#define EACH_BOOL(type, array, name) ELEMENT_OF(type, array, name, SAVED, 0, 2)

/*
 * Padding that GCC 12 does not find: __builtin_clear_padding() confuses the offsets of
 * members behind an array of structs.
 */
#define PADDING(type, after, before)                                           \
	{                                                                      \
		"padding after " #after,                                       \
			offsetof(type, after) + sizeof(((type *)0)->after),    \
			offsetof(type, before) - offsetof(type, after) -       \
				sizeof(((type *)0)->after),                    \
			1, 0, DERIVED, 0, 0                                    \
	}

#define MEMBERS_MAX 0x20000 /* size of the largest struct */

/* Fill a map of the struct, in which each byte is the kind of its member. */
static inline void members_map(const struct member *members, size_t count,
			       uint8_t *map)
{
	size_t i, j, k;

	memset(map, 0, MEMBERS_MAX);
	for (i = 0; i < count; i++)
		for (j = 0; j < members[i].count; j++)
			for (k = 0; k < members[i].size; k++) {
				uint8_t *at = map + members[i].offset +
					      j * members[i].stride + k;

				if (*at)
					ck_abort_msg("%s is listed twice",
						     members[i].name);
				*at = members[i].kind;
			}
}

/*
 * Check that every byte of the struct is listed, except for padding. @used has a byte that
 * is not 0 for each byte that belongs to a member.
 */
static inline void members_cover(const char *name, const uint8_t *map,
				 const uint8_t *used, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (used[i] && !map[i])
			ck_abort_msg("%s: the member at offset %zu is not listed",
				     name, i);
}

/* Only the compiler knows where padding is. Others than GCC find nothing to cover. */
#if __has_builtin(__builtin_clear_padding)
#define MEMBERS_CLEAR_PADDING(type, used)                                      \
	__builtin_clear_padding((type *)(used))
#else
#define MEMBERS_CLEAR_PADDING(type, used) memset(used, 0, sizeof(type))
#endif
#define MEMBERS_USED(type, used)                                               \
	do {                                                                   \
		memset(used, 0xff, sizeof(type));                              \
		MEMBERS_CLEAR_PADDING(type, used);                             \
	} while (0)

/* Fill a member with a value that it can have. */
static inline void member_fill(const struct member *member, void *at,
			       uint64_t *seed)
{
	uint8_t *bytes = at;
	uint64_t value;
	size_t i;

	if (member->values) {
		value = member->first + xorshift(seed) % member->values;
		memcpy(at, &value, member->size);
		return;
	}
	for (i = 0; i < member->size; i++)
		bytes[i] = xorshift(seed);
}

/* Fill all members that are saved with random values. */
static inline void members_fill(const struct member *members, size_t count,
				void *object, uint64_t *seed)
{
	const struct member *end = members + count;
	size_t j;

	for (; members < end; members++)
		for (j = 0; members->kind == SAVED && j < members->count; j++)
			member_fill(members,
				    (char *)object + members->offset +
					    j * members->stride,
				    seed);
}

/* Check that @loaded has what was saved of @saved, and is otherwise as it was @before. */
static inline void members_compare(const uint8_t *map, const void *saved,
				   const void *loaded, const void *before,
				   size_t size)
{
	const uint8_t *from = saved, *to = loaded, *old = before;
	size_t i;

	for (i = 0; i < size; i++) {
		if (map[i] == SAVED && from[i] != to[i])
			ck_abort_msg("offset %zu was not loaded", i);
		if (map[i] == CONFIG && old[i] != to[i])
			ck_abort_msg("offset %zu was changed", i);
	}
}

#endif /* MEMBERS_H */
