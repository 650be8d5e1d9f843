// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: the records of a saved machine, with a header that belongs to them, up to
 * the machine that is ready to be resumed. Whatever is refused prints exactly one message;
 * whatever is loaded can be saved again.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/vcpu_pages.h"
#include "common/message.h"
#include "common/status.h"
#include "guest/guest.h"
#include "input.h"
#include "lib/x86.h"
#include "saved/header.h"
#include "vmm/saved.h"

#define MEMORY_SIZE (1ul << 20)
#define RECORDS_MAX (1u << 20)

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
	messages++;
	return status;
}

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

static struct machine machine;
static struct cpu cpus[OPTIONS_CPUS];
static struct vcpu_pages pages[OPTIONS_CPUS];

static void create_cpus(const struct run_options *options)
{
	unsigned int i;

	machine.cpus = cpus;
	machine.cpu_count = options->cpus;
	for (i = 0; i < options->cpus; i++) {
		cpus[i] = (struct cpu){ .machine = &machine, .id = i };
		cpus[i].vcpu = vcpu_pages_fill(&pages[i]);
		svmrun_mode_reset(&cpus[i].vcpu);
	}
}

static void create_machine(const struct guest *guest,
			   const struct run_options *options)
{
	machine = (struct machine){ .rom_count = guest->rom_count };
	machine_init(&machine, options);
	machine.info.out_xcr0 = UINT64_MAX;
	machine.info.out_gpa_bits = 52;
	machine.open_bus = guest->is_pc;
	machine.memory_count = guest->memory_count;
	memcpy(machine.memories, guest->memories, sizeof(machine.memories));
	if (guest->is_pc)
		machine_attach_rng(&machine);
	create_cpus(options);
}

/* Use and save the devices, whose state is valid because it could be loaded. */
static void use_machine(const struct run_options *options)
{
	static uint8_t bytes[RECORDS_MAX];
	struct svmrun_state state;
	unsigned int i;

	svmrun_state_init(&state, bytes, sizeof(bytes));
	holds(machine_state_save(&machine, "/", &state) <= 0,
	      "the error is not negative");
	for (i = 0; i < options->cpus; i++)
		svmrun_pc_advance(&machine.pc, i,
				  svmrun_pc_deadline(&machine.pc, i));
}

static int load(struct saved *saved, const struct run_options *options)
{
	struct guest guest;
	int status;

	/* Disks would be files of this machine. */
	if (options->disk_count)
		return 0;
	status = guest_resume(&guest, saved);
	if (status)
		return status;
	create_machine(&guest, options);
	status = saved_load(saved, &machine);
	if (!status)
		use_machine(options);
	guest_destroy(&guest);
	return status;
}

/* Return the size of the records of a machine that nothing is wrong with. */
static size_t make_records(uint8_t *bytes)
{
	static const struct run_options options = {
		.memory = MEMORY_SIZE,
		.cpus = 2,
		.cpuid_count = 1,
	};
	const struct guest guest = {
		.memories = { { .size = MEMORY_SIZE } },
		.memory_count = 1,
		.is_pc = true,
	};
	struct svmrun_state state;

	create_machine(&guest, &options);
	svmrun_state_init(&state, bytes, RECORDS_MAX);
	holds(!machine_state_save(&machine, "/", &state), "cannot be saved");
	return state.used;
}

/* Change bytes of valid records: three bytes are the place, and the fourth is the value. */
static size_t change_records(uint8_t *bytes, struct input *input)
{
	static uint8_t valid[RECORDS_MAX];
	static size_t size;

	if (!size)
		size = make_records(valid);
	memcpy(bytes, valid, size);
	while (input->left) {
		size_t place = input_take(input, 3) % size;

		bytes[place] = input_take(input, 1);
	}
	return size;
}

/* The input is the changes or, after a byte that is odd, the records themselves. */
static size_t take_records(uint8_t *bytes, struct input *input)
{
	if (!(input_take(input, 1) & 1))
		return change_records(bytes, input);
	memcpy(bytes, input->bytes, input->left);
	return input->left;
}

static int write_file(const uint8_t *bytes, size_t size)
{
	struct saved_header header = {
		.magic = SAVED_MAGIC,
		.version = SVMRUN_SAVED_VERSION,
		.records = PAGE_SIZE,
		.records_size = size,
		.memory = PAGE_SIZE + RECORDS_MAX,
		.end = PAGE_SIZE + RECORDS_MAX + MEMORY_SIZE,
	};
	int fd = memfd_create("saved", MFD_CLOEXEC);

	header.crc = saved_header_crc(&header, bytes);
	holds(fd >= 0 && !ftruncate(fd, header.end), "there is no file");
	holds(pwrite(fd, &header, sizeof(header), 0) == sizeof(header),
	      "the header cannot be written");
	holds(pwrite(fd, bytes, size, PAGE_SIZE) == (ssize_t)size,
	      "the records cannot be written");
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct saved saved = { .name = "saved" };
	static uint8_t records[RECORDS_MAX];
	struct run_options options = { 0 };
	struct input input = { bytes, size };
	size_t used;
	int status;

	if (size > RECORDS_MAX)
		return 0;
	used = take_records(records, &input);
	messages = 0;
	status = saved_read(&saved, write_file(records, used), &options);
	if (!status) {
		status = load(&saved, &options);
		saved_close(&saved);
	}
	holds(messages == !!status, "not one message per failure");
	return 0;
}
