// SPDX-License-Identifier: GPL-2.0
/* The command line of svmrun fuzz */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include <svmrun.h>

#include "common/message.h"
#include "common/number.h"
#include "common/status.h"
#include "crash_option.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "options.h"
#include "parser.h"

#define RANGE_MAX 80 /* characters of an address, a size and another word */

#define FUZZ_DOC                                                               \
	"Run inputs in a guest, which is reset after each. Started by afl-fuzz, as in 'afl-fuzz -i IN -o OUT -- svmrun fuzz IMAGE', the inputs are those of afl-fuzz; otherwise those of the files, or of standard input. The guest calls svmrun_guest_ready() when it is ready for an input, see <svmrun_guest.h>; for a guest that makes no calls, see --start."

static const struct argp_option fuzz_table[] = {
	IMAGE_OPTIONS(1),
	GROUP("Machine:", 2),
	MEMORY_OPTION(2),
	GROUP("Inputs:", 3),
	{ "crash", KEY_CRASH, "EXIT", 0,
	  "Exit that counts as a crash, such as EXCP6 or VMEXIT_EXCP6 for #UD; may be repeated",
	  3 },
	{ "break", KEY_BREAK, "FILE", 0,
	  "Count code in the map by breakpoints at the virtual addresses in this file, one per line in hexadecimal: for code that has not been compiled for coverage",
	  3 },
	{ "end", KEY_END, "ADDR", 0,
	  "End the run with status 0 when the guest reaches the instruction at this virtual address; may be repeated",
	  3 },
	{ "input", KEY_INPUT, "GPA,SIZE[,GPA|REGISTER]", 0,
	  "Write the input to this guest physical address, and its length to an address or a register, such as rsi",
	  3 },
	{ "map-size", KEY_MAP_SIZE, "SIZE", 0,
	  "Size of the map of executed code, a power of 2, with suffix K or M; 64K by default",
	  3 },
	{ "start", KEY_START, "ADDR", 0,
	  "With --input: take the snapshot when the guest reaches the instruction at this virtual address, for a guest that makes no calls",
	  3 },
	{ "step", KEY_STEP, "ADDR,SIZE", 0,
	  "Count the instructions of this code in the map, by single steps: for code that has not been compiled for coverage",
	  3 },
	GROUP("Limits:", 4),
	SANDBOX_OPTION(4),
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0,
	  "Time for one input; may have a fraction. afl-fuzz has its own time-out",
	  4 },
	{ "timeout-insns", KEY_TIMEOUT_INSNS, "N", 0,
	  "With --step: end a run after this number of instructions of that code",
	  4 },
	GROUP("Debugging:", 5),
	{ "trace", KEY_TRACE, NULL, 0,
	  "Print one line per exit to standard error", 5 },
	OPTION_HELP,
	OPTION_VERSION,
	{ 0 }
};

static int parse_crash(const char *value, struct fuzz_options *options)
{
	if (options->crash_count == FUZZ_CRASHES)
		return parser_too_many("--crash", value, FUZZ_CRASHES);
	if (crash_parse(value, &options->crashes[options->crash_count++]))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--crash %s: unknown exit; use a name such as EXCP6",
			    value);
}

static int parse_map_size(const char *value, struct fuzz_options *options)
{
	uint64_t *size = &options->map_size;

	if (number_size(value, size) && *size >= PAGE_SIZE &&
	    *size <= FUZZ_MAP_MAX && !(*size & (*size - 1)))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--map-size %s: must be a power of 2 from 4K to 8M",
			    value);
}

/*
 * Parse an address and a size. @rest: set to the text after another comma, or to NULL; if it
 * is NULL itself, there must be none.
 */
static bool parse_range(const char *value, uint64_t *address, uint64_t *size,
			const char **rest)
{
	char text[RANGE_MAX];
	char *second, *third = NULL;

	if (snprintf(text, sizeof(text), "%s", value) >= RANGE_MAX)
		return false;
	second = strchr(text, ',');
	if (!second)
		return false;
	*second++ = '\0';
	if (rest)
		third = strchr(second, ',');
	if (third)
		*third++ = '\0';
	if (rest)
		*rest = third ? value + (third - text) : NULL;
	return number_address(text, address) && number_size(second, size) &&
	       *size;
}

static int parse_step(const char *value, struct fuzz_options *options)
{
	if (parse_range(value, &options->step, &options->step_size, NULL))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--step %s: must be an address and a size, such as 0x100000,64K",
			    value);
}

static bool parse_register(const char *name, uint64_t *gpr)
{
	static const char *const names[] = {
		[SVMRUN_RAX] = "rax", [SVMRUN_RCX] = "rcx",
		[SVMRUN_RDX] = "rdx", [SVMRUN_RBX] = "rbx",
		[SVMRUN_RSP] = "rsp", [SVMRUN_RBP] = "rbp",
		[SVMRUN_RSI] = "rsi", [SVMRUN_RDI] = "rdi",
		[SVMRUN_R8] = "r8",   [SVMRUN_R9] = "r9",
		[SVMRUN_R10] = "r10", [SVMRUN_R11] = "r11",
		[SVMRUN_R12] = "r12", [SVMRUN_R13] = "r13",
		[SVMRUN_R14] = "r14", [SVMRUN_R15] = "r15",
	};

	for (*gpr = 0; *gpr < ARRAY_SIZE(names); ++*gpr)
		if (!strcmp(name, names[*gpr]))
			return true;
	return false;
}

static bool parse_length(const char *place, struct fuzz_options *options)
{
	options->length_place = LENGTH_NOWHERE;
	if (!place)
		return true;
	options->length_place = LENGTH_IN_REGISTER;
	if (parse_register(place, &options->length))
		return true;
	options->length_place = LENGTH_IN_MEMORY;
	return number_address(place, &options->length);
}

static int parse_input(const char *value, struct fuzz_options *options)
{
	const char *place;

	if (parse_range(value, &options->input, &options->input_size, &place) &&
	    parse_length(place, options))
		return 0;
	return message_fail(STATUS_USAGE,
			    "--input %s: must be an address, a size, and optionally where the length is written, such as 0x200000,4K,rsi",
			    value);
}

static int parse_insns(const char *value, struct fuzz_options *options)
{
	if (number_address(value, &options->insns) && options->insns)
		return 0;
	return message_fail(STATUS_USAGE,
			    "--timeout-insns %s: must be a number greater than 0",
			    value);
}

static int parse_end(const char *value, struct fuzz_options *options)
{
	bool given;

	if (options->end_count == FUZZ_ENDS)
		return parser_too_many("--end", value, FUZZ_ENDS);
	return parser_address("--end", value,
			      &options->ends[options->end_count++], &given);
}

/* The first argument is the image, and the others are files with inputs. */
static int parse_fuzz_value(int key, const char *value,
			    struct fuzz_options *options,
			    const struct argp_state *state)
{
	switch (key) {
	case KEY_CRASH:
		return parse_crash(value, options);
	case KEY_STEP:
		return parse_step(value, options);
	case KEY_INPUT:
		return parse_input(value, options);
	case KEY_START:
		return parser_address("--start", value, &options->start,
				      &options->has_start);
	case KEY_BREAK:
		options->break_file = value;
		return 0;
	case KEY_TIMEOUT_INSNS:
		return parse_insns(value, options);
	case KEY_END:
		return parse_end(value, options);
	case KEY_MAP_SIZE:
		return parse_map_size(value, options);
	case ARGP_KEY_ARG:
		if (!options->run.image)
			break;
		if (!options->file_count++)
			options->files = state->argv + state->next - 1;
		return 0;
	default:
		break;
	}
	return parser_run_value(key, value, &options->run);
}

static error_t parse_fuzz_key(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;
	int ret = key == ARGP_KEY_NO_ARGS ?
			  parser_no_image(parse) :
			  parse_fuzz_value(key, value, parse->options, state);

	if (ret == ARGP_ERR_UNKNOWN)
		return parser_common_key(key, state);
	parse->reported = ret != 0;
	return ret;
}

static const struct argp fuzz_argp = {
	.options = fuzz_table,
	.parser = parse_fuzz_key,
	.args_doc = "IMAGE [FILE...]",
	.doc = FUZZ_DOC "\v" STATUS_HELP_FUZZ,
};

/* With breakpoints, the exit of INTn may be that of a breakpoint. */
static int check_breakpoints(const struct fuzz_options *options)
{
	size_t i;

	for (i = 0; i < options->end_count; i++)
		if (options->has_start && options->ends[i] == options->start)
			return message_fail(STATUS_USAGE,
					    "--end: is the address of --start; every run would end at once");
	for (i = 0; i < options->crash_count; i++)
		if ((options->end_count || options->break_file) &&
		    options->crashes[i] == VMEXIT_SWINT)
			return message_fail(STATUS_USAGE,
					    "--crash SWINT: not possible with --end or --break");
	if (options->break_file && options->step_size)
		return message_fail(STATUS_USAGE,
				    "--break: not possible with --step");
	return 0;
}

/* Reject what cannot be combined. */
static int check_fuzz(const struct fuzz_options *options)
{
	if (options->has_start && !options->input_size)
		return message_fail(STATUS_USAGE,
				    "--start: not applicable without --input");
	if (options->input_size && !options->has_start)
		return message_fail(STATUS_USAGE,
				    "--input: not applicable without --start; a guest that calls svmrun_guest_ready() gets its input by that");
	if (options->insns && !options->step_size)
		return message_fail(STATUS_USAGE,
				    "--timeout-insns: not applicable without --step");
	return check_breakpoints(options);
}

/* Without KVM's clock and random numbers, runs with the same input are alike. */
int options_parse_fuzz(struct fuzz_options *options, int argc, char **argv)
{
	struct parse parse = {
		.argp = &fuzz_argp,
		.command = "fuzz",
		.options = options,
	};

	*options = (struct fuzz_options){
		.run = {
			.memory = MEMORY_DEFAULT,
			.cpus = 1,
			.rng = RNG_OFF,
			.hypervisor = HYPERVISOR_SVMRUN,
		},
		.map_size = FUZZ_MAP_DEFAULT,
	};
	return argp_parse(&fuzz_argp, argc, argv, ARGP_OWN, NULL, &parse) ?
		       STATUS_USAGE :
		       check_fuzz(options);
}
