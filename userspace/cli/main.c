// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/message.h"
#include "common/status.h"
#include "lib/array_size.h"

static const struct command commands[] = {
	{ "info", "print the features of the processor and the module",
	  info_main },
	{ "run", "run a guest image until it halts", run_main },
	{ "resume", "resume a machine that was saved", resume_main },
	{ "dump", "write a machine that was saved as an ELF core", dump_main },
	{ "fuzz", "run inputs of afl-fuzz, or of files, in a guest",
	  fuzz_main },
};

static int print_usage(void)
{
	size_t i;

	puts("Usage: svmrun COMMAND [OPTION...] [ARGUMENT...]\n"
	     "       svmrun --help | --version\n"
	     "Run guest code on AMD processors with the VMRUN instruction.\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-6s %s\n", commands[i].name, commands[i].summary);
	puts("\n'svmrun COMMAND --help' explains options and exit statuses.");
	return STATUS_HALTED;
}

static int print_tool_version(void)
{
	puts("svmrun " VERSION_STRING);
	return STATUS_HALTED;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *word)
{
	return message_fail(STATUS_USAGE, "%s: unknown %s; see svmrun --help",
			    word, *word == '-' ? "option" : "command");
}

/*
 * Open standard files that are closed. Otherwise the next file to be opened would get the
 * number of standard output, and the guest's output would go there. Each is opened for
 * the wrong direction, so that its use still fails.
 */
static void open_standard_files(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", wrong_way[fd]);
}

/*
 * Write JSON as whole lines. With a buffer of its own, stderr is not examined (fstat())
 * before the first message.
 */
static void buffer_messages(void)
{
	static char buffer[BUFSIZ];

	setvbuf(stderr, buffer, _IOLBF, sizeof(buffer));
}

int main(int argc, char **argv)
{
	const struct command *command;

	open_standard_files();
	/*
	 * Find out whether the terminal has UTF-8; the format of numbers stays the same.
	 */
	setlocale(LC_CTYPE, "");
	buffer_messages();
	if (argc < 2)
		return message_fail(STATUS_USAGE,
				    "no command given; see svmrun --help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))
		return print_usage();
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return print_tool_version();
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	message_set_command(command->name);
	return command->main(argc - 1, argv + 1);
}
