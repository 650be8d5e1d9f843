// SPDX-License-Identifier: LGPL-2.1-or-later
/* Images that are copied to guest memory: flat ones and ELF executables */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include <svmrun.h>

#include "x86.h"

#define LOAD 0x100000 /* load address of position-independent executables */
#define ALIGN_MAX (1ull << 30)
#define RELR_WORDS 63 /* words that a bitmap of relocations is about */
#define IDENTITY_END                                                           \
	(1ull << 32) /* end of the 1:1 mapping of svmrun_mode_long() */
#define CANONICAL (1ull << 47) /* end of the lower half of linear addresses */
#define TABLE_ENTRIES 512
#define TABLE_BITS 9
#define PAGE_BITS 12
#define TABLE_LEVELS 4

/**
 * struct image - the contents of a file, which are not trusted
 * @bytes: the file
 * @size: its size in bytes
 * @is_pie: its segments are loaded at their virtual addresses plus @bias
 * @bias: added to its addresses
 */
struct image {
	const uint8_t *bytes;
	size_t size;
	bool is_pie;
	uint64_t bias;
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
	if ((header->e_type != ET_EXEC && header->e_type != ET_DYN) ||
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

/* Return the guest physical address of a segment. */
static uint64_t segment_address(const struct image *image,
				const Elf64_Phdr *segment)
{
	return image->is_pie ? segment->p_vaddr + image->bias :
			       segment->p_paddr;
}

static int check_segment(const Elf64_Phdr *segment, const struct image *image,
			 const struct svmrun_memory *memory)
{
	if (segment->p_filesz > segment->p_memsz ||
	    !image_at(image, segment->p_offset, segment->p_filesz))
		return -ENOEXEC;
	if (!svmrun_memory_at(memory, segment_address(image, segment),
			      segment->p_memsz))
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
	uint8_t *to = svmrun_memory_at(memory, segment_address(image, segment),
				       segment->p_memsz);

	memcpy(to, image->bytes + segment->p_offset, segment->p_filesz);
	memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
}

/* ---- position-independent executables ------------------------------------ */

/**
 * struct dynamic - tables of relocations, by their virtual addresses
 * @rela: relocations with addends
 * @rela_size: bytes
 * @relr: relative relocations in compact form
 * @relr_size: bytes
 * @other_size: bytes of relocations of other kinds
 */
struct dynamic {
	uint64_t rela;
	uint64_t rela_size;
	uint64_t relr;
	uint64_t relr_size;
	uint64_t other_size;
};

/* Tags that the headers of older systems do not define */
#define DYNAMIC_RELRSZ 35
#define DYNAMIC_RELR 36

/* Return @size bytes of the file that are loaded at a virtual address, or NULL. */
static const void *loaded_bytes(const struct image *image,
				const Elf64_Ehdr *header, uint64_t address,
				uint64_t size)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < header->e_phnum; i++) {
		segment = read_program_header(image, header, i);
		if (is_loaded_segment(&segment) && address >= segment.p_vaddr &&
		    address - segment.p_vaddr <= segment.p_filesz &&
		    size <= segment.p_filesz - (address - segment.p_vaddr))
			return image_at(image,
					segment.p_offset + address -
						segment.p_vaddr,
					size);
	}
	return NULL;
}

static void read_dynamic_tag(struct dynamic *dynamic, const Elf64_Dyn *tag)
{
	switch (tag->d_tag) {
	case DT_RELA:
		dynamic->rela = tag->d_un.d_ptr;
		break;
	case DT_RELASZ:
		dynamic->rela_size = tag->d_un.d_val;
		break;
	case DYNAMIC_RELR:
		dynamic->relr = tag->d_un.d_ptr;
		break;
	case DYNAMIC_RELRSZ:
		dynamic->relr_size = tag->d_un.d_val;
		break;
	case DT_RELSZ:
	case DT_PLTRELSZ:
		dynamic->other_size |= tag->d_un.d_val;
		break;
	}
}

static void read_dynamic(struct dynamic *dynamic, const struct image *image,
			 const Elf64_Phdr *segment)
{
	uint64_t offset = 0;
	Elf64_Dyn tag;
	const void *at;

	for (;;) {
		at = image_at(image, segment->p_offset + offset, sizeof(tag));
		if (!at || segment->p_filesz - offset < sizeof(tag))
			return;
		memcpy(&tag, at, sizeof(tag));
		if (tag.d_tag == DT_NULL)
			return;
		read_dynamic_tag(dynamic, &tag);
		offset += sizeof(tag);
	}
}

/* An executable that needs another program to load it cannot be loaded. */
static int find_dynamic(struct dynamic *dynamic, const struct image *image,
			const Elf64_Ehdr *header)
{
	Elf64_Phdr segment;
	unsigned int i;

	*dynamic = (struct dynamic){ 0 };
	if (!image->is_pie)
		return 0;
	for (i = 0; i < header->e_phnum; i++) {
		segment = read_program_header(image, header, i);
		if (segment.p_type == PT_INTERP)
			return -EOPNOTSUPP;
		if (segment.p_type == PT_DYNAMIC &&
		    image_at(image, segment.p_offset, segment.p_filesz))
			read_dynamic(dynamic, image, &segment);
	}
	return dynamic->other_size ? -EOPNOTSUPP : 0;
}

/* Choose the bias so that the lowest address is at 1 MiB, or where memory begins. */
static void place_image(struct image *image, const Elf64_Ehdr *header,
			const struct svmrun_memory *memory)
{
	uint64_t lowest = UINT64_MAX, align = PAGE_SIZE;
	uint64_t to = svmrun_memory_at(memory, LOAD, 1) ? LOAD : memory->gpa;
	Elf64_Phdr segment;
	unsigned int i;

	image->is_pie = header->e_type == ET_DYN;
	for (i = 0; i < header->e_phnum && image->is_pie; i++) {
		segment = read_program_header(image, header, i);
		if (!is_loaded_segment(&segment))
			continue;
		if (segment.p_vaddr < lowest)
			lowest = segment.p_vaddr;
		if (segment.p_align > align && segment.p_align <= ALIGN_MAX &&
		    !(segment.p_align & (segment.p_align - 1)))
			align = segment.p_align;
	}
	image->bias = ((to + align - 1) & -align) - (lowest & -align);
}

/* Add the bias to a word in memory, or store a value, if the word is in memory. */
static int relocate_word(const struct svmrun_memory *memory, uint64_t address,
			 uint64_t bias, const uint64_t *value, bool write)
{
	void *at = svmrun_memory_at(memory, address, sizeof(*value));
	uint64_t word;

	if (!at)
		return -ERANGE;
	if (!write)
		return 0;
	if (value)
		word = *value;
	else
		memcpy(&word, at, sizeof(word));
	word += bias;
	memcpy(at, &word, sizeof(word));
	return 0;
}

static int apply_rela(const struct image *image, const uint8_t *table,
		      uint64_t size, const struct svmrun_memory *memory,
		      bool write)
{
	Elf64_Rela rela;
	uint64_t addend, at;
	int ret;

	for (at = 0; at + sizeof(rela) <= size; at += sizeof(rela)) {
		memcpy(&rela, table + at, sizeof(rela));
		if (ELF64_R_TYPE(rela.r_info) == R_X86_64_NONE)
			continue;
		if (ELF64_R_TYPE(rela.r_info) != R_X86_64_RELATIVE)
			return -EOPNOTSUPP;
		addend = rela.r_addend;
		ret = relocate_word(memory, rela.r_offset + image->bias,
				    image->bias, &addend, write);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * An even entry is the address of a word. An odd one is a bitmap of the 63 words that follow
 * the previous ones.
 */
static int apply_relr(const struct image *image, const uint8_t *table,
		      uint64_t size, const struct svmrun_memory *memory,
		      bool write)
{
	uint64_t entry, at, next = 0, word;
	int ret = 0;

	for (at = 0; at + sizeof(entry) <= size; at += sizeof(entry)) {
		memcpy(&entry, table + at, sizeof(entry));
		if (!(entry & 1)) {
			next = entry + image->bias;
			ret = relocate_word(memory, next, image->bias, NULL,
					    write);
			next += sizeof(entry);
			if (ret)
				return ret;
			continue;
		}
		for (word = next; entry >>= 1; word += sizeof(entry)) {
			if (entry & 1)
				ret = relocate_word(memory, word, image->bias,
						    NULL, write);
			if (ret)
				return ret;
		}
		next += RELR_WORDS * sizeof(entry);
	}
	return 0;
}

/* Check the relocations, or write them after the segments have been loaded. */
static int relocate_image(const struct image *image, const Elf64_Ehdr *header,
			  const struct dynamic *dynamic,
			  const struct svmrun_memory *memory, bool write)
{
	const void *rela = loaded_bytes(image, header, dynamic->rela,
					dynamic->rela_size);
	const void *relr = loaded_bytes(image, header, dynamic->relr,
					dynamic->relr_size);
	int ret;

	if ((dynamic->rela_size && !rela) || (dynamic->relr_size && !relr))
		return -ENOEXEC;
	ret = apply_rela(image, rela, dynamic->rela_size, memory, write);
	return ret ? ret :
		     apply_relr(image, relr, dynamic->relr_size, memory, write);
}

static int check_image(struct image *image, const Elf64_Ehdr *header,
		       const struct svmrun_memory *memory,
		       struct dynamic *dynamic)
{
	int ret;

	place_image(image, header, memory);
	ret = check_segments(image, header, memory);
	if (ret <= 0)
		return ret ? ret : -ENODATA;
	ret = find_dynamic(dynamic, image, header);
	return ret ? ret :
		     relocate_image(image, header, dynamic, memory, false);
}

int svmrun_image_load_elf64(struct svmrun_memory *memory, const void *image,
			    size_t size, uint64_t *entry)
{
	struct image file = { .bytes = image, .size = size };
	struct dynamic dynamic;
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned int i;
	int ret;

	ret = read_elf_header(&header, &file);
	if (ret)
		return ret;
	ret = check_image(&file, &header, memory, &dynamic);
	if (ret)
		return ret;
	for (i = 0; i < header.e_phnum; i++) {
		segment = read_program_header(&file, &header, i);
		if (is_loaded_segment(&segment))
			load_elf64_segment(&segment, &file, memory);
	}
	relocate_image(&file, &header, &dynamic, memory, true);
	*entry = header.e_entry + (file.is_pie ? file.bias : 0);
	return 0;
}

/* ---- virtual addresses --------------------------------------------------- */

static bool is_mapped_segment(const Elf64_Phdr *segment)
{
	return is_loaded_segment(segment) && segment->p_vaddr >= IDENTITY_END;
}

/* The range does not include addresses whose bits 48 to 63 differ from bit 47. */
static bool is_canonical_range(uint64_t address, uint64_t size)
{
	uint64_t end = address < CANONICAL ? CANONICAL : 0;

	return (address < CANONICAL || address >= -CANONICAL) &&
	       size <= end - address;
}

/* Return the pages for tables that map a segment, if it shares them with no other. */
static uint64_t count_tables(const Elf64_Phdr *segment)
{
	uint64_t first = segment->p_vaddr, count = 0;
	uint64_t last = first + segment->p_memsz - 1;
	unsigned int level;

	for (level = 1; level < TABLE_LEVELS; level++)
		count += (last >> (PAGE_BITS + level * TABLE_BITS)) -
			 (first >> (PAGE_BITS + level * TABLE_BITS)) + 1;
	return count;
}

int64_t svmrun_image_elf64_tables(const void *image, size_t size)
{
	const struct image file = { .bytes = image, .size = size };
	uint64_t pages = 0;
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned int i;
	int ret;

	ret = read_elf_header(&header, &file);
	if (ret)
		return ret;
	if (header.e_type == ET_DYN)
		return 0;
	for (i = 0; i < header.e_phnum; i++) {
		segment = read_program_header(&file, &header, i);
		if (!is_mapped_segment(&segment))
			continue;
		if ((segment.p_vaddr - segment.p_paddr) % PAGE_SIZE ||
		    !is_canonical_range(segment.p_vaddr, segment.p_memsz))
			return -ENOEXEC;
		pages += count_tables(&segment);
	}
	return pages * PAGE_SIZE;
}

/* The pages that are left for tables, while they are used */
struct tables {
	const struct svmrun_memory *memory;
	uint64_t next;
	uint64_t end;
};

/* Return the table that an entry refers to. Add one if there is none. */
static uint64_t *next_table(struct tables *tables, uint64_t *entry)
{
	uint64_t *table;

	if (*entry & PTE_P)
		return svmrun_memory_at(tables->memory, *entry & PTE_ADDRESS,
					PAGE_SIZE);
	if (tables->next == tables->end)
		return NULL;
	table = svmrun_memory_at(tables->memory, tables->next, PAGE_SIZE);
	if (!table)
		return NULL;
	memset(table, 0, PAGE_SIZE);
	*entry = tables->next | PTE_P | PTE_W;
	tables->next += PAGE_SIZE;
	return table;
}

static int map_page(struct tables *tables, uint64_t root, uint64_t linear,
		    uint64_t gpa)
{
	uint64_t *table = svmrun_memory_at(tables->memory, root, PAGE_SIZE);
	unsigned int level;

	for (level = TABLE_LEVELS - 1; table; level--) {
		unsigned int shift = PAGE_BITS + level * TABLE_BITS;
		uint64_t *entry = table + (linear >> shift) % TABLE_ENTRIES;

		if (!level) {
			*entry = gpa | PTE_P | PTE_W;
			return 0;
		}
		table = next_table(tables, entry);
	}
	return -ENOSPC;
}

static int map_segment(const Elf64_Phdr *segment, struct tables *tables,
		       uint64_t root)
{
	uint64_t first = segment->p_vaddr & ~(PAGE_SIZE - 1);
	uint64_t last = (segment->p_vaddr + segment->p_memsz - 1) &
			~(PAGE_SIZE - 1);
	uint64_t distance = segment->p_vaddr - segment->p_paddr;
	uint64_t linear = first;
	int ret;

	for (;;) {
		ret = map_page(tables, root, linear, linear - distance);
		if (ret || linear == last)
			return ret;
		linear += PAGE_SIZE;
	}
}

int svmrun_image_elf64_map(struct svmrun_memory *memory, const void *image,
			   size_t size, uint64_t root, uint64_t tables)
{
	const struct image file = { .bytes = image, .size = size };
	struct tables left = { .memory = memory, .next = tables };
	int64_t needed = svmrun_image_elf64_tables(image, size);
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned int i;
	int ret;

	if (needed <= 0)
		return needed;
	if (tables % PAGE_SIZE || root % PAGE_SIZE)
		return -EINVAL;
	ret = read_elf_header(&header, &file);
	if (!ret)
		ret = check_segments(&file, &header, memory);
	if (ret < 0)
		return ret;
	if (!svmrun_memory_at(memory, tables, needed))
		return -ERANGE;
	left.end = tables + needed;
	for (i = 0, ret = 0; i < header.e_phnum && !ret; i++) {
		segment = read_program_header(&file, &header, i);
		if (is_mapped_segment(&segment))
			ret = map_segment(&segment, &left, root);
	}
	return ret;
}
