// SPDX-License-Identifier: LGPL-2.1-or-later
/* ELF executables for x86, 32-bit and 64-bit, loaded at physical addresses */
#include <errno.h>
#include <string.h>

#include "executable.h"

#define NOTE_ALIGN 4ull

const void *executable_at(const struct executable *executable, uint64_t offset,
			  uint64_t size)
{
	if (offset > executable->size || size > executable->size - offset)
		return NULL;
	return executable->bytes + offset;
}

static Elf64_Ehdr widen_header(const Elf32_Ehdr *header)
{
	return (Elf64_Ehdr){
		.e_type = header->e_type,
		.e_machine = header->e_machine,
		.e_entry = header->e_entry,
		.e_phoff = header->e_phoff,
		.e_phentsize = header->e_phentsize,
		.e_phnum = header->e_phnum,
	};
}

static Elf64_Phdr widen_segment(const Elf32_Phdr *segment)
{
	return (Elf64_Phdr){
		.p_type = segment->p_type,
		.p_flags = segment->p_flags,
		.p_offset = segment->p_offset,
		.p_vaddr = segment->p_vaddr,
		.p_paddr = segment->p_paddr,
		.p_filesz = segment->p_filesz,
		.p_memsz = segment->p_memsz,
		.p_align = segment->p_align,
	};
}

static size_t program_header_size(const struct executable *executable)
{
	return executable->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static int check_ident(struct executable *executable)
{
	const uint8_t *ident = executable_at(executable, 0, EI_NIDENT);

	if (!svmrun_image_is_elf(executable->bytes, executable->size))
		return -ENOEXEC;
	if (!ident)
		return -ENODATA;
	if (ident[EI_DATA] != ELFDATA2LSB ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return -ENOEXEC;
	executable->wide = ident[EI_CLASS] == ELFCLASS64;
	return 0;
}

static int read_header(const struct executable *executable, Elf64_Ehdr *header)
{
	const void *at = executable_at(executable, 0,
				       executable->wide ? sizeof(Elf64_Ehdr) :
							  sizeof(Elf32_Ehdr));
	Elf32_Ehdr narrow;

	if (!at)
		return -ENODATA;
	if (executable->wide) {
		memcpy(header, at, sizeof(*header));
		return 0;
	}
	memcpy(&narrow, at, sizeof(narrow));
	*header = widen_header(&narrow);
	return 0;
}

static int check_header(const struct executable *executable,
			const Elf64_Ehdr *header)
{
	size_t size = program_header_size(executable);

	if (header->e_machine != EM_X86_64 && header->e_machine != EM_386)
		return -EMEDIUMTYPE;
	if (header->e_type != ET_EXEC || header->e_phnum == PN_XNUM)
		return -ENOEXEC;
	if (header->e_phnum && header->e_phentsize != size)
		return -ENOEXEC;
	return executable_at(executable, header->e_phoff,
			     header->e_phnum * size) ?
		       0 :
		       -ENODATA;
}

int executable_open(struct executable *executable, const void *image,
		    size_t size)
{
	Elf64_Ehdr header;
	int ret;

	*executable = (struct executable){ .bytes = image, .size = size };
	ret = check_ident(executable);
	if (ret)
		return ret;
	ret = read_header(executable, &header);
	if (ret)
		return ret;
	ret = check_header(executable, &header);
	if (ret)
		return ret;
	executable->entry = header.e_entry;
	executable->table = header.e_phoff;
	executable->count = header.e_phnum;
	return 0;
}

/* Copy a program header, which need not be aligned in the file. */
Elf64_Phdr executable_segment(const struct executable *executable,
			      unsigned int index)
{
	const uint8_t *at = executable->bytes + executable->table +
			    index * program_header_size(executable);
	Elf64_Phdr segment;
	Elf32_Phdr narrow;

	if (executable->wide) {
		memcpy(&segment, at, sizeof(segment));
		return segment;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return widen_segment(&narrow);
}

static uint64_t pad_note(uint64_t size)
{
	return (size + NOTE_ALIGN - 1) & ~(NOTE_ALIGN - 1);
}

static bool is_note(const Elf64_Nhdr *note, const char *its_name,
		    const char *name, uint32_t type)
{
	size_t size = strlen(name) + 1;

	return note->n_type == type && note->n_namesz == size &&
	       !memcmp(its_name, name, size);
}

/* Search a segment of notes. Their header is the same in both classes. */
static const void *search_notes(const struct executable *notes,
				const char *name, uint32_t type, uint32_t *size)
{
	uint64_t offset = 0, description;
	Elf64_Nhdr note;
	const void *at;

	for (;;) {
		at = executable_at(notes, offset, sizeof(note));
		if (!at)
			return NULL;
		memcpy(&note, at, sizeof(note));
		offset += sizeof(note);
		description = offset + pad_note(note.n_namesz);
		at = executable_at(notes, description, note.n_descsz);
		if (!at)
			return NULL;
		*size = note.n_descsz;
		if (is_note(&note, (const char *)notes->bytes + offset, name,
			    type))
			return at;
		offset = description + pad_note(note.n_descsz);
	}
}

/*
 * Segments of notes have no bytes in common. Where they add up to more than the file, do not
 * search the rest: each of 65,534 segments can be the whole file.
 */
const void *executable_note(const struct executable *executable,
			    const char *name, uint32_t type, uint32_t *size)
{
	struct executable notes = { .size = 0 };
	uint64_t left = executable->size;
	const void *found = NULL;
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < executable->count && !found; i++) {
		segment = executable_segment(executable, i);
		if (segment.p_type != PT_NOTE)
			continue;
		if (segment.p_filesz > left)
			return NULL;
		left -= segment.p_filesz;
		notes.bytes = executable_at(executable, segment.p_offset,
					    segment.p_filesz);
		notes.size = segment.p_filesz;
		if (notes.bytes)
			found = search_notes(&notes, name, type, size);
	}
	return found;
}

static bool segment_is_loaded(const Elf64_Phdr *segment)
{
	return segment->p_type == PT_LOAD && segment->p_memsz;
}

static int occupy_segment(const struct executable *executable,
			  const Elf64_Phdr *segment, struct layout *layout)
{
	if (segment->p_filesz > segment->p_memsz)
		return -ENOEXEC;
	if (!executable_at(executable, segment->p_offset, segment->p_filesz))
		return -ENODATA;
	return layout_occupy(layout, segment->p_paddr, segment->p_memsz) ?
		       0 :
		       -ERANGE;
}

int executable_occupy(const struct executable *executable,
		      struct layout *layout)
{
	uint64_t left = layout->high.end;
	Elf64_Phdr segment;
	bool loaded = false;
	unsigned int i;
	int ret;

	for (i = 0; i < executable->count; i++) {
		segment = executable_segment(executable, i);
		if (!segment_is_loaded(&segment))
			continue;
		ret = occupy_segment(executable, &segment, layout);
		if (ret)
			return ret;
		if (segment.p_memsz > left)
			return -ENOEXEC;
		left -= segment.p_memsz;
		loaded = true;
	}
	return loaded ? 0 : -ENODATA;
}

bool executable_has(const struct executable *executable, uint64_t address)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < executable->count; i++) {
		segment = executable_segment(executable, i);
		if (segment_is_loaded(&segment) && address >= segment.p_paddr &&
		    address - segment.p_paddr < segment.p_memsz)
			return true;
	}
	return false;
}

/* Translate a virtual address, which differs in kernels that run in the upper half. */
static uint64_t physical_address(const struct executable *executable,
				 uint64_t address)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < executable->count; i++) {
		segment = executable_segment(executable, i);
		if (segment_is_loaded(&segment) && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_memsz)
			return address - segment.p_vaddr + segment.p_paddr;
	}
	return address;
}

int executable_entry(const struct executable *executable, uint32_t *entry)
{
	uint64_t address = physical_address(executable, executable->entry);

	if (address > UINT32_MAX || !executable_has(executable, address))
		return -ERANGE;
	*entry = address;
	return 0;
}

static void load_segment(const struct executable *executable,
			 const Elf64_Phdr *segment,
			 const struct svmrun_memory *memory)
{
	uint8_t *to = svmrun_memory_at(memory, segment->p_paddr,
				       segment->p_memsz);

	memcpy(to, executable->bytes + segment->p_offset, segment->p_filesz);
	memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
}

void executable_load(const struct executable *executable,
		     const struct svmrun_memory *memory)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < executable->count; i++) {
		segment = executable_segment(executable, i);
		if (segment_is_loaded(&segment))
			load_segment(executable, &segment, memory);
	}
}
