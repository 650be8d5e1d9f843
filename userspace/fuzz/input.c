// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "common/message.h"
#include "common/status.h"
#include "input.h"
#include "lib/memories.h"
#include "lib/x86.h"

/* Return memory that the guest can write to, NULL if there is no such memory. */
static void *ram_at(const struct machine *machine, uint64_t gpa, size_t size)
{
	return memories_at(machine->memories,
			   machine->memory_count - machine->rom_count, gpa,
			   size);
}

int input_check(const struct target *target)
{
	const struct machine *machine = &target->machine;
	const struct fuzz_options *options = target->options;

	if (options->input_size &&
	    !ram_at(machine, options->input, options->input_size))
		return message_fail(STATUS_USAGE,
				    "--input: 0x%" PRIx64 " to 0x%" PRIx64
				    " is not RAM of the guest",
				    options->input,
				    options->input + options->input_size - 1);
	if (options->length_place == LENGTH_IN_MEMORY &&
	    !ram_at(machine, options->length, sizeof(uint64_t)))
		return message_fail(STATUS_USAGE,
				    "--input: 0x%" PRIx64
				    ", for the length, is not RAM of the guest",
				    options->length);
	return 0;
}

void input_clear(const struct target *target)
{
	const struct fuzz_options *options = target->options;

	if (options->input_size)
		memset(ram_at(&target->machine, options->input,
			      options->input_size),
		       0, options->input_size);
}

static void copy_to_buffer(struct target *target, size_t length)
{
	const uint8_t *from = area_input(&target->input)->bytes;
	size_t offset = target->buffer_offset, page, size;
	void *to;

	for (page = 0; length; page++) {
		size = PAGE_SIZE - offset < length ? PAGE_SIZE - offset :
						     length;
		to = svmrun_clone_touch(&target->clone,
					target->buffer[page] + offset, size);
		memcpy(to, from, size);
		from += size;
		length -= size;
		offset = 0;
	}
}

static void write_length(struct target *target, uint64_t length)
{
	const struct fuzz_options *options = target->options;

	switch (options->length_place) {
	case LENGTH_NOWHERE:
		break;
	case LENGTH_IN_MEMORY:
		memcpy(svmrun_clone_touch(&target->clone, options->length,
					  sizeof(length)),
		       &length, sizeof(length));
		break;
	case LENGTH_IN_REGISTER:
		svmrun_vcpu_set_gpr(&target->machine.cpus[0].vcpu,
				    options->length, length);
		break;
	}
}

/* The rest of the memory has been cleared by the reset. */
static void write_input(struct target *target, size_t length)
{
	const struct fuzz_options *options = target->options;

	if (length > options->input_size)
		length = options->input_size;
	memcpy(svmrun_clone_touch(&target->clone, options->input, length),
	       area_input(&target->input)->bytes, length);
	write_length(target, length);
}

/* The result of the guest's call is the length. */
static void answer_call(struct target *target, size_t length)
{
	if (target->buffer_room) {
		if (length > target->buffer_room)
			length = target->buffer_room;
		copy_to_buffer(target, length);
	}
	target->machine.cpus[0].vcpu.vmcb->save.rax = length;
}

void input_give(struct target *target)
{
	size_t length = area_input_length(&target->input);

	area_clear_rest(&target->input);
	if (target->options->has_start)
		write_input(target, length);
	else
		answer_call(target, length);
}
