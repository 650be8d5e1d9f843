// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunks.h"
#include "core.h"
#include "lib/x86.h"
#include "notes.h"

/**
 * struct layout - where the parts of the file are
 * @segments: number of program headers
 * @notes: offset of the notes
 * @notes_size: bytes of them
 * @memory: offset of the memory
 */
struct layout {
	size_t segments;
	uint64_t notes;
	uint64_t notes_size;
	uint64_t memory;
};

/**
 * struct core_memory - the memory's part of the file
 * @fd: the file
 * @memory: its offset
 */
struct core_memory {
	int fd;
	uint64_t memory;
};

static void put_notes(const struct core *core, struct notes *notes)
{
	notes_put_vcpus(notes, core->vcpus);
	if (core->info.size)
		notes_put_raw(notes, core->info.bytes, core->info.size);
}

static struct layout find_layout(const struct core *core)
{
	struct notes notes = { 0 };
	struct layout layout = {
		.segments = 1 + core->mappings.count +
			    core->saved->plan.memory_count,
	};

	put_notes(core, &notes);
	layout.notes = sizeof(Elf64_Ehdr) +
		       layout.segments * sizeof(Elf64_Phdr);
	layout.notes_size = notes.size;
	layout.memory = (layout.notes + notes.size + PAGE_SIZE - 1) &
			~(PAGE_SIZE - 1);
	return layout;
}

static void put_header(Elf64_Ehdr *header, const struct layout *layout)
{
	*header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = layout->segments,
	};
}

/* Return where the memory at a physical address is in the machine's memory. */
static uint64_t memory_offset(const struct core *core, uint64_t gpa)
{
	const struct svmrun_memory *memory = core->memories;
	uint64_t offset = 0;

	for (; gpa - memory->gpa >= memory->size; memory++)
		offset += memory->size;
	return offset + (gpa - memory->gpa);
}

static Elf64_Phdr segment_of(const struct core *core,
			     const struct layout *layout, uint64_t gva,
			     uint64_t gpa, uint64_t size)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = layout->memory + memory_offset(core, gpa),
		.p_vaddr = gva,
		.p_paddr = gpa,
		.p_filesz = size,
		.p_memsz = size,
	};
}

static void put_segments(Elf64_Phdr *segment, const struct core *core,
			 const struct layout *layout)
{
	size_t i;

	*segment++ = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = layout->notes,
		.p_filesz = layout->notes_size,
		.p_align = 4,
	};
	for (i = 0; i < core->mappings.count; i++) {
		const struct mapping *mapping = &core->mappings.list[i];

		*segment++ = segment_of(core, layout, mapping->gva,
					mapping->gpa, mapping->size);
	}
	for (i = 0; i < core->saved->plan.memory_count; i++) {
		const struct svmrun_memory *memory = &core->memories[i];

		*segment++ = segment_of(core, layout,
					CORE_PHYSICAL + memory->gpa,
					memory->gpa, memory->size);
	}
}

static int write_bytes(int fd, const uint8_t *bytes, size_t size,
		       uint64_t offset)
{
	ssize_t done;

	while (size) {
		done = pwrite(fd, bytes, size, offset);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			size -= done;
			offset += done;
		}
	}
	return 0;
}

static int write_headers(const struct core *core, const struct layout *layout,
			 int fd)
{
	uint8_t *bytes = calloc(1, layout->notes + layout->notes_size);
	struct notes notes = { .bytes = bytes + layout->notes };
	int ret;

	if (!bytes)
		return -ENOMEM;
	put_header((Elf64_Ehdr *)bytes, layout);
	put_segments((Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr)), core, layout);
	put_notes(core, &notes);
	ret = write_bytes(fd, bytes, layout->notes + layout->notes_size, 0);
	free(bytes);
	return ret;
}

static int write_chunk(void *owner, const uint8_t *bytes, size_t size,
		       uint64_t offset)
{
	const struct core_memory *output = owner;

	return write_bytes(output->fd, bytes, size, output->memory + offset);
}

int core_write(const struct core *core, int fd)
{
	const struct layout layout = find_layout(core);
	struct core_memory output = { fd, layout.memory };
	int ret;

	/* Holes of the memory are not written. */
	if (ftruncate(fd, layout.memory + core->saved->file.memory_size))
		return -errno;
	ret = write_headers(core, &layout, fd);
	if (!ret)
		ret = chunks_visit(core->saved, write_chunk, &output);
	return ret;
}
