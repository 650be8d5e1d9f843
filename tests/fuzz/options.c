// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: a command line of svmrun run and an image, up to the guest that is ready
 * to be run. Whatever fails prints exactly one message and returns the status that belongs
 * to it; whatever succeeds prints none.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/options.h"
#include "common/message.h"
#include "common/status.h"
#include "guest/guest.h"
#include "input.h"

#define ARGUMENTS 8
#define MEMORY_MAX (16ull << 20)
#define VALUE_MAX 32

static unsigned int messages;

/* In place of the tool's, which write to standard error */

void message_use_json(bool json)
{
}

int message_fail(int status, const char *format, ...)
{
	char text[4096 + 512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	holds(*text, "a message is empty");
	holds(status == STATUS_USAGE || status == STATUS_ENVIRONMENT,
	      "a message has another status");
	messages++;
	return status;
}

/* Only a run prints warnings, opens the device, and is confined. */
void message_warn(const char *format, ...)
{
	holds(false, "a warning without a run");
}

int message_fail_reason(int status, const char *reason, const char *format, ...)
{
	holds(false, "a message about the environment without a run");
	return status;
}

void message_write(int status, const char *text)
{
	holds(false, "a message about the sandbox without a run");
}

/* --help and --version would end this process. */
static const char *const names[] = {
	"--format",  "--mode",	"--mem", "--cpus",    "--initrd", "--append",
	"--module",  "--disk",	"--cpu", "--cpuid",   "--msr",	  "--on-reset",
	"--load",    "--entry", "--gdb", "--stats",   "--top",	  "--trace",
	"--timeout", "--json",	"--rng", "--testdev", "--fly",
};

/* Values that the fuzzer would take long to find */
static const char *const values[] = {
	"flat", "elf",	"linux",  "multiboot",	   "firmware", "auto",
	"real", "long", "0x1000", "protected",	   "8M",       "1",
	"host", "4K",	"1M",	  "/proc/self/fd", "minimal",  "one two",
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct arguments {
	char text[ARGUMENTS][VALUE_MAX + 32];
	char *argv[ARGUMENTS + 4];
	int argc;
};

/* Take the name of a file that can be read, a word, or characters of the input. */
static void take_value(struct input *input, const char *file, char *value)
{
	unsigned int kind = input_below(input, 4);
	unsigned int length;

	if (kind == 0) {
		snprintf(value, VALUE_MAX, "=%s", file);
	} else if (kind < 3) {
		snprintf(value, VALUE_MAX, "=%s",
			 values[input_below(input, ARRAY_SIZE(values))]);
	} else {
		*value++ = '=';
		for (length = input_below(input, VALUE_MAX - 2); length;
		     length--)
			*value++ = input_take(input, 1);
		*value = 0;
	}
}

static void take_arguments(struct input *input, const char *file,
			   struct arguments *arguments)
{
	unsigned int count = input_below(input, ARGUMENTS + 1), i;

	arguments->argv[arguments->argc++] = "run";
	for (i = 0; i < count; i++) {
		char *text = arguments->text[i];
		unsigned int name = input_take(input, 1);
		size_t length;

		strcpy(text, names[name % ARRAY_SIZE(names)]);
		length = strlen(text);
		if (name < 0xe0)
			take_value(input, file, text + length);
		arguments->argv[arguments->argc++] = text;
	}
}

/* Write the image to the file, which has no name but that of its descriptor. */
static void write_image(int fd, const struct input *input)
{
	holds(!ftruncate(fd, 0) && pwrite(fd, input->bytes, input->left, 0) ==
					   (ssize_t)input->left,
	      "the image cannot be written");
}

static int run(struct arguments *arguments)
{
	struct run_options options;
	struct guest guest;
	int status;

	status = options_parse_run(&options, arguments->argc, arguments->argv);
	if (status)
		return status;
	if (options.memory > MEMORY_MAX)
		options.memory = MEMORY_MAX;
	status = guest_create(&guest, &options);
	if (!status)
		guest_destroy(&guest);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	char file[32];
	struct input input = { bytes, size };
	struct arguments arguments = { .argc = 0 };
	int status;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	take_arguments(&input, file, &arguments);
	arguments.argv[arguments.argc++] = file;
	write_image(fd, &input);
	messages = 0;
	status = run(&arguments);
	holds(messages == !!status, "not one message per failure");
	return 0;
}
