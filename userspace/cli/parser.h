/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the command lines that several subcommands have, as argp describes them */
#ifndef PARSER_H
#define PARSER_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/run_options.h"

#define MEMORY_DEFAULT (512ull << 20)
#define ARGP_OWN (ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT)

enum key {
	KEY_FORMAT = 0x100, /* not a character: there are only long options */
	KEY_MODE,
	KEY_MEMORY,
	KEY_CPUS,
	KEY_INITRD,
	KEY_APPEND,
	KEY_MODULE,
	KEY_DISK,
	KEY_RNG,
	KEY_CPU,
	KEY_HYPERVISOR,
	KEY_CPUID,
	KEY_MSR,
	KEY_ON_RESET,
	KEY_SAVE,
	KEY_ON_SAVE,
	KEY_CLOCK,
	KEY_CLONES,
	KEY_SANDBOX,
	KEY_LOAD,
	KEY_ENTRY,
	KEY_TIMEOUT,
	KEY_CRASH,
	KEY_MAP_SIZE,
	KEY_STEP,
	KEY_INPUT,
	KEY_START,
	KEY_END,
	KEY_BREAK,
	KEY_TIMEOUT_INSNS,
	KEY_GDB,
	KEY_TESTDEV,
	KEY_NESTED,
	KEY_EXPLAIN,
	KEY_STATS,
	KEY_TOP,
	KEY_TRACE,
	KEY_JSON,
	KEY_HELP,
	KEY_VERSION,
};

#define OPTION_HELP                                                            \
	{                                                                      \
		"help", KEY_HELP, NULL, 0, "Print this help and exit", -1      \
	}
#define OPTION_VERSION                                                         \
	{                                                                      \
		"version", KEY_VERSION, NULL, 0, "Print the version and exit", \
			-1                                                     \
	}

#define GROUP(title, number)                                                   \
	{                                                                      \
		NULL, 0, NULL, 0, title, number                                \
	}

/* Options that several subcommands have */
#define IMAGE_OPTIONS(group)                                                                                                            \
	GROUP("Image:", group),                                                                                                         \
		{ "format",                                                                                                             \
		  KEY_FORMAT,                                                                                                           \
		  "FORMAT",                                                                                                             \
		  0,                                                                                                                    \
		  "Format of the image: auto, flat, elf, linux, multiboot or firmware; auto, the default, detects all except firmware", \
		  group },                                                                                                              \
		{ "mode",                                                                                                               \
		  KEY_MODE,                                                                                                             \
		  "MODE",                                                                                                               \
		  0,                                                                                                                    \
		  "Mode at the entry point: real, protected or long; by default long for ELF, otherwise real",                          \
		  group },                                                                                                              \
		{ "load",                                                                                                               \
		  KEY_LOAD,                                                                                                             \
		  "ADDR",                                                                                                               \
		  0,                                                                                                                    \
		  "Load address of a flat image; by default 0x7c00 in real mode, otherwise 0x100000",                                   \
		  group },                                                                                                              \
		{ "entry",                                                                                                              \
		  KEY_ENTRY,                                                                                                            \
		  "ADDR",                                                                                                               \
		  0,                                                                                                                    \
		  "Entry point; by default that of the ELF file, or the load address of a flat image",                                  \
		  group },                                                                                                              \
		{ "initrd", KEY_INITRD, "FILE", 0, "Initial RAM disk for Linux",                                                        \
		  group },                                                                                                              \
		{ "append",                                                                                                             \
		  KEY_APPEND,                                                                                                           \
		  "TEXT",                                                                                                               \
		  0,                                                                                                                    \
		  "Command line for a Linux or multiboot kernel",                                                                       \
		  group },                                                                                                              \
	{                                                                                                                               \
		"module", KEY_MODULE, "FILE[=TEXT]", 0,                                                                                 \
			"Module for a multiboot kernel, with its command line; may be repeated",                                        \
			group                                                                                                           \
	}
#define MEMORY_OPTION(group)                                                            \
	{                                                                               \
		"mem", KEY_MEMORY, "SIZE", 0,                                           \
			"Size of guest memory, with suffix K, M or G; 512M by default", \
			group                                                           \
	}

#define SANDBOX_OPTION(group)                                                                                        \
	{                                                                                                            \
		"sandbox", KEY_SANDBOX, "on|off", 0,                                                                 \
			"Give up files, programs, sockets and other processes before the guest runs; on by default", \
			group                                                                                        \
	}

/**
 * struct parse - state of the parser
 * @argp: the subcommand's description for argp
 * @command: its name
 * @options: the options, to be filled in
 * @reported: an error has been reported
 */
struct parse {
	const struct argp *argp;
	const char *command;
	void *options;
	bool reported;
};

/* The functions return 0, the exit status after a message, or ARGP_ERR_UNKNOWN. */

/* Parse an option of the machine, or its image. */
int parser_run_value(int key, const char *value, struct run_options *options);

/* Parse --help, --version, and an option that getopt has refused. */
error_t parser_common_key(int key, const struct argp_state *state);

/* Parse the value of an option that is an address, and set @given. */
int parser_address(const char *option, const char *value, uint64_t *address,
		   bool *given);

/* Report that no image is given. */
int parser_no_image(const struct parse *parse);

/* Report an option that has been given more than @most times. */
int parser_too_many(const char *option, const char *value, int most);

#endif /* PARSER_H */
