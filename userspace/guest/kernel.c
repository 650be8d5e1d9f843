// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svmrun/e820.h>
#include <svmrun/firmware.h>
#include <svmrun/multiboot2.h>

#include "common/message.h"
#include "common/status.h"
#include "format.h"
#include "kernel.h"
#include "lib/array_size.h"
#include "memory.h"
#include "tables.h"
#include "backend/rng.h"

static const struct svmrun_memory *low_memory(const struct guest *guest)
{
	return &guest->memories[0];
}

static size_t ram_count(const struct guest *guest)
{
	return guest->memory_count - guest->rom_count;
}

/* Return whether the guest can be loaded again. */
static bool keeps_files(const struct run_options *options)
{
	return options->on_reset == ON_RESET_RESTART;
}

/* ---- Linux --------------------------------------------------------------- */

/* Name the files that are loaded into the same memory. */
static const char *memory_companion(const struct run_options *options)
{
	if (options->initrd)
		return " together with its initial RAM disk";
	return options->module_count ? " together with its modules" : "";
}

/* Explain an error of the loader. Return the exit status. */
static int image_failed(const struct run_options *options, int error,
			const char *kind)
{
	static const struct {
		int error;
		const char *what;
	} words[] = {
		{ EINVAL, "needs more than 1M of memory; use a larger --mem" },
		{ EMEDIUMTYPE, "is not for x86" },
		{ ENOMSG, "has no PVH entry point" },
		{ ENODATA, "file is truncated" },
		{ EPROTONOSUPPORT, "kernel is too old" },
		{ ENODEV, "needs a display, which this machine does not have" },
		{ EOPNOTSUPP,
		  "requires features that this machine does not have" },
		{ EBADMSG, "addresses in the header contradict each other" },
		{ E2BIG, "leaves no memory for the boot information" },
		{ ERANGE, "loads at addresses where a PC has no memory" },
	};
	size_t i;

	if (error == ENOMEM)
		return message_fail(STATUS_USAGE,
				    "%s: does not fit into guest memory%s; use a larger --mem",
				    options->image, memory_companion(options));
	if (error == ENOEXEC)
		return message_fail(STATUS_USAGE, "%s: not %s", options->image,
				    kind);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].error == error)
			return message_fail(STATUS_USAGE, "%s: %s",
					    options->image, words[i].what);
	return message_fail(STATUS_USAGE, "%s: %s", options->image,
			    strerror(error));
}

static int linux_failed(const struct run_options *options, int error)
{
	if (error == E2BIG && options->append)
		return message_fail(STATUS_USAGE,
				    "--append: command line of %zu characters is too long for this kernel",
				    strlen(options->append));
	if (error == EOPNOTSUPP)
		return message_fail(STATUS_USAGE,
				    "%s: has only a 16-bit entry point, which needs a BIOS",
				    options->image);
	if (error == EFBIG)
		return message_fail(STATUS_USAGE,
				    "--initrd %s: too large for the memory that this kernel can use for it",
				    options->initrd);
	return image_failed(options, error, "a bzImage or a vmlinux");
}

static int load_linux_by_pvh(struct guest *guest, const char *append,
			     const struct file *image,
			     const struct file *initrd)
{
	const struct svmrun_pvh_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.initrd = initrd->bytes,
		.initrd_size = initrd->size,
		.command_line = append,
		.acpi_rsdp = SVMRUN_E820_BIOS,
	};

	return svmrun_pvh_load(guest->memories, ram_count(guest), &boot,
			       &guest->pvh_entry);
}

static int load_linux_by_bzimage(struct guest *guest,
				 const struct run_options *options,
				 const char *append, const struct file *image,
				 const struct file *initrd)
{
	uint8_t seed[SVMRUN_BZIMAGE_SEED];
	bool seeded = options->rng == RNG_ON && !rng_fill(seed, sizeof(seed));
	const struct svmrun_bzimage_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.initrd = initrd->bytes,
		.initrd_size = initrd->size,
		.command_line = append,
		.acpi_rsdp = SVMRUN_E820_BIOS,
		.seed = seed,
		.seed_size = seeded ? sizeof(seed) : 0,
	};

	return svmrun_bzimage_load(guest->memories, ram_count(guest), &boot,
				   &guest->bzimage);
}

static int load_linux(struct guest *guest, const struct run_options *options,
		      const struct file *image, const struct file *initrd)
{
	const char *append = options->append ? options->append : "";
	int ret;

	guest->pvh = svmrun_pvh_is(image->bytes, image->size);
	if (guest->pvh)
		ret = load_linux_by_pvh(guest, append, image, initrd);
	else
		ret = load_linux_by_bzimage(guest, options, append, image,
					    initrd);
	return ret ? linux_failed(options, -ret) : 0;
}

static int load_linux_with_initrd(struct guest *guest,
				  const struct run_options *options,
				  const struct file *image)
{
	int ret = 0;

	if (options->initrd && !guest->initrd.bytes)
		ret = file_read(&guest->initrd, options->initrd);
	if (ret)
		return ret;
	ret = load_linux(guest, options, image, &guest->initrd);
	if (!keeps_files(options))
		file_free(&guest->initrd);
	return ret;
}

/* ---- multiboot ----------------------------------------------------------- */

static int multiboot_failed(const struct run_options *options, int error,
			    const struct file *image)
{
	/* A PE file can contain the header by chance, or for another loader. */
	if (error == EMEDIUMTYPE && format_check_flat(image, options->image))
		return STATUS_USAGE;
	if (error == EMEDIUMTYPE)
		return message_fail(STATUS_USAGE,
				    "%s: multiboot header without addresses, in a file that is not an ELF executable for x86",
				    options->image);
	if (error == EFBIG)
		return message_fail(STATUS_USAGE,
				    "--module: too large for the memory below 3 GiB");
	if (error == E2BIG)
		return message_fail(STATUS_USAGE,
				    "--append, --module: command lines are too long");
	return image_failed(options, error, "a multiboot kernel");
}

static int out_of_memory(const char *option)
{
	return message_fail(STATUS_ENVIRONMENT, "%s: out of memory", option);
}

/**
 * struct modules - the files of --module
 * @files: their contents
 * @command_lines: the command lines of the files, which begin with their names
 * @modules: the modules for the loader
 * @count: how many have been read
 */
struct modules {
	struct file files[OPTIONS_MODULES];
	char *command_lines[OPTIONS_MODULES];
	struct svmrun_multiboot_module modules[OPTIONS_MODULES];
	size_t count;
};

void guest_free_modules(struct guest *guest)
{
	struct modules *modules = guest->modules;

	while (modules && modules->count) {
		file_free(&modules->files[--modules->count]);
		free(modules->command_lines[modules->count]);
	}
	free(modules);
	guest->modules = NULL;
}

/* Split FILE=TEXT at the first '=', read FILE, and make the command line "FILE TEXT". */
static int read_module(struct modules *modules, const char *option)
{
	size_t i = modules->count;
	char *line = strdup(option);
	char *equals = line ? strchr(line, '=') : NULL;
	int ret;

	if (!line)
		return out_of_memory("--module");
	if (equals)
		*equals = 0;
	ret = file_read(&modules->files[i], line);
	if (ret) {
		free(line);
		return ret;
	}
	if (equals)
		*equals = ' ';
	modules->command_lines[i] = line;
	modules->modules[i] = (struct svmrun_multiboot_module){
		.bytes = modules->files[i].bytes,
		.size = modules->files[i].size,
		.command_line = line,
	};
	modules->count++;
	return 0;
}

static int read_modules(struct guest *guest, const struct run_options *options)
{
	size_t i;
	int ret = 0;

	if (guest->modules)
		return 0;
	guest->modules = calloc(1, sizeof(*guest->modules));
	if (!guest->modules)
		return out_of_memory("--module");
	for (i = 0; i < options->module_count && !ret; i++)
		ret = read_module(guest->modules, options->modules[i]);
	return ret;
}

/* Kernels skip the first word, which is the name of the image. */
static char *multiboot_command_line(const struct run_options *options)
{
	char *line;

	if (!options->append)
		return strdup(options->image);
	return asprintf(&line, "%s %s", options->image, options->append) < 0 ?
		       NULL :
		       line;
}

static int load_multiboot(struct guest *guest,
			  const struct run_options *options,
			  const struct file *image)
{
	char *line = multiboot_command_line(options);
	const struct svmrun_multiboot_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.command_line = line,
		.modules = guest->modules->modules,
		.module_count = guest->modules->count,
		.acpi_rsdp = SVMRUN_E820_BIOS,
	};
	int ret;

	if (!line)
		return out_of_memory("--append");
	guest->multiboot2 = !svmrun_multiboot_is(image->bytes, image->size) &&
			    svmrun_multiboot2_is(image->bytes, image->size);
	if (guest->multiboot2)
		ret = svmrun_multiboot2_load(guest->memories, ram_count(guest),
					     &boot, &guest->multiboot);
	else
		ret = svmrun_multiboot_load(guest->memories, ram_count(guest),
					    &boot, &guest->multiboot);
	free(line);
	return ret ? multiboot_failed(options, -ret, image) : 0;
}

static int load_multiboot_with_modules(struct guest *guest,
				       const struct run_options *options,
				       const struct file *image)
{
	int ret = read_modules(guest, options);

	if (!ret)
		ret = load_multiboot(guest, options, image);
	if (!keeps_files(options))
		guest_free_modules(guest);
	return ret;
}

/* ---- firmware ------------------------------------------------------------ */

static int load_rom(struct guest *guest, const struct run_options *options,
		    const struct file *image)
{
	int ret = svmrun_firmware_check(image->size);

	if (ret)
		return message_fail(STATUS_USAGE,
				    "%s: not firmware; its size must be a multiple of 4096 bytes, at most 16 MiB",
				    options->image);
	ret = guest_add_rom(guest, SVMRUN_FIRMWARE_END - image->size,
			    image->size);
	if (!ret)
		memcpy(guest->memories[guest->memory_count - 1].base,
		       image->bytes, image->size);
	return ret;
}

/* Nothing changes the ROM, so it is loaded only once. */
static int load_firmware(struct guest *guest, const struct run_options *options,
			 const struct file *image)
{
	int ret = guest->rom_count ? 0 : load_rom(guest, options, image);

	if (ret)
		return ret;
	ret = svmrun_firmware_copy(low_memory(guest), image->bytes,
				   image->size);
	return ret ? message_fail(STATUS_USAGE,
				  "--mem %llu: too small for firmware; use more than 1M",
				  (unsigned long long)options->memory) :
		     0;
}

/* ---- all formats --------------------------------------------------------- */

int guest_load_kernel(struct guest *guest, const struct run_options *options,
		      const struct file *image)
{
	int ret;

	if (guest->format == FORMAT_FIRMWARE)
		return load_firmware(guest, options, image);
	ret = tables_build(guest, options);
	if (ret)
		return ret;
	if (guest->format == FORMAT_LINUX)
		return load_linux_with_initrd(guest, options, image);
	return load_multiboot_with_modules(guest, options, image);
}

static int describe_memory(const struct guest *guest, struct machine *machine)
{
	struct svmrun_pc *pc = &machine->pc;
	int count = svmrun_e820_build(guest->memories, ram_count(guest),
				      machine->e820, SVMRUN_E820_ENTRIES);

	if (count < 0)
		return count;
	svmrun_fwcfg_set_cpus(&pc->fwcfg, machine->cpu_count);
	svmrun_fwcfg_set_memory(&pc->fwcfg, guest->memories[0].size);
	return svmrun_fwcfg_add_file(&pc->fwcfg, "etc/e820", machine->e820,
				     count * sizeof(machine->e820[0]));
}

int guest_describe_machine(struct guest *guest, struct machine *machine)
{
	int ret = describe_memory(guest, machine);

	if (ret || guest->format != FORMAT_FIRMWARE)
		return ret;
	return tables_add_files(guest, machine);
}

int guest_begin_kernel(struct guest *guest, struct machine *machine)
{
	struct svmrun_vcpu *vcpu = &machine->cpus[0].vcpu;

	svmrun_pc_memory(&machine->pc, guest->memories[0].size,
			 ram_count(guest) > 1 ? guest->memories[1].size : 0);
	if (guest->format == FORMAT_FIRMWARE)
		svmrun_mode_reset(vcpu);
	else if (guest->format == FORMAT_MULTIBOOT && guest->multiboot2)
		svmrun_multiboot2_begin(vcpu, &guest->multiboot);
	else if (guest->format == FORMAT_MULTIBOOT)
		svmrun_multiboot_begin(vcpu, &guest->multiboot);
	else if (guest->pvh)
		svmrun_pvh_begin(vcpu, &guest->pvh_entry);
	else
		return svmrun_bzimage_begin(vcpu, &guest->memories[0],
					    &guest->bzimage);
	return 0;
}
