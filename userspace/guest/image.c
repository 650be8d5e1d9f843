// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <svmrun/e820.h>

#include "common/message.h"
#include "common/status.h"
#include "image.h"
#include "lib/x86.h"

#define STACK_SIZE (4 * PAGE_SIZE) /* kept free below the top of memory */
#define SEGMENT 0x10000ull
#define REAL_END 0x100000ull
#define IDENTITY_END (1ull << 32) /* of what is mapped 1:1 in long mode */
#define LOAD_REAL 0x7c00 /* where firmware puts a boot sector */
#define LOAD_OTHER 0x100000

static uint64_t stack_and_tables_size(enum mode mode)
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

/* Return the memory for the image, without that for the stack and the page tables. */
static int usable_memory(const struct guest *guest,
			 struct svmrun_memory *memory)
{
	__u64 keep = stack_and_tables_size(guest->mode) + guest->tables;

	*memory = guest->memories[0];
	if (!keep)
		return 0;
	if (memory->size <= keep)
		return message_fail(STATUS_USAGE,
				    "--mem %zu: too small; the stack and page tables of this mode need %llu bytes",
				    memory->size, keep);
	memory->size -= keep;
	return 0;
}

static int flat_failed(const struct run_options *options, int error,
		       const struct file *file, __u64 load,
		       const struct svmrun_memory *memory)
{
	if (error == ENODATA)
		return message_fail(STATUS_USAGE, "%s: file is empty",
				    options->image);
	if (file->size > SVMRUN_E820_HOLE || load > SVMRUN_E820_HOLE)
		return message_fail(STATUS_USAGE,
				    "%s: %zu bytes at 0x%llx do not fit below 0x%zx",
				    options->image, file->size, load,
				    memory->size);
	return message_fail(STATUS_USAGE,
			    "%s: %zu bytes at 0x%llx do not fit below 0x%zx; use a larger --mem",
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

/* Return the segment that is outside of memory, of a file whose headers are valid. */
static Elf64_Phdr find_outside(const struct file *file,
			       const Elf64_Ehdr *header,
			       const struct svmrun_memory *memory)
{
	Elf64_Phdr segment = { 0 };
	unsigned int i;

	for (i = 0; i < header->e_phnum; i++) {
		memcpy(&segment,
		       file->bytes + header->e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_memsz &&
		    !svmrun_memory_at(memory, segment.p_paddr, segment.p_memsz))
			break;
	}
	return segment;
}

static int elf_outside(const char *image, const struct file *file,
		       const struct svmrun_memory *memory)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	bool fits;

	memcpy(&header, file->bytes, sizeof(header));
	if (header.e_type == ET_DYN)
		return message_fail(STATUS_USAGE,
				    "%s: position-independent executable is larger than the usable guest memory above 1 MiB, which ends at 0x%zx",
				    image, memory->size);
	segment = find_outside(file, &header, memory);
	fits = segment.p_paddr < SVMRUN_E820_HOLE &&
	       segment.p_memsz < SVMRUN_E820_HOLE - segment.p_paddr;
	return message_fail(STATUS_USAGE,
			    "%s: segment of %llu bytes at 0x%llx is outside the usable guest memory, which ends at 0x%zx%s",
			    image, (__u64)segment.p_memsz,
			    (__u64)segment.p_paddr, memory->size,
			    fits ? "; use a larger --mem" : "");
}

static int elf_failed(const char *image, int error, const struct file *file,
		      const struct svmrun_memory *memory)
{
	switch (error) {
	case EMEDIUMTYPE:
		return message_fail(STATUS_USAGE,
				    "%s: ELF file is not for x86-64", image);
	case ERANGE:
		return elf_outside(image, file, memory);
	case ENODATA:
		return message_fail(STATUS_USAGE,
				    "%s: ELF file has no segment to load",
				    image);
	case EOPNOTSUPP:
		return message_fail(STATUS_USAGE,
				    "%s: needs a dynamic linker, or relocations that are not relative; link it with -static or -static-pie",
				    image);
	default:
		return message_fail(STATUS_USAGE,
				    "%s: not a complete 64-bit ELF executable",
				    image);
	}
}

static int load_elf(struct guest *guest, const struct run_options *options,
		    const struct file *file, struct svmrun_memory *memory)
{
	int ret = svmrun_image_load_elf64(memory, file->bytes, file->size,
					  &guest->entry);

	return ret ? elf_failed(options->image, -ret, file, memory) : 0;
}

/*
 * Return the size of the page tables that map an ELF file at its virtual addresses. If
 * something is wrong with the file, its loader says so.
 */
static __u64 measure_tables(const struct file *file)
{
	__s64 size = svmrun_image_elf64_tables(file->bytes, file->size);

	return size > 0 ? size : 0;
}

/* Return the end of the addresses that can be an entry point. */
static __u64 entry_end(const struct guest *guest)
{
	__u64 end = guest->memories[0].size;

	return guest->mode == MODE_REAL && end > REAL_END ? REAL_END : end;
}

static int place_entry(struct guest *guest, const struct run_options *options)
{
	if (options->has_entry)
		guest->entry = options->entry;
	if (guest->entry < entry_end(guest) ||
	    (guest->tables && guest->entry >= IDENTITY_END))
		return 0;
	return message_fail(STATUS_USAGE,
			    "%s: entry point 0x%llx is not below 0x%llx",
			    options->image, (__u64)guest->entry,
			    entry_end(guest));
}

int guest_load_image(struct guest *guest, const struct run_options *options,
		     const struct file *file)
{
	struct svmrun_memory memory;
	int ret;

	if (guest->format == FORMAT_ELF)
		guest->tables = measure_tables(file);
	ret = usable_memory(guest, &memory);
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

/* An entry point beyond the first segment has CS with the smallest IP. */
static void begin_real(const struct guest *guest, struct svmrun_vcpu *vcpu)
{
	if (guest->entry < SEGMENT)
		svmrun_mode_real(vcpu, 0, guest->entry);
	else
		svmrun_mode_real(vcpu, guest->entry >> 4, guest->entry & 0xf);
}

/* The page tables are directly above the stack. */
static int begin_long(struct guest *guest, struct svmrun_vcpu *vcpu)
{
	struct svmrun_memory *memory = &guest->memories[0];
	__u64 tables = guest->stack;
	int ret = svmrun_mode_long(vcpu, memory, tables, guest->entry,
				   guest->stack);

	if (ret || !guest->tables)
		return ret;
	return svmrun_image_elf64_map(memory, guest->file.bytes,
				      guest->file.size, tables,
				      tables + SVMRUN_LONG_TABLES_SIZE);
}

int guest_begin_image(struct guest *guest, struct svmrun_vcpu *vcpu)
{
	if (guest->mode == MODE_REAL)
		begin_real(guest, vcpu);
	else if (guest->mode == MODE_PROTECTED)
		svmrun_mode_protected(vcpu, guest->entry, guest->stack);
	else
		return begin_long(guest, vcpu);
	return 0;
}
