/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands */
#ifndef COMMAND_H
#define COMMAND_H

/**
 * struct command - a subcommand
 * @name: its name on the command line
 * @summary: one line for --help
 * @main: carry out the subcommand, and return the exit status; argv[0] is @name
 */
struct command {
	const char *name;
	const char *summary;
	int (*main)(int argc, char **argv);
};

int info_main(int argc, char **argv);
int run_main(int argc, char **argv);
int resume_main(int argc, char **argv);
int dump_main(int argc, char **argv);
int fuzz_main(int argc, char **argv);

#endif /* COMMAND_H */
