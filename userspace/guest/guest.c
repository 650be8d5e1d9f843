// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/file.h"
#include "common/message.h"
#include "common/status.h"
#include "guest.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096ull
#define STACK_SIZE (4 * PAGE) /* kept free below the top of memory */
#define SEGMENT 0x10000ull
#define REAL_END 0x100000ull
#define LOAD_REAL 0x7c00 /* where firmware puts a boot sector */
#define LOAD_OTHER 0x100000

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

static int add_memory(struct guest *guest, uint64_t gpa, uint64_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot have %llu bytes of memory for the guest: %s; ask for less with --mem",
				    (__u64)size, strerror(errno));
	guest->memories[guest->memory_count++] = (struct svmrun_memory){
		.base = base, .gpa = gpa, .size = size
	};
	return 0;
}

static int allocate(struct guest *guest, uint64_t size)
{
	int ret;

	if (size <= SVMRUN_E820_HOLE)
		return add_memory(guest, 0, size);
	ret = add_memory(guest, 0, SVMRUN_E820_HOLE);
	return ret ? ret :
		     add_memory(guest, SVMRUN_E820_ABOVE,
				size - SVMRUN_E820_HOLE);
}

int guest_add_rom(struct guest *guest, uint64_t gpa, uint64_t size)
{
	guest->rom_count++;
	return add_memory(guest, gpa, size);
}

void guest_destroy(struct guest *guest)
{
	while (guest->memory_count)
		svmrun_memory_destroy(&guest->memories[--guest->memory_count]);
}

/* Where an image may be: not where the stack and the tables will be. */
static int usable(const struct guest *guest, struct svmrun_memory *memory)
{
	__u64 keep = reserved(guest->mode);

	*memory = guest->memories[0];
	if (!keep)
		return 0;
	if (memory->size <= keep)
		return message_fail(STATUS_USAGE,
				    "--mem %zu: the stack and page tables of this mode take %llu bytes; more is wanted",
				    memory->size, keep);
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

/* What says more of itself comes first: some kernels are ELF as well. */
static enum format format_of(const struct run_options *options,
			     const struct file *file)
{
	if (options->format != FORMAT_AUTO)
		return options->format;
	if (svmrun_bzimage_is(file->bytes, file->size) ||
	    svmrun_pvh_is(file->bytes, file->size))
		return FORMAT_LINUX;
	if (svmrun_multiboot_is(file->bytes, file->size))
		return FORMAT_MULTIBOOT;
	return svmrun_image_is_elf(file->bytes, file->size) ? FORMAT_ELF :
							      FORMAT_FLAT;
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
	__u64 end = guest->memories[0].size;

	return guest->mode == MODE_REAL && end > REAL_END ? REAL_END : end;
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

static int load_image(struct guest *guest, const struct run_options *options,
		      const struct file *file)
{
	struct svmrun_memory memory;
	int ret;

	ret = usable(guest, &memory);
	if (ret)
		return ret;
	ret = guest->format == FORMAT_ELF ?
		      load_elf(guest, options, file, &memory) :
		      load_flat(guest, options, file, &memory);
	if (ret)
		return ret;
	guest->stack = memory.size + STACK_SIZE;
	return place_entry(guest, options);
}

/* What only some formats have a use for */
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
					    "%s: %s is of another format; --format says which it is",
					    rules[i].option, options->image);
	return guest->format == FORMAT_ELF ? check_elf_options(options) : 0;
}

static int create(struct guest *guest, const struct run_options *options,
		  const struct file *file)
{
	int ret;

	*guest = (struct guest){ .format = format_of(options, file),
				 .mode = options->mode };
	guest->is_pc = guest->format >= FORMAT_LINUX;
	ret = check_options(guest, options);
	if (ret)
		return ret;
	if (guest->mode == MODE_AUTO)
		guest->mode = guest->format == FORMAT_ELF ? MODE_LONG :
							    MODE_REAL;
	ret = allocate(guest, options->memory);
	if (!ret)
		ret = guest->is_pc ? kernel_load(guest, options, file) :
				     load_image(guest, options, file);
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

static int begin_image(struct guest *guest, struct svmrun_vcpu *vcpu)
{
	if (guest->mode == MODE_REAL)
		begin_real(guest, vcpu);
	else if (guest->mode == MODE_PROTECTED)
		svmrun_mode_protected(vcpu, guest->entry, guest->stack);
	else /* the tables are right above the stack */
		return svmrun_mode_long(vcpu, &guest->memories[0], guest->stack,
					guest->entry, guest->stack);
	return 0;
}

int guest_begin(struct guest *guest, struct machine *machine)
{
	struct svmrun_vcpu *vcpu = &machine->cpus[0].vcpu;
	int ret = guest->is_pc ? kernel_begin(guest, machine) :
				 begin_image(guest, vcpu);

	if (ret)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot set the guest up: %s",
				    strerror(-ret));
	return 0;
}
