/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMAND_H
#define COMMAND_H

/**
 * struct command - a subcommand
 * @name: the word on the command line
 * @summary: a line for --help
 * @main: does it; argv[0] is @name; gives the exit status
 */
struct command {
	const char *name;
	const char *summary;
	int (*main)(int argc, char **argv);
};

int info_main(int argc, char **argv);
int run_main(int argc, char **argv);

#endif /* COMMAND_H */
