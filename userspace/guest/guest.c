// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "common/message.h"
#include "common/status.h"
#include "format.h"
#include "guest.h"
#include "image.h"
#include "kernel.h"
#include "lib/array_size.h"
#include "memory.h"
#include "tables.h"

void guest_destroy(struct guest *guest)
{
	guest_free_memory(guest);
	file_free(&guest->file);
	file_free(&guest->initrd);
	guest_free_modules(guest);
	tables_free(guest);
}

/* The formats that --format accepts for any file are those without a header. */
static int choose_format(const struct run_options *options,
			 const struct file *file, enum format *format)
{
	*format = options->format;
	if (*format == FORMAT_FLAT || *format == FORMAT_FIRMWARE)
		return 0;
	if (*format == FORMAT_AUTO)
		*format = format_detect(file);
	if (format_detect(file) != FORMAT_FLAT)
		return 0;
	return format_check_flat(file, options->image);
}

static int check_elf_options(const struct run_options *options)
{
	if (options->mode != MODE_AUTO && options->mode != MODE_LONG)
		return message_fail(STATUS_USAGE,
				    "%s: 64-bit ELF runs in long mode only; use --mode long or --format flat",
				    options->image);
	if (options->has_load)
		return message_fail(STATUS_USAGE,
				    "--load: %s is an ELF file, which has its own addresses; use --format flat",
				    options->image);
	return 0;
}

/* Reject options that the format does not use. */
static int check_options(const struct guest *guest,
			 const struct run_options *options)
{
	const struct {
		bool given;
		const char *option;
		unsigned int formats;
	} rules[] = {
		{ options->initrd, "--initrd", 1 << FORMAT_LINUX },
		{ options->append, "--append",
		  1 << FORMAT_LINUX | 1 << FORMAT_MULTIBOOT },
		{ options->module_count, "--module", 1 << FORMAT_MULTIBOOT },
		{ options->has_entry, "--entry",
		  1 << FORMAT_FLAT | 1 << FORMAT_ELF },
		{ options->has_load, "--load",
		  1 << FORMAT_FLAT | 1 << FORMAT_ELF },
		{ options->mode != MODE_AUTO, "--mode",
		  1 << FORMAT_FLAT | 1 << FORMAT_ELF },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].given && !(rules[i].formats >> guest->format & 1))
			return message_fail(STATUS_USAGE,
					    "%s: not applicable to the format of %s; see --format",
					    rules[i].option, options->image);
	return guest->format == FORMAT_ELF ? check_elf_options(options) : 0;
}

static int load_contents(struct guest *guest, const struct run_options *options,
			 const struct file *file)
{
	return guest->is_pc ? guest_load_kernel(guest, options, file) :
			      guest_load_image(guest, options, file);
}

static int load_guest(struct guest *guest, const struct run_options *options,
		      const struct file *file)
{
	int ret;

	*guest = (struct guest){ .mode = options->mode };
	ret = choose_format(options, file, &guest->format);
	if (ret)
		return ret;
	guest->is_pc = guest->format >= FORMAT_LINUX;
	ret = check_options(guest, options);
	if (ret)
		return ret;
	if (guest->mode == MODE_AUTO)
		guest->mode = guest->format == FORMAT_ELF ? MODE_LONG :
							    MODE_REAL;
	ret = guest_allocate_memory(guest, options->memory);
	if (!ret)
		ret = load_contents(guest, options, file);
	if (ret)
		guest_destroy(guest);
	return ret;
}

int guest_create(struct guest *guest, const struct run_options *options)
{
	struct file file;
	int ret;

	ret = file_read(&file, options->image);
	if (ret)
		return ret;
	ret = load_guest(guest, options, &file);
	if (!ret && (guest->tables || options->on_reset == ON_RESET_RESTART))
		guest->file = file;
	else
		file_free(&file);
	return ret;
}

/* A range that is not mapped has no size. */
int guest_resume(struct guest *guest, const struct saved *saved)
{
	int ret;

	*guest = (struct guest){
		.is_pc = saved->plan.is_pc,
		.memory_count = saved->plan.memory_count,
		.rom_count = saved->plan.rom_count,
	};
	ret = saved_map_memory(saved, guest->memories);
	if (ret)
		guest_destroy(guest);
	return ret;
}

static int begin_failed(int error)
{
	return message_fail(STATUS_ENVIRONMENT, "cannot set up the guest: %s",
			    strerror(error));
}

static int begin_processor(struct guest *guest, struct machine *machine)
{
	int ret = guest->is_pc ?
			  guest_begin_kernel(guest, machine) :
			  guest_begin_image(guest, &machine->cpus[0].vcpu);

	return ret ? begin_failed(-ret) : 0;
}

/* The devices that describe the machine have not changed. */
static int restart_guest(void *owner, struct machine *machine)
{
	struct guest *guest = owner;
	int ret = load_contents(guest, machine->options, &guest->file);

	return ret ? ret : begin_processor(guest, machine);
}

int guest_begin(struct guest *guest, struct machine *machine)
{
	int ret = guest->is_pc ? guest_describe_machine(guest, machine) : 0;

	machine->restart = restart_guest;
	machine->guest = guest;
	return ret ? begin_failed(-ret) : begin_processor(guest, machine);
}
