// SPDX-License-Identifier: LGPL-2.1-or-later
/* Images that are copied to guest memory: flat ones and ELF executables */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include <svmrun.h>

/* The contents of a file, which are not trusted */
struct image {
	const uint8_t *bytes;
	size_t size;
};

static const void *image_at(const struct image *image, uint64_t offset,
			    uint64_t length)
{
	if (offset > image->size || length > image->size - offset)
		return NULL;
	return image->bytes + offset;
}

bool svmrun_image_is_elf(const void *image, size_t size)
{
	return size >= SELFMAG && !memcmp(image, ELFMAG, SELFMAG);
}

int svmrun_image_load_flat(struct svmrun_memory *memory, const void *image,
			   size_t size, uint64_t gpa)
{
	void *to = svmrun_memory_at(memory, gpa, size);

	if (!size)
		return -ENODATA;
	if (!to)
		return -ERANGE;
	memcpy(to, image, size);
	return 0;
}

/* Read the header, and check that it and the program headers are inside the image. */
static int read_elf_header(Elf64_Ehdr *header, const struct image *image)
{
	const void *at = image_at(image, 0, sizeof(*header));
	uint64_t size;

	if (!at || !svmrun_image_is_elf(image->bytes, image->size))
		return -ENOEXEC;
	memcpy(header, at, sizeof(*header));
	if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (header->e_machine != EM_X86_64)
		return -EMEDIUMTYPE;
	if (header->e_type != ET_EXEC ||
	    header->e_phentsize != sizeof(Elf64_Phdr) ||
	    header->e_phnum == PN_XNUM)
		return -ENOEXEC;
	size = header->e_phnum * sizeof(Elf64_Phdr);
	return image_at(image, header->e_phoff, size) ? 0 : -ENOEXEC;
}

/* Copy a program header, which need not be aligned in the file. */
static Elf64_Phdr read_program_header(const struct image *image,
				      const Elf64_Ehdr *header,
				      unsigned int index)
{
	Elf64_Phdr segment;

	memcpy(&segment,
	       image->bytes + header->e_phoff + index * sizeof(segment),
	       sizeof(segment));
	return segment;
}

static bool is_loaded_segment(const Elf64_Phdr *segment)
{
	return segment->p_type == PT_LOAD && segment->p_memsz;
}

static int check_segment(const Elf64_Phdr *segment, const struct image *image,
			 const struct svmrun_memory *memory)
{
	if (segment->p_filesz > segment->p_memsz ||
	    !image_at(image, segment->p_offset, segment->p_filesz))
		return -ENOEXEC;
	if (!svmrun_memory_at(memory, segment->p_paddr, segment->p_memsz))
		return -ERANGE;
	return 0;
}

/* Return the number of segments to load, or a negative errno if one is invalid. */
static int check_segments(const struct image *image, const Elf64_Ehdr *header,
			  const struct svmrun_memory *memory)
{
	uint64_t left = memory->size;
	Elf64_Phdr segment;
	int ret, loaded = 0;
	unsigned int i;

	for (i = 0; i < header->e_phnum; i++) {
		segment = read_program_header(image, header, i);
		if (!is_loaded_segment(&segment))
			continue;
		ret = check_segment(&segment, image, memory);
		if (ret)
			return ret;
		/* Those that add up to more are at the same addresses. */
		if (segment.p_memsz > left)
			return -ENOEXEC;
		left -= segment.p_memsz;
		loaded++;
	}
	return loaded;
}

static void load_elf64_segment(const Elf64_Phdr *segment,
			       const struct image *image,
			       const struct svmrun_memory *memory)
{
	uint8_t *to = svmrun_memory_at(memory, segment->p_paddr,
				       segment->p_memsz);

	memcpy(to, image->bytes + segment->p_offset, segment->p_filesz);
	memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
}

int svmrun_image_load_elf64(struct svmrun_memory *memory, const void *image,
			    size_t size, uint64_t *entry)
{
	const struct image file = { .bytes = image, .size = size };
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned int i;
	int ret;

	ret = read_elf_header(&header, &file);
	if (ret)
		return ret;
	ret = check_segments(&file, &header, memory);
	if (ret < 0)
		return ret;
	if (!ret)
		return -ENODATA;
	for (i = 0; i < header.e_phnum; i++) {
		segment = read_program_header(&file, &header, i);
		if (is_loaded_segment(&segment))
			load_elf64_segment(&segment, &file, memory);
	}
	*entry = header.e_entry;
	return 0;
}
