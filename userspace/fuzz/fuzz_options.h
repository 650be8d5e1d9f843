/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of svmrun fuzz */
#ifndef FUZZ_OPTIONS_H
#define FUZZ_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/run_options.h"

#define FUZZ_CRASHES 32
#define FUZZ_MAP_MAX (1ull << 23) /* bytes, as AFL++'s old greeting permits */
#define FUZZ_MAP_DEFAULT (1ull << 16)

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
};

#endif /* FUZZ_OPTIONS_H */
