// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_pvh_load() and svmrun_pvh_begin(): 64-bit ELF kernels with Xen's PVH entry
 * point, the start information that they get, and malformed images.
 */
#include <elf.h>
#include <errno.h>

#include <svmrun/pvh.h>

#include "guest_ram.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define KERNEL 0x110000
#define ENTRY (KERNEL + 4)
#define CODE 16
#define KERNEL_SIZE 0x5000 /* including BSS */
#define UPPER 0xffffffff80000000
#define PAGE 4096
#define MUTATIONS 1000000

/* The note of the entry point comes after another one, whose description is padded. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	struct {
		Elf64_Nhdr header;
		char name[8];
		char description[4];
	} other;
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint32_t entry[2];
	} note;
	uint8_t code[CODE];
};

/* Offsets of the members in Xen's public/arch-x86/hvm/start_info.h */
#define START_MAGIC 0
#define START_VERSION 4
#define START_FLAGS 8
#define START_MODULES 12
#define START_LIST 16
#define START_COMMAND 24
#define START_RSDP 32
#define START_MAP 40
#define START_ENTRIES 48

static Elf64_Phdr segment(uint32_t type, uint64_t offset, uint64_t address,
			  uint64_t file, uint64_t memory)
{
	return (Elf64_Phdr){
		.p_type = type,
		.p_offset = offset,
		.p_vaddr = UPPER + address,
		.p_paddr = address,
		.p_filesz = file,
		.p_memsz = memory,
	};
}

static struct image good(void)
{
	struct image image = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = UPPER + KERNEL,
			.e_phoff = offsetof(struct image, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.other = { { 6, 3, 18 }, "Linux", "abc" },
		.note = { { 4, 8, 18 }, "Xen", { ENTRY, 0 } },
	};

	image.segment[0] = segment(PT_LOAD, offsetof(struct image, code),
				   KERNEL, CODE, KERNEL_SIZE);
	image.segment[1] = segment(PT_NOTE, offsetof(struct image, other), 0,
				   sizeof(image.other) + sizeof(image.note), 0);
	memset(image.code, 0x33, CODE);
	return image;
}

static struct svmrun_pvh_boot boot_of(const struct image *image)
{
	return (struct svmrun_pvh_boot){
		.kernel = image,
		.kernel_size = sizeof(*image),
	};
}

static uint32_t u32_at(const struct svmrun_memory *ram, uint64_t gpa)
{
	return *(uint32_t *)guest_ram_at(ram, gpa, 4);
}

static uint64_t u64_at(const struct svmrun_memory *ram, uint64_t gpa)
{
	return *(uint64_t *)guest_ram_at(ram, gpa, 8);
}

/* Loading fails, and no byte of guest memory has been written. */
static void check_error(const struct svmrun_pvh_boot *boot, int error)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_pvh_entry entry;

	ck_assert_int_eq(svmrun_pvh_load(&ram, 1, boot, &entry), error);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

static void check_image(const struct image *image, int error)
{
	const struct svmrun_pvh_boot boot = boot_of(image);

	check_error(&boot, error);
}

START_TEST(note_makes_it_pvh)
{
	struct image image = good();

	ck_assert(svmrun_pvh_is(&image, sizeof(image)));
	image.note.header.n_type = 17;
	ck_assert(!svmrun_pvh_is(&image, sizeof(image)));
	check_image(&image, -ENOMSG);
	image = good();
	image.note.name[2] = 'o';
	check_image(&image, -ENOMSG);
	image = good();
	image.note.header.n_descsz = 2;
	check_image(&image, -ENOMSG);
	image = good();
	image.other.header.n_descsz = UINT32_MAX;
	check_image(&image, -ENOMSG);
	image = good();
	image.segment[1].p_type = PT_NULL;
	check_image(&image, -ENOMSG);
	image = good();
	image.segment[1].p_offset = UINT64_MAX;
	check_image(&image, -ENOMSG);
}

/* 65,534 segments that are the same 1.5 MB of notes would take hours to search. */
START_TEST(notes_are_searched_once)
{
	const unsigned int count = 65534;
	const size_t table = count * sizeof(Elf64_Phdr);
	const size_t notes = 100000 * sizeof(Elf64_Nhdr);
	const size_t size = sizeof(Elf64_Ehdr) + table + notes;
	struct image image = good();
	uint8_t *bytes = calloc(1, size);
	Elf64_Phdr *segments = (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr));
	unsigned int i;

	ck_assert_ptr_nonnull(bytes);
	image.header.e_phoff = sizeof(Elf64_Ehdr);
	image.header.e_phnum = count;
	memcpy(bytes, &image.header, sizeof(image.header));
	for (i = 0; i < count; i++)
		segments[i] = segment(PT_NOTE, sizeof(Elf64_Ehdr) + table, 0,
				      notes, 0);
	ck_assert(!svmrun_pvh_is(bytes, size));
	free(bytes);
}

/* Segments that are all the same memory would take as long to load. */
START_TEST(segments_may_not_exceed_memory)
{
	struct {
		struct image image;
		Elf64_Phdr segment[4];
	} more = { .image = good() };
	struct svmrun_pvh_boot boot = boot_of(&more.image);
	unsigned int i;

	boot.kernel_size = sizeof(more);
	more.image.header.e_phoff = sizeof(more.image);
	more.image.header.e_phnum = 4;
	for (i = 0; i < 3; i++) {
		more.segment[i] = more.image.segment[0];
		more.segment[i].p_memsz = GUEST_RAM_SIZE - KERNEL;
	}
	more.segment[3] = more.image.segment[1];
	check_error(&boot, -ENOEXEC);
}

START_TEST(kernel_is_loaded)
{
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_pvh_boot boot = boot_of(&image);
	static const uint8_t bss[KERNEL_SIZE - CODE];
	struct svmrun_pvh_entry entry;

	ck_assert_int_eq(svmrun_pvh_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.eip, ENTRY);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, CODE), image.code, CODE);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL + CODE, sizeof(bss)), bss,
			 sizeof(bss));
	ck_assert(guest_ram_is_rubbish(&ram, KERNEL + KERNEL_SIZE,
				       ram.size - KERNEL - KERNEL_SIZE));
	ck_assert(guest_ram_is_rubbish(&ram, 0x9fc00, KERNEL - 0x9fc00));
	guest_ram_free(&ram);
}

START_TEST(start_info_is_complete)
{
	static uint8_t initrd[PAGE + 1] = { 1, 2, 3 };
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	struct svmrun_pvh_boot boot = boot_of(&image);
	struct svmrun_pvh_entry entry;
	uint64_t at;

	boot.initrd = initrd;
	boot.initrd_size = sizeof(initrd);
	boot.command_line = "quiet";
	boot.acpi_rsdp = 0xe0020;
	ck_assert_int_eq(svmrun_pvh_load(&ram, 1, &boot, &entry), 0);
	at = entry.ebx;
	ck_assert_uint_eq(u32_at(&ram, at + START_MAGIC), 0x336ec578);
	ck_assert_uint_eq(u32_at(&ram, at + START_VERSION), 1);
	ck_assert_uint_eq(u32_at(&ram, at + START_FLAGS), 0);
	ck_assert_uint_eq(u32_at(&ram, at + START_MODULES), 1);
	ck_assert_uint_eq(u64_at(&ram, at + START_RSDP), 0xe0020);
	ck_assert_str_eq(guest_ram_at(&ram, u64_at(&ram, at + START_COMMAND),
				      6),
			 "quiet");
	at = u64_at(&ram, at + START_LIST);
	ck_assert_uint_eq(u64_at(&ram, at), ram.size - 2 * PAGE);
	ck_assert_uint_eq(u64_at(&ram, at + 8), sizeof(initrd));
	ck_assert_uint_eq(u64_at(&ram, at + 16), 0);
	ck_assert_mem_eq(guest_ram_at(&ram, u64_at(&ram, at), sizeof(initrd)),
			 initrd, sizeof(initrd));
	guest_ram_free(&ram);
}

START_TEST(start_info_has_the_memory_map)
{
	struct svmrun_memory ram = guest_ram();
	const struct svmrun_memory memories[] = {
		ram, { .gpa = 1ull << 32, .size = 1ull << 30 }
	};
	struct image image = good();
	const struct svmrun_pvh_boot boot = boot_of(&image);
	struct svmrun_pvh_entry entry;
	uint64_t map;

	ck_assert_int_eq(svmrun_pvh_load(memories, 2, &boot, &entry), 0);
	ck_assert_uint_eq(u32_at(&ram, entry.ebx + START_ENTRIES), 5);
	ck_assert_uint_eq(u32_at(&ram, entry.ebx + START_MODULES), 0);
	ck_assert_uint_eq(u64_at(&ram, entry.ebx + START_LIST), 0);
	ck_assert_uint_eq(u64_at(&ram, entry.ebx + START_COMMAND), 0);
	map = u64_at(&ram, entry.ebx + START_MAP);
	ck_assert_uint_eq(u64_at(&ram, map + 4 * 24), 1ull << 32);
	ck_assert_uint_eq(u64_at(&ram, map + 4 * 24 + 8), 1ull << 30);
	ck_assert_uint_eq(u32_at(&ram, map + 4 * 24 + 16), 1);
	ck_assert_uint_eq(u32_at(&ram, map + 24 + 16), 2);
	guest_ram_free(&ram);
}

START_TEST(headers_must_be_of_x86)
{
	struct image image = good();

	image.header.e_ident[EI_DATA] = ELFDATA2MSB;
	check_image(&image, -ENOEXEC);
	image = good();
	image.header.e_ident[0] = 0;
	check_image(&image, -ENOEXEC);
	image = good();
	image.header.e_type = ET_REL;
	check_image(&image, -ENOEXEC);
	image = good();
	image.header.e_phentsize--;
	check_image(&image, -ENOEXEC);
	image = good();
	image.header.e_machine = EM_AARCH64;
	check_image(&image, -EMEDIUMTYPE);
	image = good();
	image.header.e_phoff = UINT64_MAX - 8;
	check_image(&image, -ENODATA);
}

START_TEST(segments_must_be_in_memory)
{
	const uint64_t wrong[] = {
		0,	    0x9fc00 - KERNEL_SIZE + 1,	  0xa0000,
		0xeffff,    0xc0000000 - KERNEL_SIZE + 1, 0xffffffff,
		1ull << 32, UINT64_MAX - KERNEL_SIZE + 1, UINT64_MAX,
	};
	struct image image = good();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		image.segment[0].p_paddr = wrong[i];
		check_image(&image, -ERANGE);
	}
	image.segment[0].p_paddr = GUEST_RAM_SIZE - KERNEL_SIZE + 1;
	image.note.entry[0] = image.segment[0].p_paddr;
	check_image(&image, -ENOMEM);
	image = good();
	image.segment[0].p_memsz = UINT64_MAX;
	check_image(&image, -ERANGE);
	image = good();
	image.segment[0].p_memsz = CODE - 1;
	check_image(&image, -ENOEXEC);
	image = good();
	image.segment[0].p_type = PT_NULL;
	check_image(&image, -ENODATA);
	image = good();
	image.segment[0].p_offset = sizeof(image) - CODE + 1;
	check_image(&image, -ENODATA);
}

START_TEST(entry_must_be_in_a_segment)
{
	struct image image = good();

	image.note.entry[0] = KERNEL - 1;
	check_image(&image, -ERANGE);
	image.note.entry[0] = KERNEL + KERNEL_SIZE;
	check_image(&image, -ERANGE);
	image.note.entry[0] = ENTRY;
	image.note.entry[1] = 1;
	check_image(&image, -ERANGE);
}

START_TEST(initrd_needs_memory)
{
	static uint8_t initrd[GUEST_RAM_SIZE];
	struct image image = good();
	struct svmrun_pvh_boot boot = boot_of(&image);

	boot.initrd = initrd;
	boot.initrd_size = GUEST_RAM_SIZE - KERNEL - KERNEL_SIZE + 1;
	check_error(&boot, -ENOMEM);
	boot.initrd_size = sizeof(initrd);
	check_error(&boot, -ENOMEM);
	boot.initrd_size = SIZE_MAX;
	check_error(&boot, -EFBIG);
}

START_TEST(command_line_needs_memory)
{
	char *line = calloc(1, GUEST_RAM_SIZE);
	struct image image = good();
	struct svmrun_pvh_boot boot = boot_of(&image);
	struct svmrun_memory ram = guest_ram();
	struct svmrun_pvh_entry entry;

	boot.command_line = line;
	memset(line, 'x', GUEST_RAM_SIZE - 1);
	check_error(&boot, -ENOMEM);
	/* The command line is too long for conventional memory. */
	line[640 << 10] = 0;
	ck_assert_int_eq(svmrun_pvh_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.ebx, KERNEL + KERNEL_SIZE);
	guest_ram_free(&ram);
	free(line);
}

START_TEST(image_may_not_be_cut_off)
{
	struct image image = good();
	struct svmrun_pvh_boot boot;
	struct svmrun_memory ram = guest_ram();
	struct svmrun_pvh_entry entry;
	void *copy;
	size_t size;

	for (size = 0; size < sizeof(image); size++) {
		copy = guest_ram_image(&image, size);
		boot = (struct svmrun_pvh_boot){ .kernel = copy,
						 .kernel_size = size };
		ck_assert_int_lt(svmrun_pvh_load(&ram, 1, &boot, &entry), 0);
		free(copy);
	}
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

START_TEST(memory_must_be_a_pcs)
{
	struct image image = good();
	const struct svmrun_pvh_boot boot = boot_of(&image);
	struct svmrun_pvh_entry entry;

	ck_assert_int_eq(svmrun_pvh_load(NULL, 0, &boot, &entry), -EINVAL);
}

START_TEST(mutated_images_are_harmless)
{
	const struct image valid = good();
	struct svmrun_memory ram = guest_ram();
	/* Each image is at the end of the space, so that overruns are detected. */
	uint8_t *space = malloc(sizeof(valid)), *copy;
	uint64_t random = xorshift_seed(2);
	unsigned int i, bytes, size, loaded = 0;
	struct svmrun_pvh_entry entry;
	struct svmrun_pvh_boot boot;

	ck_assert_ptr_nonnull(space);
	for (i = 0; i < MUTATIONS; i++) {
		size = i % 4 ? sizeof(valid) :
			       xorshift_below(&random, sizeof(valid) + 1);
		copy = space + sizeof(valid) - size;
		memcpy(copy, &valid, size);
		for (bytes = i % 6; bytes && size; bytes--)
			copy[xorshift_below(&random, size)] =
				xorshift(&random) >> 32;
		boot = (struct svmrun_pvh_boot){ .kernel = copy,
						 .kernel_size = size };
		if (!svmrun_pvh_load(&ram, 1, &boot, &entry)) {
			loaded++;
			guest_ram_at(&ram, entry.eip, 1);
			guest_ram_at(&ram, entry.ebx, 56);
		}
	}
	ck_assert_uint_gt(loaded, MUTATIONS / 10);
	ck_assert_uint_lt(loaded, MUTATIONS / 10 * 9);
	free(space);
	guest_ram_free(&ram);
}

START_TEST(begins_in_protected_mode)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	const struct svm_vmcb_save *save = &pages.vmcb.save;
	const struct svmrun_pvh_entry entry = { .eip = 0x1234, .ebx = 0x5678 };

	ck_assert_int_eq(svmrun_pvh_begin(&vcpu, &entry), 0);
	ck_assert_uint_eq(save->rip, 0x1234);
	ck_assert_uint_eq(pages.regs.rbx, 0x5678);
	ck_assert_uint_eq(save->cr0, 0x11);
	ck_assert_uint_eq(save->cr4, 0);
	ck_assert_uint_eq(save->rflags, 2);
	ck_assert_uint_eq(save->cs.attrib, 0xc9b);
	ck_assert_uint_eq(save->ds.attrib, 0xc93);
	ck_assert_uint_eq(save->ds.limit, 0xffffffff);
	ck_assert_uint_eq(save->tr.base, 0);
	ck_assert_uint_eq(save->tr.limit, 0x67);
	ck_assert_uint_eq(save->tr.attrib, 0x8b);
}

static const TTest **const tests[] = {
	&note_makes_it_pvh,
	&notes_are_searched_once,
	&kernel_is_loaded,
	&start_info_is_complete,
	&start_info_has_the_memory_map,
	&headers_must_be_of_x86,
	&segments_must_be_in_memory,
	&segments_may_not_exceed_memory,
	&entry_must_be_in_a_segment,
	&initrd_needs_memory,
	&command_line_needs_memory,
	&image_may_not_be_cut_off,
	&memory_must_be_a_pcs,
	&mutated_images_are_harmless,
	&begins_in_protected_mode,
};

Suite *pvh_suite(void)
{
	return suite_of("pvh", tests, ARRAY_SIZE(tests));
}
