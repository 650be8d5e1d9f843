// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: an image for each loader of both libraries. A loader that fails has
 * written nothing to guest memory; one that succeeds returns an entry point in memory.
 */
#include <svmrun/bzimage.h>
#include <svmrun/e820.h>
#include <svmrun/firmware.h>
#include <svmrun/multiboot2.h>
#include <svmrun/pvh.h>

#include "input.h"

#define MEMORY_SIZE (2ul << 20)
#define RUBBISH 0xa5
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096

/* On its own, so that the sanitizer detects accesses beyond its ends */
static struct svmrun_memory memory;

struct image {
	const void *bytes;
	size_t size;
	const char *command_line;
	const void *extra;
	size_t extra_size;
};

static int check_entry(int error, uint64_t entry)
{
	holds(error || svmrun_memory_at(&memory, entry, 1),
	      "the entry point is outside of memory");
	return error;
}

static int load_bzimage(const struct image *image)
{
	const struct svmrun_bzimage_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.initrd = image->extra,
		.initrd_size = image->extra_size,
		.command_line = image->command_line,
	};
	struct svmrun_bzimage_entry entry;
	int error = svmrun_bzimage_load(&memory, 1, &boot, &entry);

	svmrun_bzimage_is(image->bytes, image->size);
	return error ? error : check_entry(error, entry.rsi);
}

static int load_pvh(const struct image *image)
{
	const struct svmrun_pvh_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.initrd = image->extra,
		.initrd_size = image->extra_size,
		.command_line = image->command_line,
	};
	struct svmrun_pvh_entry entry;
	int error = svmrun_pvh_load(&memory, 1, &boot, &entry);

	svmrun_pvh_is(image->bytes, image->size);
	return error ? error : check_entry(error, entry.eip);
}

static int load_multiboot(const struct image *image)
{
	const struct svmrun_multiboot_module modules[] = {
		{ .bytes = image->extra, .size = image->extra_size },
		{ .command_line = image->command_line },
	};
	const struct svmrun_multiboot_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.command_line = image->command_line,
		.modules = modules,
		.module_count = image->extra_size % 3,
	};
	struct svmrun_multiboot_entry entry;
	int error = svmrun_multiboot_load(&memory, 1, &boot, &entry);

	svmrun_multiboot_is(image->bytes, image->size);
	return error ? error : check_entry(error, entry.eip);
}

static int load_multiboot2(const struct image *image)
{
	const struct svmrun_multiboot_module modules[] = {
		{ .bytes = image->extra, .size = image->extra_size },
		{ .command_line = image->command_line },
	};
	const struct svmrun_multiboot_boot boot = {
		.kernel = image->bytes,
		.kernel_size = image->size,
		.command_line = image->command_line,
		.modules = modules,
		.module_count = image->extra_size % 3,
		.acpi_rsdp = SVMRUN_E820_BIOS,
	};
	struct svmrun_multiboot_entry entry;
	int error = svmrun_multiboot2_load(&memory, 1, &boot, &entry);

	svmrun_multiboot2_is(image->bytes, image->size);
	return error ? error : check_entry(error, entry.eip);
}

/* The entry point is the image's own, and may be anywhere. The first page is the root. */
static int load_elf(const struct image *image)
{
	uint64_t entry;
	int error = svmrun_image_load_elf64(&memory, image->bytes, image->size,
					    &entry);

	if (error)
		return error;
	memset(memory.base, 0, PAGE);
	svmrun_image_elf64_map(&memory, image->bytes, image->size, 0, PAGE);
	return 0;
}

static int load_flat(const struct image *image)
{
	return svmrun_image_load_flat(&memory, image->bytes, image->size,
				      image->extra_size << 6);
}

static int load_firmware(const struct image *image)
{
	return svmrun_firmware_copy(&memory, image->bytes, image->size);
}

static int (*const loaders[])(const struct image *) = {
	load_bzimage, load_pvh,	     load_multiboot,  load_elf,
	load_flat,    load_firmware, load_multiboot2,
};

static void prepare(void)
{
	if (memory.base)
		return;
	memory.base = aligned_alloc(4096, MEMORY_SIZE);
	memory.size = MEMORY_SIZE;
	holds(!!memory.base, "no memory");
	memset(memory.base, RUBBISH, MEMORY_SIZE);
}

static bool is_unwritten(void)
{
	const uint8_t *bytes = memory.base;

	return bytes[0] == RUBBISH &&
	       !memcmp(bytes, bytes + 1, MEMORY_SIZE - 1);
}

/* The first bytes say what is loaded with the image, which is the rest. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const command_lines[] = { NULL, "", "one two" };
	static uint8_t extra[MEMORY_SIZE];
	struct input input = { bytes, size };
	unsigned int loader = input_below(&input, ARRAY_SIZE(loaders));
	struct image image = {
		.command_line = command_lines[input_below(&input, 3)],
		.extra = extra,
		.extra_size = input_take(&input, 2) << 5,
	};
	int error;

	prepare();
	image.bytes = input.bytes;
	image.size = input.left;
	error = loaders[loader](&image);
	if (error)
		holds(is_unwritten(), "memory was written before an error");
	else
		memset(memory.base, RUBBISH, MEMORY_SIZE);
	return 0;
}
