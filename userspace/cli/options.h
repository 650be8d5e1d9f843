/* SPDX-License-Identifier: GPL-2.0 */
/* The command lines of the subcommands. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum format { FORMAT_AUTO, FORMAT_FLAT, FORMAT_ELF };
enum mode { MODE_AUTO, MODE_REAL, MODE_PROTECTED, MODE_LONG };

/**
 * struct run_options - the command line of svmrun run
 * @image: file name
 * @format: what it is
 * @mode: the processor's mode that it begins in
 * @memory: bytes of guest memory
 * @load: where a flat image goes, if @has_load
 * @entry: where it begins, if @has_entry
 * @has_load: --load was given
 * @has_entry: --entry was given
 * @timeout: seconds, 0 for none
 * @stats: the table of exits
 * @trace: a line an exit
 * @json: all that goes to stderr as JSON
 */
struct run_options {
	const char *image;
	enum format format;
	enum mode mode;
	uint64_t memory;
	uint64_t load;
	uint64_t entry;
	bool has_load;
	bool has_entry;
	double timeout;
	bool stats;
	bool trace;
	bool json;
};

struct info_options {
	bool json;
};

/*
 * Both give 0, or the exit status after a message. --help and --version do not
 * return.
 */
int options_parse_run(struct run_options *options, int argc, char **argv);
int options_parse_info(struct info_options *options, int argc, char **argv);

#endif /* OPTIONS_H */
