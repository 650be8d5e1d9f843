/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the guest shares with the fuzzer: the map of executed code, and the input.
 * Under afl-fuzz both are its own System V shared memory, otherwise memory of this process.
 */
#ifndef AREA_H
#define AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

/* Where the guest finds them: devices have no registers there */
#define AREA_MAP_GPA 0xe0000000ull
#define AREA_INPUT_GPA 0xe8000000ull
#define AREA_INPUT_MAX (1ull << 20) /* bytes of an input; MAX_FILE of AFL++ */

/**
 * struct area - shared memory
 * @memory: the memory and its guest physical address; whole pages
 * @is_shared: it is System V shared memory
 * @used: length of the input as of area_clear_rest()
 */
struct area {
	struct svmrun_memory memory;
	bool is_shared;
	size_t used;
};

/**
 * struct test_case - the input, in the layout of AFL++'s shared memory
 * @length: bytes
 * @bytes: the input
 */
struct test_case {
	uint32_t length;
	uint8_t bytes[];
};

/*
 * Create the area of @size bytes at a guest physical address. @variable: environment
 * variable with the ID of shared memory to use instead, which may have another size. Return
 * 0 or a negative errno.
 */
int area_open(struct area *area, uint64_t gpa, size_t size,
	      const char *variable);
void area_close(struct area *area);

/* Map it in a VM. Return 0 or a negative errno. */
int area_map(const struct area *area, struct svmrun_vm *vm, bool writable);

/* Return the input of an area, its length, and the most bytes that it has room for. */
struct test_case *area_input(const struct area *area);
size_t area_input_length(const struct area *area);
size_t area_input_room(const struct area *area);

/*
 * Set the bytes after the input to 0, which are those of the input before. Otherwise a guest
 * that reads beyond the end would not do the same each time.
 */
void area_clear_rest(struct area *area);

/* Read an input from a file, NULL for standard input. Return 0 or a negative errno. */
int area_read_input(struct area *area, const char *file);

#endif /* AREA_H */
