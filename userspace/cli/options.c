// SPDX-License-Identifier: GPL-2.0
/*
 * argp parses the command line. Its own messages have two lines, so that they are
 * switched off, and help and errors are handled here.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "common/message.h"
#include "common/number.h"
#include "common/status.h"
#include "cpuid_option.h"
#include "gdb/gdb.h"
#include "lib/x86.h"
#include "options.h"
#include "parser.h"

struct word {
	const char *name;
	int value;
};

static const struct word formats[] = { { "auto", FORMAT_AUTO },
				       { "flat", FORMAT_FLAT },
				       { "elf", FORMAT_ELF },
				       { "linux", FORMAT_LINUX },
				       { "multiboot", FORMAT_MULTIBOOT },
				       { "firmware", FORMAT_FIRMWARE },
				       { 0 } };

static const struct word modes[] = { { "real", MODE_REAL },
				     { "protected", MODE_PROTECTED },
				     { "long", MODE_LONG },
				     { 0 } };

static const struct word rng_words[] = { { "on", RNG_ON },
					 { "off", RNG_OFF },
					 { 0 } };

static const struct word cpu_models[] = { { "host", CPU_HOST },
					  { "minimal", CPU_MINIMAL },
					  { 0 } };

static const struct word hypervisors[] = { { "kvm", HYPERVISOR_KVM },
					   { "svmrun", HYPERVISOR_SVMRUN },
					   { "none", HYPERVISOR_NONE },
					   { 0 } };

static const struct word msr_policies[] = { { "fault", MSR_FAULT },
					    { "ignore", MSR_IGNORE },
					    { 0 } };

static const struct word reset_policies[] = { { "exit", ON_RESET_EXIT },
					      { "restart", ON_RESET_RESTART },
					      { 0 } };

static const struct word save_policies[] = { { "continue", ON_SAVE_CONTINUE },
					     { "exit", ON_SAVE_EXIT },
					     { 0 } };

static const struct word clock_policies[] = { { "stop", CLOCK_STOP },
					      { "continue", CLOCK_CONTINUE },
					      { 0 } };

static const struct word sandbox_words[] = { { "on", SANDBOX_ON },
					     { "off", SANDBOX_OFF },
					     { 0 } };

#define RUN_DOC                                                                \
	"Run a guest image until it halts. The guest's first serial port (0x3f8) is connected to standard input and output."
#define RESUME_DOC                                                             \
	"Resume a machine that svmrun run --save has saved. It has the same processors, memory and devices; its disks must not have changed."
#define DUMP_DOC                                                               \
	"Write the memory and the registers of a machine that svmrun run --save has saved to an ELF core, for gdb and crash."
#define INFO_DOC "Print the features of the processor and the module."

#define SAVE_OPTIONS(group)                                                                \
	{ "save",                                                                          \
	  KEY_SAVE,                                                                        \
	  "FILE",                                                                          \
	  0,                                                                               \
	  "Save the machine to a file on SIGUSR2, or when Ctrl-A w is typed",              \
	  group },                                                                         \
	{                                                                                  \
		"on-save", KEY_ON_SAVE, "ACTION", 0,                                       \
			"When the machine has been saved: continue, the default, or exit", \
			group                                                              \
	}
#define OUTPUT_OPTIONS(group)                                                                                   \
	{ "stats",                                                                                              \
	  KEY_STATS,                                                                                            \
	  NULL,                                                                                                 \
	  0,                                                                                                    \
	  "Print a table of exits to standard error at the end",                                                \
	  group },                                                                                              \
		{ "top",                                                                                        \
		  KEY_TOP,                                                                                      \
		  NULL,                                                                                         \
		  0,                                                                                            \
		  "Print the table to standard error every second",                                             \
		  group },                                                                                      \
	{                                                                                                       \
		"json", KEY_JSON, NULL, 0,                                                                      \
			"Print the result, --stats and --trace as JSON to standard error, one object per line", \
			group                                                                                   \
	}
#define LIMIT_OPTIONS(group)                                                   \
	{ "timeout",                                                           \
	  KEY_TIMEOUT,                                                         \
	  "SECONDS",                                                           \
	  0,                                                                   \
	  "End the run after this time; may have a fraction",                  \
	  group },                                                             \
		SANDBOX_OPTION(group)

static const struct argp_option run_table[] = {
	IMAGE_OPTIONS(1),
	GROUP("Machine:", 2),
	MEMORY_OPTION(2),
	{ "cpus", KEY_CPUS, "N", 0, "Number of processors, 1 by default", 2 },
	{ "on-reset", KEY_ON_RESET, "ACTION", 0,
	  "When the guest resets the machine, or after a triple fault: exit, the default, or restart",
	  2 },
	SAVE_OPTIONS(2),
	GROUP("Processor:", 3),
	{ "cpu", KEY_CPU, "MODEL", 0,
	  "Features of the processor: host, the default, or minimal, those of every 64-bit processor",
	  3 },
	{ "hypervisor", KEY_HYPERVISOR, "WORD", 0,
	  "Interfaces of a hypervisor that the guest finds: kvm, the default, is KVM's clock; svmrun, only the name and frequencies; or none",
	  3 },
	{ "cpuid", KEY_CPUID, "LEAF[.SUBLEAF]=EAX,EBX,ECX,EDX", 0,
	  "Change the result of CPUID; registers that are left out stay unchanged; may be repeated",
	  3 },
	{ "msr", KEY_MSR, "WORD", 0,
	  "Access to an MSR that the guest does not have: fault, the default, or ignore",
	  3 },
	{ "nested", KEY_NESTED, NULL, 0,
	  "Give the guest SVM, so that it can be a hypervisor", 3 },
	GROUP("Devices:", 4),
	{ "disk", KEY_DISK, "FILE[,WORD]", 0,
	  "File or block device that is a disk of the guest; read-only with ro; with format=raw even if it is an image of a format such as qcow2; may be repeated",
	  4 },
	{ "rng", KEY_RNG, "on|off", 0,
	  "Random numbers for the guest, as a device and as a seed for Linux; on by default",
	  4 },
	{ "testdev", KEY_TESTDEV, NULL, 0,
	  "Add the device that QEMU calls pc-testdev, for kvm-unit-tests and similar programs",
	  4 },
	GROUP("Output:", 5),
	OUTPUT_OPTIONS(5),
	GROUP("Debugging:", 6),
	{ "gdb", KEY_GDB, "unix:PATH|[ADDRESS:]PORT", 0,
	  "Wait for gdb; connect with: target remote PATH, or target remote :PORT",
	  6 },
	{ "explain", KEY_EXPLAIN, NULL, 0,
	  "With --nested: print the rules that are broken when the guest's VMRUN is refused",
	  6 },
	{ "trace", KEY_TRACE, NULL, 0,
	  "Print one line per exit to standard error", 6 },
	GROUP("Limits:", 7),
	LIMIT_OPTIONS(7),
	OPTION_HELP,
	OPTION_VERSION,
	{ 0 }
};

static const struct argp_option resume_table[] = {
	GROUP("Machine:", 1),
	{ "clock", KEY_CLOCK, "WORD", 0,
	  "Time since the machine was saved: stop, the default, so that the guest does not notice it; or continue, so that the time of day is right",
	  1 },
	{ "clones", KEY_CLONES, "N", 0,
	  "Resume the machine N times; they share the memory that none of them has written to",
	  1 },
	SAVE_OPTIONS(1),
	GROUP("Output:", 2),
	OUTPUT_OPTIONS(2),
	{ "explain", KEY_EXPLAIN, NULL, 0,
	  "If the machine was run with --nested: print the rules that are broken when the guest's VMRUN is refused",
	  2 },
	{ "trace", KEY_TRACE, NULL, 0,
	  "Print one line per exit to standard error", 2 },
	GROUP("Limits:", 3),
	LIMIT_OPTIONS(3),
	OPTION_HELP,
	OPTION_VERSION,
	{ 0 }
};

static const struct argp_option info_table[] = { { "json", KEY_JSON, NULL, 0,
						   "Print a JSON object", 0 },
						 OPTION_HELP,
						 OPTION_VERSION,
						 { 0 } };

static const struct argp_option dump_table[] = { OPTION_HELP,
						 OPTION_VERSION,
						 { 0 } };

static error_t parse_run_key(int key, char *value, struct argp_state *state);
static error_t parse_dump_key(int key, char *value, struct argp_state *state);
static error_t parse_info_key(int key, char *value, struct argp_state *state);

static const struct argp run_argp = {
	.options = run_table,
	.parser = parse_run_key,
	.args_doc = "IMAGE",
	.doc = RUN_DOC "\v" STATUS_HELP_RUN,
};

static const struct argp resume_argp = {
	.options = resume_table,
	.parser = parse_run_key,
	.args_doc = "FILE",
	.doc = RESUME_DOC "\v" STATUS_HELP_RUN,
};

static const struct argp dump_argp = {
	.options = dump_table,
	.parser = parse_dump_key,
	.args_doc = "FILE CORE",
	.doc = DUMP_DOC "\v" STATUS_HELP_DUMP,
};

static const struct argp info_argp = {
	.options = info_table,
	.parser = parse_info_key,
	.doc = INFO_DOC "\v" STATUS_HELP_INFO,
};

static void print_command_help(const struct parse *parse)
{
	char name[32];

	snprintf(name, sizeof(name), "svmrun %s", parse->command);
	argp_help(parse->argp, stdout,
		  ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
	exit(STATUS_HALTED);
}

static void print_command_version(void)
{
	puts("svmrun " VERSION_STRING);
	exit(STATUS_HALTED);
}

static bool needs_value(const struct argp_option *table, const char *argument)
{
	for (; table->name || table->doc; table++)
		if (table->arg && !strncmp(argument, "--", 2) &&
		    !strcmp(argument + 2, table->name))
			return true;
	return false;
}

/* Report an option that getopt has refused. Its argument is the one before @next. */
static void report_bad_option(const struct parse *parse,
			      const struct argp_state *state)
{
	const char *argument = state->argv[state->next - 1];

	if (needs_value(parse->argp->options, argument))
		message_fail(STATUS_USAGE,
			     "%s: needs a value; see svmrun %s --help",
			     argument, parse->command);
	else
		message_fail(STATUS_USAGE,
			     "%s: no such option, or it takes no value; see svmrun %s --help",
			     argument, parse->command);
}

static uint64_t host_memory(void)
{
	struct sysinfo host;

	sysinfo(&host);
	return (uint64_t)host.totalram * host.mem_unit;
}

static int parse_memory(const char *value, uint64_t *memory)
{
	uint64_t most = host_memory();

	if (!number_size(value, memory))
		return message_fail(STATUS_USAGE,
				    "--mem %s: must be a size, such as 64M",
				    value);
	if (!*memory || *memory % PAGE_SIZE)
		return message_fail(STATUS_USAGE,
				    "--mem %s: must be a multiple of 4096 bytes, and not 0",
				    value);
	if (*memory > most)
		return message_fail(STATUS_USAGE,
				    "--mem %s: more than the memory of this machine, %lluM",
				    value, (unsigned long long)most >> 20);
	return 0;
}

int parser_address(const char *option, const char *value, uint64_t *address,
		   bool *given)
{
	*given = true;
	if (number_address(value, address))
		return 0;
	return message_fail(STATUS_USAGE,
			    "%s %s: must be an address, such as 0x7c00", option,
			    value);
}

static int parse_timeout(const char *value, double *timeout)
{
	if (number_seconds(value, timeout))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--timeout %s: must be a number of seconds greater than 0, such as 1.5",
			    value);
}

static int parse_gdb(const char *value, struct run_options *options)
{
	if (!gdb_is_place(value))
		return message_fail(STATUS_USAGE,
				    "--gdb %s: must be a port, such as 1234, ADDRESS:PORT or unix:PATH",
				    value);
	options->gdb = value;
	return 0;
}

/* Options whose value is a word. It is stored as an int, the size of each enumeration. */
static const struct choice {
	int key;
	const char *option;
	const struct word *words;
	const char *noun;
	const char *values;
	size_t offset; /* in struct run_options */
} choices[] = {
	{ KEY_FORMAT, "--format", formats, "format",
	  "auto, flat, elf, linux, multiboot or firmware",
	  offsetof(struct run_options, format) },
	{ KEY_MODE, "--mode", modes, "mode", "real, protected or long",
	  offsetof(struct run_options, mode) },
	{ KEY_RNG, "--rng", rng_words, "value", "on or off",
	  offsetof(struct run_options, rng) },
	{ KEY_CPU, "--cpu", cpu_models, "model", "host or minimal",
	  offsetof(struct run_options, cpu) },
	{ KEY_HYPERVISOR, "--hypervisor", hypervisors, "hypervisor",
	  "kvm, svmrun or none", offsetof(struct run_options, hypervisor) },
	{ KEY_MSR, "--msr", msr_policies, "policy", "fault or ignore",
	  offsetof(struct run_options, msr) },
	{ KEY_ON_RESET, "--on-reset", reset_policies, "action",
	  "exit or restart", offsetof(struct run_options, on_reset) },
	{ KEY_ON_SAVE, "--on-save", save_policies, "action", "continue or exit",
	  offsetof(struct run_options, on_save) },
	{ KEY_CLOCK, "--clock", clock_policies, "policy", "stop or continue",
	  offsetof(struct run_options, clock) },
	{ KEY_SANDBOX, "--sandbox", sandbox_words, "value", "on or off",
	  offsetof(struct run_options, sandbox) },
};

static int parse_choice(int key, const char *value, struct run_options *options)
{
	const struct choice *choice;
	const struct word *word;

	for (choice = choices; choice->key != key; choice++)
		;
	for (word = choice->words; word->name; word++) {
		if (strcmp(word->name, value))
			continue;
		memcpy((char *)options + choice->offset, &word->value,
		       sizeof(word->value));
		return 0;
	}
	return message_fail(STATUS_USAGE, "%s %s: unknown %s; use %s",
			    choice->option, value, choice->noun,
			    choice->values);
}

static int parse_cpus(const char *value, struct run_options *options)
{
	uint64_t cpus;

	if (!number_address(value, &cpus) || !cpus || cpus > OPTIONS_CPUS)
		return message_fail(STATUS_USAGE,
				    "--cpus %s: must be a number from 1 to %d",
				    value, OPTIONS_CPUS);
	options->cpus = cpus;
	return 0;
}

static int parse_clones(const char *value, struct run_options *options)
{
	uint64_t clones;

	if (!number_address(value, &clones) || !clones ||
	    clones > OPTIONS_CLONES)
		return message_fail(STATUS_USAGE,
				    "--clones %s: must be a number from 1 to %d",
				    value, OPTIONS_CLONES);
	options->clones = clones;
	return 0;
}

int parser_too_many(const char *option, const char *value, int most)
{
	return message_fail(STATUS_USAGE,
			    "%s %s: the option may be given at most %d times",
			    option, value, most);
}

static int parse_module(const char *value, struct run_options *options)
{
	if (options->module_count == OPTIONS_MODULES)
		return parser_too_many("--module", value, OPTIONS_MODULES);
	options->modules[options->module_count++] = value;
	return 0;
}

static int parse_disk(const char *value, struct run_options *options)
{
	if (options->disk_count == OPTIONS_DISKS)
		return parser_too_many("--disk", value, OPTIONS_DISKS);
	options->disks[options->disk_count++] = value;
	return 0;
}

static int parse_cpuid(const char *value, struct run_options *options)
{
	if (options->cpuid_count == OPTIONS_CPUIDS)
		return parser_too_many("--cpuid", value, OPTIONS_CPUIDS);
	if (!cpuid_parse(value, &options->cpuid[options->cpuid_count]))
		return message_fail(STATUS_USAGE,
				    "--cpuid %s: must be a leaf and registers, such as 7.0=,0,0,0",
				    value);
	options->cpuid_count++;
	return 0;
}

static int parse_image(const char *value, struct run_options *options)
{
	if (options->image)
		return message_fail(STATUS_USAGE,
				    "%s: second image after %s; only one can be run",
				    value, options->image);
	options->image = value;
	return 0;
}

error_t parser_common_key(int key, const struct argp_state *state)
{
	const struct parse *parse = state->input;

	switch (key) {
	case KEY_HELP:
		print_command_help(parse);
		return 0;
	case KEY_VERSION:
		print_command_version();
		return 0;
	case ARGP_KEY_ERROR:
		if (!parse->reported)
			report_bad_option(parse, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse_run_flag(int key, struct run_options *options)
{
	switch (key) {
	case KEY_TESTDEV:
		options->testdev = true;
		return 0;
	case KEY_NESTED:
		options->nested = true;
		return 0;
	case KEY_EXPLAIN:
		options->explain = true;
		return 0;
	case KEY_STATS:
		options->stats = true;
		return 0;
	case KEY_TOP:
		options->top = true;
		return 0;
	case KEY_TRACE:
		options->trace = true;
		return 0;
	case KEY_JSON:
		options->json = true;
		message_use_json(true);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int parser_run_value(int key, const char *value, struct run_options *options)
{
	switch (key) {
	case KEY_FORMAT:
	case KEY_MODE:
	case KEY_RNG:
	case KEY_CPU:
	case KEY_HYPERVISOR:
	case KEY_MSR:
	case KEY_ON_RESET:
	case KEY_ON_SAVE:
	case KEY_CLOCK:
	case KEY_SANDBOX:
		return parse_choice(key, value, options);
	case KEY_MEMORY:
		return parse_memory(value, &options->memory);
	case KEY_CPUS:
		return parse_cpus(value, options);
	case KEY_MODULE:
		return parse_module(value, options);
	case KEY_DISK:
		return parse_disk(value, options);
	case KEY_CPUID:
		return parse_cpuid(value, options);
	case KEY_INITRD:
		options->initrd = value;
		return 0;
	case KEY_APPEND:
		options->append = value;
		return 0;
	case KEY_LOAD:
		return parser_address("--load", value, &options->load,
				      &options->has_load);
	case KEY_ENTRY:
		return parser_address("--entry", value, &options->entry,
				      &options->has_entry);
	case KEY_SAVE:
		options->save = value;
		return 0;
	case KEY_CLONES:
		return parse_clones(value, options);
	case KEY_TIMEOUT:
		return parse_timeout(value, &options->timeout);
	case KEY_GDB:
		return parse_gdb(value, options);
	case ARGP_KEY_ARG:
		return parse_image(value, options);
	default:
		return parse_run_flag(key, options);
	}
}

int parser_no_image(const struct parse *parse)
{
	return message_fail(STATUS_USAGE, "no %s given; see svmrun %s --help",
			    parse->argp == &resume_argp ? "file" : "image",
			    parse->command);
}

static error_t parse_run_key(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;
	int ret = key == ARGP_KEY_NO_ARGS ?
			  parser_no_image(parse) :
			  parser_run_value(key, value, parse->options);

	if (ret == ARGP_ERR_UNKNOWN)
		return parser_common_key(key, state);
	parse->reported = ret != 0;
	return ret;
}

/* Reject what cannot be combined with --save. */
static int check_save(const struct run_options *options)
{
	if (options->on_save == ON_SAVE_EXIT && !options->save)
		return message_fail(STATUS_USAGE,
				    "--on-save: not applicable without --save");
	if (!options->save)
		return 0;
	if (options->gdb)
		return message_fail(STATUS_USAGE,
				    "--save: not possible with --gdb: memory may contain breakpoints");
	if (options->clones > 1)
		return message_fail(STATUS_USAGE,
				    "--save: not possible with --clones: all of them would write to one file");
	return 0;
}

static int parse_dump_value(int key, const char *value,
			    struct dump_options *options)
{
	if (key == ARGP_KEY_END && !options->core)
		return message_fail(STATUS_USAGE,
				    "no %s given; see svmrun dump --help",
				    options->file ? "file for the core" :
						    "file");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (options->core)
		return message_fail(STATUS_USAGE,
				    "%s: third file after %s and %s; see svmrun dump --help",
				    value, options->file, options->core);
	if (options->file)
		options->core = value;
	else
		options->file = value;
	return 0;
}

static error_t parse_dump_key(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;
	int ret = parse_dump_value(key, value, parse->options);

	if (ret == ARGP_ERR_UNKNOWN)
		return parser_common_key(key, state);
	parse->reported = ret != 0;
	return ret;
}

static int parse_info_value(int key, const char *value,
			    struct info_options *options)
{
	if (key == ARGP_KEY_ARG)
		return message_fail(STATUS_USAGE, "%s: info takes no arguments",
				    value);
	if (key != KEY_JSON)
		return ARGP_ERR_UNKNOWN;
	options->json = true;
	message_use_json(true);
	return 0;
}

static error_t parse_info_key(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;
	int ret = parse_info_value(key, value, parse->options);

	if (ret == ARGP_ERR_UNKNOWN)
		return parser_common_key(key, state);
	parse->reported = ret != 0;
	return ret;
}

static int parse_run(const struct argp *argp, const char *command,
		     struct run_options *options, int argc, char **argv)
{
	struct parse parse = {
		.argp = argp,
		.command = command,
		.options = options,
	};

	*options = (struct run_options){
		.memory = MEMORY_DEFAULT,
		.cpus = 1,
		.clones = 1,
	};
	return argp_parse(argp, argc, argv, ARGP_OWN, NULL, &parse) ?
		       STATUS_USAGE :
		       check_save(options);
}

int options_parse_run(struct run_options *options, int argc, char **argv)
{
	return parse_run(&run_argp, "run", options, argc, argv);
}

int options_parse_resume(struct run_options *options, int argc, char **argv)
{
	return parse_run(&resume_argp, "resume", options, argc, argv);
}

int options_parse_dump(struct dump_options *options, int argc, char **argv)
{
	struct parse parse = {
		.argp = &dump_argp,
		.command = "dump",
		.options = options,
	};

	*options = (struct dump_options){ 0 };
	return argp_parse(&dump_argp, argc, argv, ARGP_OWN, NULL, &parse) ?
		       STATUS_USAGE :
		       0;
}

int options_parse_info(struct info_options *options, int argc, char **argv)
{
	struct parse parse = {
		.argp = &info_argp,
		.command = "info",
		.options = options,
	};

	*options = (struct info_options){ 0 };
	return argp_parse(&info_argp, argc, argv, ARGP_OWN, NULL, &parse) ?
		       STATUS_USAGE :
		       0;
}
