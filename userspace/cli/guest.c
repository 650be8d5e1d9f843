// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "file.h"
#include "guest.h"
#include "message.h"
#include "status.h"

#define PAGE		4096ull
#define STACK_SIZE	(4 * PAGE) /* kept free below the top of memory */
#define GIB_4		(4ull << 30)
#define SEGMENT		0x10000ull
#define REAL_END	0x100000ull
#define LOAD_REAL	0x7c00 /* where firmware puts a boot sector */
#define LOAD_OTHER	0x100000

/*
 * The tables and the stack end where the guest reaches at its start: 32-bit
 * code to the last page of 4 GiB, long mode's tables map no more either.
 */
static uint64_t reach(const struct guest *guest)
{
	uint64_t most = GIB_4 - PAGE;

	return guest->memory.size < most ? guest->memory.size : most;
}

static uint64_t reserved(enum mode mode)
{
	switch (mode) {
	case MODE_LONG:
		return STACK_SIZE + SVMRUN_LONG_TABLES_SIZE;
	case MODE_PROTECTED:
		return STACK_SIZE;
	default:
		return 0;
	}
}

static int allocate(struct guest *guest, __u64 size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot have %llu bytes of memory for the guest: %s; ask for less with --mem",
				    size, strerror(errno));
	guest->memory = (struct svmrun_memory){ .base = base, .size = size };
	return 0;
}

void guest_destroy(struct guest *guest)
{
	svmrun_memory_destroy(&guest->memory);
}

/* Where an image may be: not where the stack and the tables will be. */
static int usable(const struct guest *guest, struct svmrun_memory *memory)
{
	__u64 keep = reserved(guest->mode);

	*memory = guest->memory;
	if (!keep)
		return 0;
	memory->size = reach(guest);
	if (memory->size <= keep)
		return message_fail(STATUS_USAGE,
				    "--mem %zu: the stack and page tables of this mode take %llu bytes; more is wanted",
				    guest->memory.size, keep);
	memory->size -= keep;
	return 0;
}

static int flat_failed(const struct run_options *options, int error,
		       const struct file *file, __u64 load,
		       const struct svmrun_memory *memory)
{
	if (error == ENODATA)
		return message_fail(STATUS_USAGE,
				    "%s: is empty; an image file is wanted",
				    options->image);
	return message_fail(STATUS_USAGE,
			    "%s: %zu bytes at 0x%llx do not fit below 0x%zx; more --mem or a lower --load is wanted",
			    options->image, file->size, load, memory->size);
}

static int load_flat(struct guest *guest, const struct run_options *options,
		     const struct file *file, struct svmrun_memory *memory)
{
	uint64_t load = guest->mode == MODE_REAL ? LOAD_REAL : LOAD_OTHER;
	int ret;

	if (options->has_load)
		load = options->load;
	guest->entry = load;
	ret = svmrun_image_load_flat(memory, file->bytes, file->size, load);
	return ret ? flat_failed(options, -ret, file, load, memory) : 0;
}

static int elf_failed(const char *image, int error,
		      const struct svmrun_memory *memory)
{
	switch (error) {
	case EMEDIUMTYPE:
		return message_fail(STATUS_USAGE,
				    "%s: is an ELF file for another machine; one for x86-64 is wanted",
				    image);
	case ERANGE:
		return message_fail(STATUS_USAGE,
				    "%s: a segment does not fit below 0x%zx; more --mem is wanted",
				    image, memory->size);
	case ENODATA:
		return message_fail(STATUS_USAGE,
				    "%s: has no segment to load; an executable is wanted",
				    image);
	default:
		return message_fail(STATUS_USAGE,
				    "%s: is not a whole 64-bit ELF executable linked to a fixed address; one for x86-64 is wanted (-static -no-pie)",
				    image);
	}
}

static int load_elf(struct guest *guest, const struct run_options *options,
		    const struct file *file, struct svmrun_memory *memory)
{
	int ret = svmrun_image_load_elf64(memory, file->bytes, file->size,
					  &guest->entry);

	return ret ? elf_failed(options->image, -ret, memory) : 0;
}

static bool is_elf(const struct run_options *options, const struct file *file)
{
	if (options->format == FORMAT_AUTO)
		return svmrun_image_is_elf(file->bytes, file->size);
	return options->format == FORMAT_ELF;
}

static int check_elf_options(const struct run_options *options)
{
	if (options->mode != MODE_AUTO && options->mode != MODE_LONG)
		return message_fail(STATUS_USAGE,
				    "%s: 64-bit ELF runs in long mode only; --mode long or --format flat is wanted",
				    options->image);
	if (options->has_load)
		return message_fail(STATUS_USAGE,
				    "--load: %s is ELF and says itself where it goes; --format flat is wanted with it",
				    options->image);
	return 0;
}

/* The highest address that a jump can begin at. */
static __u64 entry_end(const struct guest *guest)
{
	__u64 end = guest->memory.size;

	if (guest->mode == MODE_REAL)
		return end < REAL_END ? end : REAL_END;
	return end < GIB_4 ? end : GIB_4;
}

static int place_entry(struct guest *guest, const struct run_options *options)
{
	if (options->has_entry)
		guest->entry = options->entry;
	if (guest->entry < entry_end(guest))
		return 0;
	return message_fail(STATUS_USAGE,
			    "%s: entry 0x%llx is out of reach; an address below 0x%llx is wanted",
			    options->image, (__u64)guest->entry,
			    entry_end(guest));
}

static int load(struct guest *guest, const struct run_options *options,
		const struct file *file, bool elf)
{
	struct svmrun_memory memory;
	int ret;

	ret = usable(guest, &memory);
	if (ret)
		return ret;
	ret = elf ? load_elf(guest, options, file, &memory) :
		    load_flat(guest, options, file, &memory);
	if (ret)
		return ret;
	guest->stack = memory.size + STACK_SIZE;
	return place_entry(guest, options);
}

static int create(struct guest *guest, const struct run_options *options,
		  const struct file *file)
{
	bool elf = is_elf(options, file);
	int ret;

	ret = elf ? check_elf_options(options) : 0;
	if (ret)
		return ret;
	guest->mode = options->mode;
	if (guest->mode == MODE_AUTO)
		guest->mode = elf ? MODE_LONG : MODE_REAL;
	ret = allocate(guest, options->memory);
	if (ret)
		return ret;
	ret = load(guest, options, file, elf);
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
	ret = create(guest, options, &file);
	file_free(&file);
	return ret;
}

/* Beyond the first segment, CS:IP has the smallest IP that there is. */
static void begin_real(const struct guest *guest, struct svmrun_vcpu *vcpu)
{
	if (guest->entry < SEGMENT)
		svmrun_mode_real(vcpu, 0, guest->entry);
	else
		svmrun_mode_real(vcpu, guest->entry >> 4, guest->entry & 0xf);
}

int guest_begin(struct guest *guest, struct svmrun_vcpu *vcpu)
{
	int ret = 0;

	if (guest->mode == MODE_REAL)
		begin_real(guest, vcpu);
	else if (guest->mode == MODE_PROTECTED)
		svmrun_mode_protected(vcpu, guest->entry, guest->stack);
	else /* the tables are right above the stack */
		ret = svmrun_mode_long(vcpu, &guest->memory, guest->stack,
				       guest->entry, guest->stack);
	if (ret)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot set the guest up: %s",
				    strerror(-ret));
	return 0;
}
