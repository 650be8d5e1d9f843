// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_multiboot2_load() and svmrun_multiboot2_begin(): kernels with and without
 * addresses in their header, tags, the information that they get, and malformed images.
 */
#include <elf.h>
#include <errno.h>

#include <svmrun/multiboot2.h>

#include "guest_ram.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define MAGIC 0xe85250d6u
#define KERNEL 0x110000
#define CODE 16
#define KERNEL_SIZE 0x5001 /* including BSS */
#define PAGE 4096
#define MUTATIONS 300000

struct header {
	uint32_t magic, architecture, length, checksum;
};

struct tag {
	uint16_t type, flags;
	uint32_t size;
};

struct addresses {
	struct tag tag;
	uint32_t header, load, load_end, bss_end;
};

/* A tag whose body is a word, and its padding */
struct word {
	struct tag tag;
	uint32_t value, padding;
};

struct raw {
	uint8_t before[8];
	uint8_t code[CODE];
	struct header header;
	struct addresses addresses;
	struct word entry;
	struct word other;
	struct tag end;
};

struct elf {
	Elf64_Ehdr elf;
	Elf64_Phdr segment;
	struct header header;
	struct word other;
	struct tag end;
	uint8_t code[CODE];
};

static void seal(struct header *header, size_t length)
{
	*header = (struct header){ .magic = MAGIC, .length = length };
	header->checksum = -(MAGIC + length);
}

static struct raw good_raw(void)
{
	struct raw raw = {
		.addresses = { { 2, 0, 24 },
			       KERNEL + CODE,
			       KERNEL,
			       0,
			       KERNEL + KERNEL_SIZE },
		.entry = { { 3, 0, 12 }, KERNEL + 4, 0 },
		.other = { { 6, 0, 8 }, 0, 0 },
		.end = { 0, 0, 8 },
	};

	raw.other.tag.size = 16;
	memset(raw.code, 0x11, CODE);
	seal(&raw.header, sizeof(raw) - offsetof(struct raw, header));
	return raw;
}

/* An image whose virtual addresses are in the upper half */
static struct elf good_elf(void)
{
	struct elf image = {
		.elf = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = 0xffffffff80000004,
			.e_phoff = offsetof(struct elf, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.segment = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf, code),
			.p_vaddr = 0xffffffff80000000,
			.p_paddr = KERNEL,
			.p_filesz = CODE,
			.p_memsz = KERNEL_SIZE,
		},
		.other = { { 6, 0, 16 }, 0, 0 },
		.end = { 0, 0, 8 },
	};

	memset(image.code, 0x11, CODE);
	seal(&image.header,
	     offsetof(struct elf, code) - offsetof(struct elf, header));
	return image;
}

static struct svmrun_multiboot_boot boot_of(const void *image, size_t size)
{
	return (struct svmrun_multiboot_boot){ .kernel = image,
					       .kernel_size = size };
}

/* Loading fails, and no byte of guest memory has been written. */
static void check_boot(const struct svmrun_multiboot_boot *boot, int error)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_multiboot_entry entry;

	ck_assert_int_eq(svmrun_multiboot2_load(&ram, 1, boot, &entry), error);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

static void check_raw(const struct raw *raw, int error)
{
	const struct svmrun_multiboot_boot boot = boot_of(raw, sizeof(*raw));

	check_boot(&boot, error);
}

static void check_elf(const struct elf *elf, int error)
{
	const struct svmrun_multiboot_boot boot = boot_of(elf, sizeof(*elf));

	check_boot(&boot, error);
}

START_TEST(header_is_in_the_first_32_kib)
{
	static uint8_t image[32768 + 16];
	struct header header;

	seal(&header, sizeof(header));
	memcpy(image + 32768 - 16, &header, 16);
	ck_assert(svmrun_multiboot2_is(image, sizeof(image)));
	ck_assert(!svmrun_multiboot2_is(image, 32768 - 1));
	memset(image, 0, sizeof(image));
	memcpy(image + 32768 - 8, &header, 16);
	ck_assert(!svmrun_multiboot2_is(image, sizeof(image)));
	memset(image, 0, sizeof(image));
	memcpy(image + 4, &header, 16);
	ck_assert(!svmrun_multiboot2_is(image, sizeof(image)));
	header.architecture = 4; /* MIPS */
	header.checksum -= 4;
	memcpy(image, &header, 16);
	ck_assert(!svmrun_multiboot2_is(image, sizeof(image)));
}

static void check_loaded(const void *image, size_t size, const uint8_t *code)
{
	static const uint8_t bss[16];
	struct svmrun_memory ram = guest_ram();
	const struct svmrun_multiboot_boot boot = boot_of(image, size);
	struct svmrun_multiboot_entry entry;

	ck_assert_int_eq(svmrun_multiboot2_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.eip, KERNEL + 4);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, CODE), code, CODE);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL + KERNEL_SIZE - 16, 16), bss,
			 16);
	ck_assert(guest_ram_is_rubbish(&ram, KERNEL + KERNEL_SIZE,
				       ram.size - KERNEL - KERNEL_SIZE));
	guest_ram_free(&ram);
}

START_TEST(kernels_are_loaded)
{
	struct raw raw = good_raw();
	struct elf elf = good_elf();

	check_loaded(&raw, sizeof(raw), raw.code);
	check_loaded(&elf, sizeof(elf), elf.code);
	/* All ones: from the beginning of the file, 24 bytes before the header */
	raw.addresses.load = UINT32_MAX;
	raw.addresses.header = KERNEL + 24;
	memcpy(raw.before, raw.code, sizeof(raw.before));
	check_loaded(&raw, sizeof(raw), raw.before);
	/* The entry point of the header has precedence over ELF's. */
	elf.elf.e_entry = 0;
	elf.other = (struct word){ { 3, 0, 12 }, KERNEL + 4, 0 };
	check_loaded(&elf, sizeof(elf), elf.code);
}

START_TEST(required_tags_must_be_known)
{
	static const struct {
		struct word word;
		int error;
	} cases[] = {
		{ { { 1, 0, 12 }, 21, 0 }, 0 },
		{ { { 1, 0, 12 }, 22, 0 }, -EOPNOTSUPP },
		{ { { 1, 1, 12 }, 22, 0 }, 0 },
		{ { { 4, 0, 12 }, 1, 0 }, -ENODEV },
		{ { { 4, 0, 12 }, 2, 0 }, 0 },
		{ { { 4, 1, 12 }, 1, 0 }, 0 },
		{ { { 5, 0, 16 }, 0, 0 }, -ENODEV },
		{ { { 5, 1, 16 }, 0, 0 }, 0 },
		{ { { 7, 0, 16 }, 0, 0 }, 0 },
		{ { { 10, 0, 16 }, 0, 0 }, 0 },
		{ { { 11, 0, 16 }, 0, 0 }, -EOPNOTSUPP },
		{ { { 11, 1, 16 }, 0, 0 }, 0 },
	};
	struct raw raw = good_raw();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		raw.other = cases[i].word;
		if (cases[i].error)
			check_raw(&raw, cases[i].error);
		else
			check_loaded(&raw, sizeof(raw), raw.code);
	}
}

START_TEST(tags_must_be_whole)
{
	struct raw raw = good_raw();

	raw.other.tag.size = 7;
	check_raw(&raw, -EBADMSG);
	raw.other.tag.size = UINT32_MAX;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.end.type = 6;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.entry.tag.size = 8;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	seal(&raw.header, sizeof(raw) - offsetof(struct raw, header) + 1);
	check_raw(&raw, -ENODATA);
	seal(&raw.header, sizeof(raw.header));
	check_raw(&raw, -EBADMSG);
}

START_TEST(addresses_must_fit)
{
	struct raw raw = good_raw();
	struct elf elf = good_elf();

	raw.entry.tag.type = 6; /* no entry point */
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.addresses.header = KERNEL - 1;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.addresses.load_end = KERNEL + PAGE;
	check_raw(&raw, -ENODATA);
	raw = good_raw();
	raw.entry.value = KERNEL + KERNEL_SIZE;
	check_raw(&raw, -ERANGE);
	raw = good_raw();
	raw.addresses.bss_end = GUEST_RAM_SIZE + 1;
	check_raw(&raw, -ENOMEM);
	elf.segment.p_paddr = 0xa0000;
	check_elf(&elf, -ERANGE);
	elf = good_elf();
	elf.elf.e_machine = EM_ARM;
	check_elf(&elf, -EMEDIUMTYPE);
	elf = good_elf();
	elf.segment.p_memsz = CODE - 1;
	check_elf(&elf, -EBADMSG);
	elf = good_elf();
	elf.elf.e_entry++;
	elf.elf.e_ident[0] = 0;
	check_elf(&elf, -EMEDIUMTYPE);
}

/* Return a tag of the information, or NULL. */
static const uint32_t *tag_of(const struct svmrun_memory *ram, uint64_t info,
			      uint32_t type, unsigned int skip)
{
	const uint32_t *size = guest_ram_at(ram, info, 8);
	const uint32_t *tag;
	uint64_t at;

	for (at = info + 8; at < info + *size; at += (tag[1] + 7ull) & ~7ull) {
		tag = guest_ram_at(ram, at, 8);
		guest_ram_at(ram, at, tag[1]);
		if (tag[0] == type && !skip--)
			return tag;
	}
	ck_assert_uint_eq(at, info + *size);
	return NULL;
}

START_TEST(information_is_complete)
{
	static const uint8_t file[PAGE + 1] = { 1, 2, 3 };
	const struct svmrun_multiboot_module modules[] = {
		{ .bytes = file, .size = sizeof(file), .command_line = "a b" },
		{ .bytes = file, .size = 3 },
	};
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_memory ram = guest_ram();
	const struct svmrun_memory memories[] = {
		ram, { .gpa = 1ull << 32, .size = 1ull << 30 }
	};
	struct svmrun_multiboot_entry entry;
	const uint32_t *tag;
	uint64_t base;

	memcpy(guest_ram_at(&ram, 0xe0000, 8), "RSD PTR ", 8);
	boot.command_line = "kernel one two";
	boot.modules = modules;
	boot.module_count = 2;
	boot.acpi_rsdp = 0xe0000;
	ck_assert_int_eq(svmrun_multiboot2_load(memories, 2, &boot, &entry), 0);
	ck_assert_uint_eq(entry.ebx % 8, 0);
	tag = tag_of(&ram, entry.ebx, 1, 0);
	ck_assert_str_eq((const char *)(tag + 2), "kernel one two");
	ck_assert_uint_eq(tag[1], 8 + sizeof("kernel one two"));
	tag = tag_of(&ram, entry.ebx, 2, 0);
	ck_assert_str_eq((const char *)(tag + 2), "svmrun");
	tag = tag_of(&ram, entry.ebx, 3, 0);
	ck_assert_str_eq((const char *)(tag + 4), "a b");
	ck_assert_uint_eq(tag[2] % PAGE, 0);
	ck_assert_uint_eq(tag[3] - tag[2], sizeof(file));
	ck_assert_mem_eq(guest_ram_at(&ram, tag[2], sizeof(file)), file,
			 sizeof(file));
	tag = tag_of(&ram, entry.ebx, 3, 1);
	ck_assert_str_eq((const char *)(tag + 4), "");
	ck_assert_uint_eq(tag[2] % PAGE, 0);
	ck_assert_mem_eq(guest_ram_at(&ram, tag[2], 3), file, 3);
	ck_assert_ptr_null(tag_of(&ram, entry.ebx, 3, 2));
	tag = tag_of(&ram, entry.ebx, 4, 0);
	ck_assert_uint_eq(tag[2], 639);
	ck_assert_uint_eq(tag[3], 1024);
	tag = tag_of(&ram, entry.ebx, 6, 0);
	ck_assert_uint_eq(tag[1], 16 + 5 * 24);
	ck_assert_uint_eq(tag[2], 24);
	ck_assert_uint_eq(tag[3], 0);
	memcpy(&base, tag + 4 + 4 * 6, sizeof(base));
	ck_assert_uint_eq(base, 1ull << 32);
	ck_assert_mem_eq(tag_of(&ram, entry.ebx, 14, 0) + 2, "RSD PTR ", 8);
	ck_assert_uint_eq(tag_of(&ram, entry.ebx, 15, 0)[1], 8 + 36);
	ck_assert_ptr_nonnull(tag_of(&ram, entry.ebx, 0, 0));
	guest_ram_free(&ram);
}

START_TEST(parts_need_memory)
{
	static uint8_t bytes[GUEST_RAM_SIZE];
	struct svmrun_multiboot_module module = { .bytes = bytes };
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));

	boot.modules = &module;
	boot.module_count = 1;
	module.size = GUEST_RAM_SIZE;
	check_boot(&boot, -ENOMEM);
	module.size = SIZE_MAX;
	check_boot(&boot, -EFBIG);
	memset(bytes, 'x', sizeof(bytes) - 1);
	boot.module_count = 0;
	boot.command_line = (char *)bytes;
	check_boot(&boot, -ENOMEM);
	boot.kernel_size = 0;
	check_boot(&boot, -ENOEXEC);
	ck_assert_int_eq(svmrun_multiboot2_load(NULL, 0, &boot, NULL), -EINVAL);
}

START_TEST(mutated_images_are_harmless)
{
	const struct raw valid = good_raw();
	struct svmrun_memory ram = guest_ram();
	/* Each image is at the end of the space, so that overruns are detected. */
	uint8_t *space = malloc(sizeof(valid)), *copy;
	uint64_t random = xorshift_seed(3);
	unsigned int i, bytes, size, loaded = 0;
	struct svmrun_multiboot_entry entry;
	struct svmrun_multiboot_boot boot;

	ck_assert_ptr_nonnull(space);
	for (i = 0; i < MUTATIONS; i++) {
		size = i % 4 ? sizeof(valid) :
			       xorshift_below(&random, sizeof(valid) + 1);
		copy = space + sizeof(valid) - size;
		memcpy(copy, &valid, size);
		for (bytes = i % 6; bytes && size; bytes--)
			copy[xorshift_below(&random, size)] =
				xorshift(&random) >> 32;
		boot = boot_of(copy, size);
		if (!svmrun_multiboot2_load(&ram, 1, &boot, &entry)) {
			loaded++;
			guest_ram_at(&ram, entry.eip, 1);
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
	const struct svmrun_multiboot_entry entry = { .eip = 0x1234,
						      .ebx = 0x5678 };

	ck_assert_int_eq(svmrun_multiboot2_begin(&vcpu, &entry), 0);
	ck_assert_uint_eq(pages.vmcb.save.rip, 0x1234);
	ck_assert_uint_eq(pages.vmcb.save.rax, 0x36d76289);
	ck_assert_uint_eq(pages.regs.rbx, 0x5678);
	ck_assert_uint_eq(pages.vmcb.save.cs.attrib, 0xc9b);
}

static const TTest **const tests[] = {
	&header_is_in_the_first_32_kib,
	&kernels_are_loaded,
	&required_tags_must_be_known,
	&tags_must_be_whole,
	&addresses_must_fit,
	&information_is_complete,
	&parts_need_memory,
	&mutated_images_are_harmless,
	&begins_in_protected_mode,
};

Suite *multiboot2_suite(void)
{
	return suite_of("multiboot2", tests, ARRAY_SIZE(tests));
}
