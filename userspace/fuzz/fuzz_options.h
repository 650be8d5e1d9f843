/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of svmrun fuzz */
#ifndef FUZZ_OPTIONS_H
#define FUZZ_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/run_options.h"

#define FUZZ_CRASHES 32
#define FUZZ_ENDS 32
#define FUZZ_MAP_MAX (1ull << 23) /* bytes, as AFL++'s old greeting permits */
#define FUZZ_MAP_DEFAULT (1ull << 16)

/* Where the length of the input is written */
enum length_place { LENGTH_NOWHERE, LENGTH_IN_MEMORY, LENGTH_IN_REGISTER };

/**
 * struct fuzz_options - the command line of svmrun fuzz
 * @run: the options of the machine; @timeout is that of one input
 * @files: files with inputs
 * @file_count: how many
 * @crashes: exit codes that count as crashes
 * @crash_count: how many
 * @map_size: size of the map of executed code in bytes
 * @step: virtual address of code that is counted by single steps
 * @step_size: bytes of it, 0 for none
 * @insns: instructions of that code until a run is ended, 0 for no limit
 * @input: guest physical address to which inputs are written
 * @input_size: bytes of memory there, 0 for none
 * @length_place: where the length of the input is written
 * @length: the guest physical address or, as enum svmrun_gpr, the register
 * @start: virtual address of the instruction before which the snapshot is taken, if @has_start
 * @has_start: --start was given
 * @ends: virtual addresses of instructions at which a run ends
 * @end_count: how many
 * @break_file: file with the addresses of code that is counted by breakpoints, NULL for none
 */
struct fuzz_options {
	struct run_options run;
	char **files;
	size_t file_count;
	uint64_t crashes[FUZZ_CRASHES];
	size_t crash_count;
	uint64_t map_size;
	uint64_t step;
	uint64_t step_size;
	uint64_t insns;
	uint64_t input;
	uint64_t input_size;
	enum length_place length_place;
	uint64_t length;
	uint64_t start;
	bool has_start;
	uint64_t ends[FUZZ_ENDS];
	size_t end_count;
	const char *break_file;
};

#endif /* FUZZ_OPTIONS_H */
