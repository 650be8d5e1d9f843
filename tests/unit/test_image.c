// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_image_load_flat() and svmrun_image_load_elf64(): images are loaded to the right
 * addresses, and malformed ones are refused before anything is written.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <svmrun.h>

#include "suites.h"

#define BASE		0x1000 /* address of guest memory */
#define SIZE		0x2000
#define RUBBISH		0xa5
#define PAGE 4096
#define MUTATIONS	20000

/* An image with two segments to load: code, and data of which half is not in the file */
struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment[3];
	uint8_t code[16];
	uint8_t data[16];
};

static uint8_t bytes[SIZE];
static struct svmrun_memory memory = { .base = bytes,
				       .gpa = BASE,
				       .size = SIZE };

static Elf64_Phdr segment(uint32_t type, uint64_t offset, uint64_t address,
			  uint64_t file, uint64_t memory_size)
{
	return (Elf64_Phdr){
		.p_type = type,
		.p_offset = offset,
		.p_vaddr = 0xffffffff80000000,
		.p_paddr = address,
		.p_filesz = file,
		.p_memsz = memory_size,
	};
}

static struct elf good(void)
{
	struct elf elf = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = 0x1004,
			.e_phoff = offsetof(struct elf, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3,
		},
	};

	elf.segment[0] = segment(PT_LOAD, offsetof(struct elf, code), BASE, 16,
				 16);
	elf.segment[1] = segment(PT_NOTE, 0, 0, 1 << 20, 1 << 20);
	elf.segment[2] = segment(PT_LOAD, offsetof(struct elf, data),
				 BASE + SIZE - 32, 16, 32);
	memset(elf.code, 0x90, sizeof(elf.code));
	memset(elf.data, 0x11, sizeof(elf.data));
	memset(bytes, RUBBISH, sizeof(bytes));
	return elf;
}

static int load(const struct elf *elf, size_t size)
{
	uint64_t entry = 0;

	return svmrun_image_load_elf64(&memory, elf, size, &entry);
}

/* Loading fails, and no byte of guest memory has been written. */
static void refused(const struct elf *elf, int error)
{
	size_t i;

	ck_assert_int_eq(load(elf, sizeof(*elf)), error);
	for (i = 0; i < SIZE; i++)
		ck_assert_uint_eq(bytes[i], RUBBISH);
}

START_TEST(is_elf_looks_for_the_magic_number)
{
	ck_assert(svmrun_image_is_elf("\177ELF", 4));
	ck_assert(!svmrun_image_is_elf("\177ELG", 4));
	ck_assert(!svmrun_image_is_elf("\177ELF", 3));
	ck_assert(!svmrun_image_is_elf("", 0));
}

START_TEST(flat_is_loaded_at_its_address)
{
	good();
	ck_assert_int_eq(svmrun_image_load_flat(&memory, "abc", 3,
						BASE + SIZE - 3),
			 0);
	ck_assert_mem_eq(bytes + SIZE - 3, "abc", 3);
	ck_assert_uint_eq(bytes[SIZE - 4], RUBBISH);
}

START_TEST(flat_refuses_what_does_not_fit)
{
	good();
	ck_assert_int_eq(svmrun_image_load_flat(&memory, "abc", 3,
						BASE + SIZE - 2),
			 -ERANGE);
	ck_assert_int_eq(svmrun_image_load_flat(&memory, "abc", 3, BASE - 1),
			 -ERANGE);
	ck_assert_int_eq(svmrun_image_load_flat(&memory, "abc", 3, -1ull),
			 -ERANGE);
	ck_assert_uint_eq(bytes[SIZE - 1], RUBBISH);
}

START_TEST(flat_refuses_an_empty_image)
{
	ck_assert_int_eq(svmrun_image_load_flat(&memory, "", 0, BASE),
			 -ENODATA);
}

START_TEST(elf_segments_go_to_their_physical_addresses)
{
	struct elf elf = good();
	uint64_t entry = 0;

	ck_assert_int_eq(svmrun_image_load_elf64(&memory, &elf, sizeof(elf),
						 &entry),
			 0);
	ck_assert_uint_eq(entry, 0x1004);
	ck_assert_mem_eq(bytes, elf.code, 16);
	ck_assert_uint_eq(bytes[16], RUBBISH);
	ck_assert_mem_eq(bytes + SIZE - 32, elf.data, 16);
}

START_TEST(elf_memory_that_is_not_in_the_file_is_zero)
{
	static const uint8_t zeros[16];
	struct elf elf = good();

	ck_assert_int_eq(load(&elf, sizeof(elf)), 0);
	ck_assert_mem_eq(bytes + SIZE - 16, zeros, 16);
}

START_TEST(elf_of_32_bits_is_refused)
{
	struct elf elf = good();

	elf.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused(&elf, -ENOEXEC);
}

START_TEST(elf_of_the_other_byte_order_is_refused)
{
	struct elf elf = good();

	elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
	refused(&elf, -ENOEXEC);
}

START_TEST(elf_of_another_machine_is_refused)
{
	struct elf elf = good();

	elf.header.e_machine = EM_AARCH64;
	refused(&elf, -EMEDIUMTYPE);
}

START_TEST(elf_that_is_no_executable_is_refused)
{
	struct elf elf = good();

	elf.header.e_type = ET_CORE;
	refused(&elf, -ENOEXEC);
	elf.header.e_type = ET_REL;
	refused(&elf, -ENOEXEC);
}

/* A position-independent executable: a page with everything, linked at PIE_LINK */
struct pie {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	Elf64_Dyn dynamic[5];
	Elf64_Rela rela[2];
	uint64_t relr[3];
	uint64_t words[70];
};

#define PIE_LINK 0x5000
#define PIE_AT(member) (PIE_LINK + offsetof(struct pie, member))

static struct pie good_pie(void)
{
	struct elf elf = good();
	struct pie pie = {
		.header = elf.header,
		.dynamic = {
			{ DT_RELA, { PIE_AT(rela) } },
			{ DT_RELASZ, { sizeof(pie.rela) } },
			{ 36, { PIE_AT(relr) } },
			{ 35, { sizeof(pie.relr) } },
		},
		.rela = {
			{ PIE_AT(words[0]), R_X86_64_RELATIVE, PIE_LINK + 8 },
			{ 0, R_X86_64_NONE, 0 },
		},
		/* Word 2; words 3 and 64 or 65; words 66 and 68 */
		.relr = { PIE_AT(words[2]), 3 | 1ull << 63, 1 | 5 << 1 },
	};
	unsigned int i;

	pie.header.e_type = ET_DYN;
	pie.header.e_entry = PIE_LINK + 4;
	pie.header.e_phoff = offsetof(struct pie, segment);
	pie.header.e_phnum = 2;
	pie.segment[0] = segment(PT_LOAD, 0, 0, sizeof(pie), sizeof(pie));
	pie.segment[0].p_vaddr = PIE_LINK;
	pie.segment[1] = segment(PT_DYNAMIC, offsetof(struct pie, dynamic), 0,
				 sizeof(pie.dynamic), 0);
	for (i = 0; i < 70; i++)
		pie.words[i] = PIE_LINK + i;
	return pie;
}

START_TEST(pie_is_relocated)
{
	const uint64_t bias = BASE - PIE_LINK;
	const struct pie pie = good_pie(), *loaded = (struct pie *)bytes;
	uint64_t entry;
	unsigned int i;

	ck_assert_int_eq(svmrun_image_load_elf64(&memory, &pie, sizeof(pie),
						 &entry),
			 0);
	ck_assert_uint_eq(entry, BASE + 4);
	ck_assert_uint_eq(loaded->words[0], BASE + 8);
	for (i = 1; i < 70; i++) {
		bool moved = i == 2 || i == 3 || i == 65 || i == 66 || i == 68;

		ck_assert_uint_eq(loaded->words[i],
				  PIE_LINK + i + (moved ? bias : 0));
	}
	ck_assert_int_eq(svmrun_image_elf64_tables(&pie, sizeof(pie)), 0);
}

static void pie_refused(const struct pie *pie, int error)
{
	uint64_t entry;
	size_t i;

	ck_assert_int_eq(svmrun_image_load_elf64(&memory, pie, sizeof(*pie),
						 &entry),
			 error);
	for (i = 0; i < SIZE; i++)
		ck_assert_uint_eq(bytes[i], RUBBISH);
}

START_TEST(pie_that_needs_more_is_refused)
{
	struct pie pie = good_pie();

	pie.rela[1].r_info = R_X86_64_IRELATIVE;
	pie_refused(&pie, -EOPNOTSUPP);
	pie = good_pie();
	pie.dynamic[0].d_tag = DT_PLTRELSZ;
	pie_refused(&pie, -EOPNOTSUPP);
	pie = good_pie();
	pie.segment[1].p_type = PT_INTERP;
	pie_refused(&pie, -EOPNOTSUPP);
	pie = good_pie();
	pie.dynamic[1].d_un.d_val = sizeof(pie);
	pie_refused(&pie, -ENOEXEC);
	pie = good_pie();
	pie.rela[0].r_offset = PIE_LINK + SIZE - 7;
	pie_refused(&pie, -ERANGE);
	pie = good_pie();
	pie.relr[0] = PIE_LINK - 8;
	pie_refused(&pie, -ERANGE);
	pie = good_pie();
	pie.segment[0].p_memsz = SIZE + 1;
	pie_refused(&pie, -ERANGE);
}

START_TEST(random_bytes_in_pie_are_harmless)
{
	const struct pie valid = good_pie();
	struct pie *pie = malloc(sizeof(*pie));
	int i, loaded = 0;
	uint64_t entry;
	size_t count;

	ck_assert_ptr_nonnull(pie);
	srandom(2);
	for (i = 0; i < MUTATIONS; i++) {
		*pie = valid;
		for (count = random() % 8; count; count--)
			((uint8_t *)pie)[random() % sizeof(*pie)] = random();
		loaded += !svmrun_image_load_elf64(&memory, pie, sizeof(*pie),
						   &entry);
	}
	ck_assert_int_gt(loaded, 0);
	ck_assert_int_lt(loaded, MUTATIONS);
	free(pie);
}

START_TEST(elf_without_the_magic_number_is_refused)
{
	struct elf elf = good();

	elf.header.e_ident[0] = 0;
	refused(&elf, -ENOEXEC);
}

START_TEST(elf_with_odd_program_headers_is_refused)
{
	struct elf elf = good();

	elf.header.e_phentsize--;
	refused(&elf, -ENOEXEC);
}

/* From PN_XNUM on, the number of headers is elsewhere in the file. */
START_TEST(elf_with_too_many_program_headers_is_refused)
{
	size_t size = sizeof(struct elf) + PN_XNUM * sizeof(Elf64_Phdr);
	struct elf *elf = calloc(1, size);

	elf->header = good().header;
	elf->header.e_phnum = PN_XNUM - 1;
	ck_assert_int_eq(load(elf, size), -ENODATA);
	elf->header.e_phnum = PN_XNUM;
	ck_assert_int_eq(load(elf, size), -ENOEXEC);
	free(elf);
}

START_TEST(elf_that_is_cut_off_anywhere_is_refused)
{
	struct elf elf = good();
	size_t size;

	for (size = 0; size < sizeof(elf); size++)
		ck_assert_int_eq(load(&elf, size), -ENOEXEC);
	ck_assert_uint_eq(bytes[0], RUBBISH);
}

START_TEST(elf_with_program_headers_beyond_the_end_is_refused)
{
	struct elf elf = good();

	elf.header.e_phoff = sizeof(elf) - 1;
	refused(&elf, -ENOEXEC);
	elf.header.e_phoff = UINT64_MAX - 8;
	refused(&elf, -ENOEXEC);
}

START_TEST(elf_segment_larger_in_the_file_is_refused)
{
	struct elf elf = good();

	elf.segment[2].p_memsz = elf.segment[2].p_filesz - 1;
	refused(&elf, -ENOEXEC);
}

START_TEST(elf_segment_outside_of_memory_is_refused)
{
	struct elf elf = good();

	elf.segment[2].p_paddr++;
	refused(&elf, -ERANGE);
	elf.segment[2].p_paddr = BASE - 1;
	refused(&elf, -ERANGE);
	elf.segment[2].p_paddr = UINT64_MAX - 15;
	refused(&elf, -ERANGE);
	elf = good();
	elf.segment[2].p_memsz = UINT64_MAX;
	refused(&elf, -ERANGE);
}

START_TEST(elf_segments_at_the_same_addresses_are_refused)
{
	struct elf elf = good();

	elf.segment[0].p_memsz = SIZE;
	refused(&elf, -ENOEXEC);
}

#define MAP_SIZE (64 * PAGE)
#define MAP_ROOT (8 * PAGE)
#define MAP_TABLES (16 * PAGE)

static uint64_t entry_at(const uint8_t *ram, uint64_t table, uint64_t linear,
			 unsigned int level)
{
	uint64_t entry;

	memcpy(&entry,
	       ram + table + (linear >> (12 + 9 * level)) % 512 * sizeof(entry),
	       sizeof(entry));
	return entry;
}

/* Return the guest physical address of a linear one, 0 if it is not mapped. */
static uint64_t walk(const uint8_t *ram, uint64_t linear)
{
	uint64_t entry = MAP_ROOT;
	unsigned int level;

	for (level = 4; level; level--) {
		entry = entry_at(ram, entry & ~0xfffull, linear, level - 1);
		if (!(entry & 1))
			return 0;
	}
	return (entry & ~0xfffull) | (linear & 0xfff);
}

START_TEST(elf_is_mapped_at_its_virtual_addresses)
{
	const uint64_t upper = 0xffffffff80000000;
	uint8_t *ram = calloc(1, MAP_SIZE);
	struct svmrun_memory low = { .base = ram, .size = MAP_SIZE };
	struct elf elf = good();
	int64_t size;

	ck_assert_ptr_nonnull(ram);
	elf.segment[0].p_vaddr = upper + 0x1010;
	elf.segment[0].p_paddr = 0x1010;
	elf.segment[2].p_vaddr = upper + 0x1fff000;
	elf.segment[2].p_paddr = 0x3000;
	elf.segment[2].p_memsz = 0x1001;
	size = svmrun_image_elf64_tables(&elf, sizeof(elf));
	ck_assert_int_eq(size, (3 + 4) * PAGE);
	ck_assert_int_eq(svmrun_image_elf64_map(&low, &elf, sizeof(elf),
						MAP_ROOT, MAP_TABLES),
			 0);
	ck_assert_uint_eq(walk(ram, upper + 0x1018), 0x1018);
	ck_assert_uint_eq(walk(ram, upper + 0x2000), 0);
	ck_assert_uint_eq(walk(ram, upper + 0x1fff000), 0x3000);
	ck_assert_uint_eq(walk(ram, upper + 0x2000fff), 0x4fff);
	ck_assert_uint_eq(walk(ram, upper + 0x2001000), 0);
	ck_assert_int_eq(svmrun_image_elf64_map(&low, &elf, sizeof(elf),
						MAP_ROOT, MAP_TABLES + 1),
			 -EINVAL);
	ck_assert_int_eq(svmrun_image_elf64_map(&low, &elf, sizeof(elf),
						MAP_ROOT, MAP_SIZE - PAGE),
			 -ERANGE);
	free(ram);
}

START_TEST(elf_with_impossible_virtual_addresses_is_refused)
{
	const uint64_t wrong[] = { 0xffffffff80000001, 1ull << 47,
				   (1ull << 47) - 16, UINT64_MAX - 0xfff };
	struct elf elf = good();
	size_t i;

	elf.segment[2].p_memsz = 0x2000;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		elf.segment[2].p_vaddr = wrong[i];
		elf.segment[2].p_paddr = 0x2000 + (wrong[i] & 0xfff) -
					 (wrong[i] % 16 == 1);
		ck_assert_int_eq(svmrun_image_elf64_tables(&elf, sizeof(elf)),
				 -ENOEXEC);
	}
	/* Below 4 GiB memory is mapped 1:1. */
	elf.segment[0].p_vaddr = 0x12345;
	elf.segment[2].p_vaddr = 0x12345;
	ck_assert_int_eq(svmrun_image_elf64_tables(&elf, sizeof(elf)), 0);
	ck_assert_int_eq(svmrun_image_elf64_tables(&elf, 10), -ENOEXEC);
}

START_TEST(elf_with_nothing_to_load_is_refused)
{
	struct elf elf = good();

	elf.header.e_phnum = 0;
	refused(&elf, -ENODATA);
	elf = good();
	elf.segment[0].p_type = PT_NULL;
	elf.segment[2].p_memsz = 0;
	refused(&elf, -ENODATA);
}

/* Return a random byte, or one of the values that are likely to find errors. */
static uint8_t mutant(void)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

	return random() % 2 ? random() : values[random() % sizeof(values)];
}

/* The image is on the heap, so that the sanitizer detects reads beyond its end. */
START_TEST(random_bytes_in_elf_are_harmless)
{
	struct elf elf;
	int i, loaded = 0;
	size_t size;
	void *image;

	srandom(1);
	for (i = 0; i < MUTATIONS; i++) {
		elf = good();
		for (size = random() % 8; size; size--)
			((uint8_t *)&elf)[random() % sizeof(elf)] = mutant();
		size = random() % 2 ? sizeof(elf) :
				      random() % (sizeof(elf) + 1);
		image = malloc(size ? size : 1);
		memcpy(image, &elf, size);
		loaded += !load(image, size);
		free(image);
	}
	ck_assert_int_gt(loaded, 0);
	ck_assert_int_lt(loaded, MUTATIONS);
}

static const TTest **const tests[] = {
	&is_elf_looks_for_the_magic_number,
	&flat_is_loaded_at_its_address,
	&flat_refuses_what_does_not_fit,
	&flat_refuses_an_empty_image,
	&elf_segments_go_to_their_physical_addresses,
	&elf_memory_that_is_not_in_the_file_is_zero,
	&elf_of_32_bits_is_refused,
	&elf_of_the_other_byte_order_is_refused,
	&elf_of_another_machine_is_refused,
	&elf_that_is_no_executable_is_refused,
	&pie_is_relocated,
	&pie_that_needs_more_is_refused,
	&random_bytes_in_pie_are_harmless,
	&elf_without_the_magic_number_is_refused,
	&elf_with_odd_program_headers_is_refused,
	&elf_with_too_many_program_headers_is_refused,
	&elf_that_is_cut_off_anywhere_is_refused,
	&elf_with_program_headers_beyond_the_end_is_refused,
	&elf_segment_larger_in_the_file_is_refused,
	&elf_segment_outside_of_memory_is_refused,
	&elf_segments_at_the_same_addresses_are_refused,
	&elf_is_mapped_at_its_virtual_addresses,
	&elf_with_impossible_virtual_addresses_is_refused,
	&elf_with_nothing_to_load_is_refused,
	&random_bytes_in_elf_are_harmless,
};

Suite *image_suite(void)
{
	return suite_of("image", tests, ARRAY_SIZE(tests));
}
