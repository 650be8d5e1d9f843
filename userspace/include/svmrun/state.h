/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of devices as bytes, from which a machine can be resumed later or elsewhere.
 *
 * It is a sequence of records. Each begins with three little-endian numbers: its ID in 4
 * bytes, the version of its contents in 4, and their size in 8. The contents are the
 * members of a struct, without padding. There is no index: records are read in the order
 * in which they were written.
 *
 * What a device is connected to, such as lines, functions and memory, is not part of its
 * state. It is loaded into a device that has been initialized like the one that was saved.
 * Times are those of the owner's clock, which therefore has to continue from the time at
 * which the state was saved, or from a later one.
 *
 * Errors are kept: after one, the functions do nothing, and return it.
 */
#ifndef SVMRUN_STATE_H
#define SVMRUN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_STATE_HEADER 16 /* bytes before the contents of a record */

/* IDs of the records of devices and vCPUs; those from SVMRUN_STATE_OWNER on are for programs */
#define SVMRUN_STATE_PC 1
#define SVMRUN_STATE_UART 2
#define SVMRUN_STATE_PIC 3
#define SVMRUN_STATE_PIT 4
#define SVMRUN_STATE_RTC 5
#define SVMRUN_STATE_PM 6
#define SVMRUN_STATE_FWCFG 7
#define SVMRUN_STATE_PCI 8
#define SVMRUN_STATE_APICS 9
#define SVMRUN_STATE_LAPIC 10
#define SVMRUN_STATE_IOAPIC 11
#define SVMRUN_STATE_I8042 12
#define SVMRUN_STATE_VIRTIO 13
#define SVMRUN_STATE_BLOCK 14
#define SVMRUN_STATE_RNG 15
#define SVMRUN_STATE_TESTDEV 16
#define SVMRUN_STATE_VCPU 17
#define SVMRUN_STATE_NESTED 18
#define SVMRUN_STATE_OWNER 0x10000

/**
 * struct svmrun_state - a sequence of records that is being written or read
 * @bytes: the records; NULL to find out the size that they need
 * @size: bytes at @bytes
 * @used: how many of them have been written or read
 * @begin: where the contents of the present record begin
 * @end: where they end, when they are read
 * @id: ID of the present record, or of the one in which the error was found
 * @error: the first error, 0 or a negative errno
 * @reserved: zero
 */
struct svmrun_state {
	uint8_t *bytes;
	size_t size;
	size_t used;
	size_t begin;
	size_t end;
	uint32_t id;
	int error;
	uint64_t reserved[4];
};

/**
 * struct svmrun_state_member - a member of a struct that is part of its state
 * @offset: its offset in the struct, in bytes
 * @size: its size in bytes
 * @count: how often it occurs, if it is a member of the elements of an array; otherwise 1
 * @stride: size of such an element
 * @is_bool: it consists of bool
 *
 * It never grows.
 */
struct svmrun_state_member {
	uint32_t offset;
	uint32_t size;
	uint32_t count;
	uint32_t stride;
	bool is_bool;
};

/* Initializers: a member; one of bool; a member, and one of bool, of each element of @array */
#define SVMRUN_STATE_MEMBER(type, member)                                      \
	{                                                                      \
		offsetof(type, member), sizeof(((type *)0)->member), 1, 0,     \
			false                                                  \
	}
#define SVMRUN_STATE_BOOL(type, member)                                        \
	{                                                                      \
		offsetof(type, member), sizeof(((type *)0)->member), 1, 0,     \
			true                                                   \
	}
#define SVMRUN_STATE_EACH_OF(type, array, member, is_bool)                     \
	{                                                                      \
		offsetof(type, array[0].member),                               \
			sizeof(((type *)0)->array[0].member),                  \
			sizeof(((type *)0)->array) /                           \
				sizeof(((type *)0)->array[0]),                 \
			sizeof(((type *)0)->array[0]), is_bool                 \
	}
#define SVMRUN_STATE_EACH(type, array, member)                                 \
	SVMRUN_STATE_EACH_OF(type, array, member, false)
#define SVMRUN_STATE_EACH_BOOL(type, array, member)                            \
	SVMRUN_STATE_EACH_OF(type, array, member, true)

/**
 * svmrun_state_init() - begin to write or read records
 * @state: filled in
 * @bytes: where records are written, or the records to read; NULL to find out in @used how
 *	many bytes they need
 * @size: bytes at @bytes
 */
void svmrun_state_init(struct svmrun_state *state, void *bytes, size_t size);

/**
 * svmrun_state_begin() - begin to write a record
 * @state: the records
 * @id: ID of the record
 * @version: version of its contents
 */
void svmrun_state_begin(struct svmrun_state *state, uint32_t id,
			uint32_t version);

/**
 * svmrun_state_put() - write contents of a record
 * @state: the records
 * @from: the contents
 * @size: their size in bytes
 */
void svmrun_state_put(struct svmrun_state *state, const void *from,
		      size_t size);

/**
 * svmrun_state_put_members() - write members of a struct to a record
 * @state: the records
 * @from: the struct
 * @members: the members, in the order in which they are written
 * @count: number of @members
 */
void svmrun_state_put_members(struct svmrun_state *state, const void *from,
			      const struct svmrun_state_member *members,
			      size_t count);

/**
 * svmrun_state_end() - end the record that is being written
 * @state: the records
 *
 * Return: 0 or the first error; -ENOSPC: the records need more than @size bytes.
 */
int svmrun_state_end(struct svmrun_state *state);

/**
 * svmrun_state_open() - begin to read the next record
 * @state: the records
 * @id: ID that the record must have
 * @version: the version that it must have
 *
 * Return: 0 or the first error; -EINVAL: there is no record, it does not fit, or it has
 * another ID; -EOPNOTSUPP: it has another version.
 */
int svmrun_state_open(struct svmrun_state *state, uint32_t id,
		      uint32_t version);

/**
 * svmrun_state_next() - get the ID of the next record
 * @state: the records, between two of which it is
 *
 * Return: the ID; 0 after an error, or if there is no record or only a part of one.
 */
uint32_t svmrun_state_next(const struct svmrun_state *state);

/**
 * svmrun_state_skip() - go on to the record after the next one, whatever its version is
 * @state: the records, between two of which it is
 *
 * Return: 0 or the first error; -EINVAL: there is no record, or it does not fit.
 */
int svmrun_state_skip(struct svmrun_state *state);

/**
 * svmrun_state_get() - read contents of a record
 * @state: the records
 * @to: filled in; with zeros after an error
 * @size: bytes; -EINVAL is the error if the record has less
 */
void svmrun_state_get(struct svmrun_state *state, void *to, size_t size);

/**
 * svmrun_state_get_members() - read members of a struct from a record
 * @state: the records
 * @to: the struct; its members are set to zeros after an error
 * @members: the members, as they were written
 * @count: number of @members
 *
 * A member of bool that is neither 0 nor 1 is the error -EINVAL.
 */
void svmrun_state_get_members(struct svmrun_state *state, void *to,
			      const struct svmrun_state_member *members,
			      size_t count);

/**
 * svmrun_state_take() - read contents of a record in place
 * @state: the records
 * @size: bytes; -EINVAL is the error if the record has less
 *
 * Return: the contents, which are not aligned, or NULL after an error.
 */
const void *svmrun_state_take(struct svmrun_state *state, size_t size);

/**
 * svmrun_state_left() - get the size of what has not been read of a record
 * @state: the records
 *
 * Return: bytes; 0 after an error.
 */
size_t svmrun_state_left(const struct svmrun_state *state);

/**
 * svmrun_state_close() - end the record that is being read
 * @state: the records
 * @valid: its contents are values that they can have
 *
 * Return: 0 or the first error; -EINVAL: @valid is false, or the record has more contents.
 */
int svmrun_state_close(struct svmrun_state *state, bool valid);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_STATE_H */
