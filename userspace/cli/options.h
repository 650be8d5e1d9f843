/* SPDX-License-Identifier: GPL-2.0 */
/* The command lines of the subcommands */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "fuzz/fuzz_options.h"
#include "vmm/run_options.h"

/**
 * struct info_options - the command line of svmrun info
 * @json: print JSON
 */
struct info_options {
	bool json;
};

/**
 * struct dump_options - the command line of svmrun dump
 * @file: the saved machine
 * @core: the file for the core
 */
struct dump_options {
	const char *file;
	const char *core;
};

/* Return 0, or the exit status after a message. --help and --version do not return. */
int options_parse_run(struct run_options *options, int argc, char **argv);
int options_parse_resume(struct run_options *options, int argc, char **argv);
int options_parse_dump(struct dump_options *options, int argc, char **argv);
int options_parse_fuzz(struct fuzz_options *options, int argc, char **argv);
int options_parse_info(struct info_options *options, int argc, char **argv);

#endif /* OPTIONS_H */
