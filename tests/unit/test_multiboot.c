// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_multiboot_load() and svmrun_multiboot_begin(): raw and ELF kernels with a
 * Multiboot 1 header, the information that they get, modules, and malformed images.
 */
#include <elf.h>
#include <errno.h>

#include <svmrun/multiboot.h>

#include "guest_ram.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define MAGIC 0x1badb002u
#define ADDRESSES (1u << 16)
#define KERNEL 0x110000
#define CODE 16
#define KERNEL_SIZE 0x5001 /* including BSS */
#define PAGE 4096
#define MUTATIONS 1000000

struct header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
};

/* An image with addresses in its header. Bytes that are not loaded come first. */
struct raw {
	uint8_t before[8];
	uint8_t code[CODE];
	struct header header;
	uint8_t behind[8];
};

struct elf32 {
	Elf32_Ehdr elf;
	Elf32_Phdr segment;
	struct header header;
	uint8_t code[CODE];
};

struct elf64 {
	Elf64_Ehdr elf;
	Elf64_Phdr segment;
	struct header header;
	uint8_t code[CODE];
};

/* Multiboot specification 0.6.96, 3.3 */
struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count,
		mods_addr, syms[4], mmap_length, mmap_addr, drives[2],
		config_table, boot_loader_name;
};

struct module {
	uint32_t start, end, string, reserved;
};

static struct header header_of(uint32_t flags)
{
	return (struct header){ .magic = MAGIC,
				.flags = flags,
				.checksum = -(MAGIC + flags) };
}

static struct raw good_raw(void)
{
	struct raw raw = { .header = header_of(ADDRESSES | 3) };

	memset(raw.code, 0x11, CODE);
	memset(raw.behind, 0x22, sizeof(raw.behind));
	raw.header.load_addr = KERNEL;
	raw.header.header_addr = KERNEL + CODE;
	raw.header.load_end_addr = KERNEL + CODE + sizeof(struct header);
	raw.header.bss_end_addr = KERNEL + KERNEL_SIZE;
	raw.header.entry_addr = KERNEL + 4;
	return raw;
}

static struct elf32 good_elf32(void)
{
	struct elf32 image = {
		.elf = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_entry = KERNEL + 4,
			.e_phoff = offsetof(struct elf32, segment),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
		},
		.segment = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf32, code),
			.p_vaddr = KERNEL,
			.p_paddr = KERNEL,
			.p_filesz = CODE,
			.p_memsz = KERNEL_SIZE,
		},
		.header = header_of(0),
	};

	memset(image.code, 0x11, CODE);
	return image;
}

/* An image whose virtual addresses are in the upper half */
static struct elf64 good_elf64(void)
{
	struct elf64 image = {
		.elf = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = 0xffffffff80000004,
			.e_phoff = offsetof(struct elf64, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.segment = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf64, code),
			.p_vaddr = 0xffffffff80000000,
			.p_paddr = KERNEL,
			.p_filesz = CODE,
			.p_memsz = KERNEL_SIZE,
		},
		.header = header_of(0),
	};

	memset(image.code, 0x11, CODE);
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

	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, boot, &entry), error);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

static void check_error(const void *image, size_t size, int error)
{
	const struct svmrun_multiboot_boot boot = boot_of(image, size);

	check_boot(&boot, error);
}

static void check_raw(const struct raw *raw, int error)
{
	check_error(raw, sizeof(*raw), error);
}

START_TEST(header_is_in_the_first_8_kib)
{
	static uint8_t image[8192 + 16];
	const struct header header = header_of(0);

	memcpy(image + 8192 - 12, &header, 12);
	ck_assert(svmrun_multiboot_is(image, sizeof(image)));
	ck_assert(!svmrun_multiboot_is(image, 8192 - 1));
	image[8192 - 1]++;
	ck_assert(!svmrun_multiboot_is(image, sizeof(image)));
	check_error(image, sizeof(image), -ENOEXEC);
	memset(image, 0, sizeof(image));
	memcpy(image + 8192 - 8, &header, 12);
	ck_assert(!svmrun_multiboot_is(image, sizeof(image)));
	memset(image, 0, sizeof(image));
	memcpy(image + 2, &header, 12);
	ck_assert(!svmrun_multiboot_is(image, sizeof(image)));
}

START_TEST(what_is_required_must_be_known)
{
	struct raw raw = good_raw();
	unsigned int bit;

	for (bit = 2; bit < 16; bit++) {
		raw.header.flags = ADDRESSES | 1u << bit;
		raw.header.checksum = -(MAGIC + raw.header.flags);
		check_raw(&raw, bit == 2 ? -ENODEV : -EOPNOTSUPP);
	}
}

static void check_kernel(const void *image, size_t size, const void *loaded,
			 size_t length)
{
	static const uint8_t zeros[KERNEL_SIZE];
	struct svmrun_multiboot_boot boot = boot_of(image, size);
	struct svmrun_memory ram = guest_ram();
	struct svmrun_multiboot_entry entry;

	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.eip, KERNEL + 4);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, length), loaded, length);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL + length,
				      KERNEL_SIZE - length),
			 zeros, KERNEL_SIZE - length);
	ck_assert(guest_ram_is_rubbish(&ram, KERNEL + KERNEL_SIZE,
				       ram.size - KERNEL - KERNEL_SIZE));
	ck_assert(guest_ram_is_rubbish(&ram, 0x9fc00, KERNEL - 0x9fc00));
	guest_ram_free(&ram);
}

START_TEST(all_kinds_of_kernels_are_loaded)
{
	const struct raw raw = good_raw();
	const struct elf32 elf32 = good_elf32();
	const struct elf64 elf64 = good_elf64();
	struct raw whole = raw;

	check_kernel(&raw, sizeof(raw), raw.code, CODE + sizeof(struct header));
	check_kernel(&elf32, sizeof(elf32), elf32.code, CODE);
	check_kernel(&elf64, sizeof(elf64), elf64.code, CODE);
	whole.header.load_end_addr = 0;
	check_kernel(&whole, sizeof(whole), whole.code,
		     sizeof(whole) - sizeof(whole.before));
}

START_TEST(no_end_of_bss_is_no_bss)
{
	struct svmrun_memory ram = guest_ram();
	struct raw raw = good_raw();
	const struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_multiboot_entry entry;
	const uint64_t end = KERNEL + CODE + sizeof(struct header);

	raw.header.bss_end_addr = 0;
	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	ck_assert(guest_ram_is_rubbish(&ram, end, ram.size - end));
	guest_ram_free(&ram);
}

START_TEST(addresses_must_agree)
{
	struct raw raw = good_raw();

	raw.header.header_addr = KERNEL - 1;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.header.header_addr = KERNEL + 8 + CODE + 1;
	check_raw(&raw, -EBADMSG);
	raw.header.header_addr = UINT32_MAX;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.header.load_end_addr = KERNEL - 1;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.header.bss_end_addr = raw.header.load_end_addr - 1;
	check_raw(&raw, -EBADMSG);
	raw.header.bss_end_addr = KERNEL - 1;
	check_raw(&raw, -EBADMSG);
	raw = good_raw();
	raw.header.load_end_addr = KERNEL + sizeof(raw) - 8 + 1;
	check_raw(&raw, -ENODATA);
	raw.header.load_end_addr = UINT32_MAX;
	raw.header.bss_end_addr = 0;
	check_raw(&raw, -ENODATA);
}

static void move(struct raw *raw, uint32_t address)
{
	const uint32_t by = address - KERNEL;

	*raw = good_raw();
	raw->header.load_addr += by;
	raw->header.header_addr += by;
	raw->header.load_end_addr += by;
	raw->header.bss_end_addr += by;
	raw->header.entry_addr += by;
}

START_TEST(kernel_must_be_in_memory)
{
	const uint32_t wrong[] = {
		0,	 0xfff,	  0x9fc00 - KERNEL_SIZE + 1,	0xa0000,
		0xe0000, 0xeffff, 0xc0000000 - KERNEL_SIZE + 1, 0xc0000000
	};
	struct raw raw;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		move(&raw, wrong[i]);
		check_raw(&raw, -ERANGE);
	}
	move(&raw, GUEST_RAM_SIZE - KERNEL_SIZE + 1);
	check_raw(&raw, -ENOMEM);
	move(&raw, GUEST_RAM_SIZE);
	check_raw(&raw, -ENOMEM);
	/* Addresses must not wrap at 4 GiB. */
	move(&raw, -(uint32_t)KERNEL_SIZE + 1);
	check_raw(&raw, -EBADMSG);
}

START_TEST(entry_must_be_in_the_kernel)
{
	struct raw raw = good_raw();
	struct elf32 elf = good_elf32();

	raw.header.entry_addr = KERNEL - 1;
	check_raw(&raw, -ERANGE);
	raw.header.entry_addr = KERNEL + KERNEL_SIZE;
	check_raw(&raw, -ERANGE);
	elf.elf.e_entry = KERNEL + KERNEL_SIZE;
	check_error(&elf, sizeof(elf), -ERANGE);
}

START_TEST(without_addresses_it_must_be_elf)
{
	struct raw raw = good_raw();
	struct elf32 elf = good_elf32();

	raw.header = header_of(0);
	check_raw(&raw, -EMEDIUMTYPE);
	elf.elf.e_machine = EM_ARM;
	check_error(&elf, sizeof(elf), -EMEDIUMTYPE);
	elf = good_elf32();
	elf.segment.p_memsz = CODE - 1;
	check_error(&elf, sizeof(elf), -EBADMSG);
	elf = good_elf32();
	elf.segment.p_paddr = UINT32_MAX;
	check_error(&elf, sizeof(elf), -ERANGE);
	elf = good_elf32();
	elf.segment.p_type = PT_NULL;
	check_error(&elf, sizeof(elf), -ENODATA);
}

static const struct info *info_at(const struct svmrun_memory *ram,
				  const struct svmrun_multiboot_entry *entry)
{
	return guest_ram_at(ram, entry->ebx, 88);
}

START_TEST(information_has_memory_and_loader)
{
	struct svmrun_memory ram = guest_ram();
	const struct svmrun_memory memories[] = {
		ram, { .gpa = 1ull << 32, .size = 1ull << 30 }
	};
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_multiboot_entry entry;
	const struct info *info;
	const uint32_t *last;

	boot.command_line = "kernel -v";
	ck_assert_int_eq(svmrun_multiboot_load(memories, 2, &boot, &entry), 0);
	info = info_at(&ram, &entry);
	ck_assert_uint_eq(info->flags,
			  1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
	ck_assert_uint_eq(info->mem_lower, 639);
	ck_assert_uint_eq(info->mem_upper, 1024);
	ck_assert_uint_eq(info->mods_count, 0);
	ck_assert_str_eq(guest_ram_at(&ram, info->cmdline, 10), "kernel -v");
	ck_assert_str_eq(guest_ram_at(&ram, info->boot_loader_name, 7),
			 "svmrun");
	ck_assert_uint_eq(info->mmap_length, 5 * 24);
	last = guest_ram_at(&ram, info->mmap_addr + 4 * 24, 24);
	ck_assert_uint_eq(last[0], 20);
	ck_assert_uint_eq(last[1], 0);
	ck_assert_uint_eq(last[2], 1);
	ck_assert_uint_eq(last[3], 1 << 30);
	ck_assert_uint_eq(last[4], 0);
	ck_assert_uint_eq(last[5], 1);
	guest_ram_free(&ram);
}

START_TEST(modules_are_pages_behind_the_kernel)
{
	static uint8_t first[PAGE + 1], third[PAGE];
	const struct svmrun_multiboot_module modules[] = {
		{ .bytes = first,
		  .size = sizeof(first),
		  .command_line = "first module" },
		{ .bytes = NULL },
		{ .bytes = third,
		  .size = sizeof(third),
		  .command_line = "third" },
	};
	struct svmrun_memory ram = guest_ram();
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_multiboot_entry entry;
	const struct module *list;

	memset(first, 1, sizeof(first));
	memset(third, 3, sizeof(third));
	boot.modules = modules;
	boot.module_count = 3;
	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(info_at(&ram, &entry)->mods_count, 3);
	list = guest_ram_at(&ram, info_at(&ram, &entry)->mods_addr, 3 * 16);
	ck_assert_uint_eq(list[0].start, KERNEL + 0x6000);
	ck_assert_uint_eq(list[0].end, KERNEL + 0x7001);
	ck_assert_uint_eq(list[1].start, KERNEL + 0x8000);
	ck_assert_uint_eq(list[1].end, KERNEL + 0x8000);
	ck_assert_uint_eq(list[2].start, KERNEL + 0x8000);
	ck_assert_uint_eq(list[2].end, KERNEL + 0x9000);
	ck_assert_mem_eq(guest_ram_at(&ram, list[0].start, sizeof(first)),
			 first, sizeof(first));
	ck_assert_mem_eq(guest_ram_at(&ram, list[2].start, PAGE), third, PAGE);
	ck_assert_str_eq(guest_ram_at(&ram, list[0].string, 13),
			 "first module");
	ck_assert_str_eq(guest_ram_at(&ram, list[1].string, 1), "");
	ck_assert_str_eq(guest_ram_at(&ram, list[2].string, 6), "third");
	guest_ram_free(&ram);
}

START_TEST(modules_need_memory)
{
	static uint8_t bytes[GUEST_RAM_SIZE];
	struct svmrun_multiboot_module modules[] = {
		{ .bytes = bytes,
		  .size = GUEST_RAM_SIZE - KERNEL - 0x6000 - PAGE },
		{ .bytes = bytes, .size = PAGE },
	};
	struct svmrun_memory ram = guest_ram();
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_multiboot_entry entry;

	boot.modules = modules;
	boot.module_count = 2;
	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	modules[1].size++;
	check_boot(&boot, -ENOMEM);
	modules[1].size = SIZE_MAX;
	check_boot(&boot, -EFBIG);
	modules[0].size = SIZE_MAX / 2;
	check_boot(&boot, -EFBIG);
	guest_ram_free(&ram);
}

START_TEST(strings_need_memory)
{
	char *line = calloc(1, GUEST_RAM_SIZE);
	struct raw raw = good_raw();
	struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));

	memset(line, 'x', GUEST_RAM_SIZE - 1);
	boot.command_line = line;
	check_boot(&boot, -ENOMEM);
	free(line);
}

/* The information must not overlap a kernel in conventional memory. */
START_TEST(information_avoids_low_kernels)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_multiboot_entry entry;
	struct svmrun_multiboot_boot boot;
	struct raw raw;

	move(&raw, 0x1000);
	boot = boot_of(&raw, sizeof(raw));
	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.ebx, 0x7000);
	move(&raw, 0x9fc00 - KERNEL_SIZE);
	ck_assert_int_eq(svmrun_multiboot_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_lt(entry.ebx, 0x9fc00 - KERNEL_SIZE - 88);
	guest_ram_free(&ram);
}

START_TEST(image_may_not_be_cut_off)
{
	const struct raw raw = good_raw();
	const struct elf32 elf = good_elf32();
	const size_t loaded = sizeof(raw) - sizeof(raw.behind);
	void *copy;
	size_t size;

	for (size = 0; size < loaded; size++) {
		copy = guest_ram_image(&raw, size);
		check_error(copy, size,
			    size < offsetof(struct raw, header.header_addr) ?
				    -ENOEXEC :
				    -ENODATA);
		free(copy);
	}
	for (size = 0; size < sizeof(elf); size++) {
		copy = guest_ram_image(&elf, size);
		check_error(copy, size,
			    size < offsetof(struct elf32, header.header_addr) ?
				    -ENOEXEC :
				    -ENODATA);
		free(copy);
	}
}

START_TEST(memory_must_be_a_pcs)
{
	struct raw raw = good_raw();
	const struct svmrun_multiboot_boot boot = boot_of(&raw, sizeof(raw));
	struct svmrun_multiboot_entry entry;

	ck_assert_int_eq(svmrun_multiboot_load(NULL, 0, &boot, &entry),
			 -EINVAL);
}

/* Change @n random bytes. Mostly, correct the checksum to reach later checks. */
static void mutate(uint8_t *image, size_t size, size_t header, unsigned int n,
		   uint64_t *random)
{
	struct header *to = (struct header *)(image + header);
	unsigned int i;

	for (i = 0; i < n && size; i++)
		image[xorshift_below(random, size)] = xorshift(random) >> 32;
	if (size >= header + 12 && n != 1)
		to->checksum = -(to->magic + to->flags);
}

static unsigned int mutations_load(const void *valid, size_t full,
				   size_t header, uint64_t seed)
{
	/* Each image is at the end of the space, so that overruns are detected. */
	uint8_t *space = malloc(full), *copy;
	struct svmrun_memory ram = guest_ram();
	uint64_t random = xorshift_seed(seed);
	struct svmrun_multiboot_module module = { .bytes = valid,
						  .size = full,
						  .command_line = "m" };
	struct svmrun_multiboot_entry entry;
	struct svmrun_multiboot_boot boot;
	unsigned int i, loaded = 0;
	size_t size;

	ck_assert_ptr_nonnull(space);
	for (i = 0; i < MUTATIONS / 2; i++) {
		size = i % 4 ? full : 4 * xorshift_below(&random, full / 4);
		copy = space + full - size;
		memcpy(copy, valid, size);
		mutate(copy, size, header, i % 6, &random);
		boot = boot_of(copy, size);
		boot.modules = &module;
		boot.module_count = i % 2;
		if (svmrun_multiboot_load(&ram, 1, &boot, &entry))
			continue;
		loaded++;
		guest_ram_at(&ram, entry.eip, 1);
		guest_ram_at(&ram, entry.ebx, 88);
	}
	free(space);
	guest_ram_free(&ram);
	return loaded;
}

START_TEST(mutated_images_are_harmless)
{
	const struct raw raw = good_raw();
	const struct elf32 elf = good_elf32();
	unsigned int loaded;

	loaded = mutations_load(&raw, sizeof(raw), offsetof(struct raw, header),
				3);
	ck_assert_uint_gt(loaded, MUTATIONS / 20);
	ck_assert_uint_lt(loaded, MUTATIONS / 20 * 9);
	loaded = mutations_load(&elf, sizeof(elf),
				offsetof(struct elf32, header), 4);
	ck_assert_uint_gt(loaded, MUTATIONS / 20);
	ck_assert_uint_lt(loaded, MUTATIONS / 20 * 9);
}

START_TEST(begins_in_protected_mode)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	const struct svm_vmcb_save *save = &pages.vmcb.save;
	const struct svmrun_multiboot_entry entry = { .eip = 0x1234,
						      .ebx = 0x5678 };

	ck_assert_int_eq(svmrun_multiboot_begin(&vcpu, &entry), 0);
	ck_assert_uint_eq(save->rip, 0x1234);
	ck_assert_uint_eq(save->rax, 0x2badb002);
	ck_assert_uint_eq(pages.regs.rbx, 0x5678);
	ck_assert_uint_eq(save->cr0 & 0x80000001, 1);
	ck_assert_uint_eq(save->rflags, 2);
	ck_assert_uint_eq(save->cs.attrib, 0xc9b);
	ck_assert_uint_eq(save->cs.limit, 0xffffffff);
	ck_assert_uint_eq(save->ss.attrib, 0xc93);
}

static const TTest **const tests[] = {
	&header_is_in_the_first_8_kib,
	&what_is_required_must_be_known,
	&all_kinds_of_kernels_are_loaded,
	&no_end_of_bss_is_no_bss,
	&addresses_must_agree,
	&kernel_must_be_in_memory,
	&entry_must_be_in_the_kernel,
	&without_addresses_it_must_be_elf,
	&information_has_memory_and_loader,
	&modules_are_pages_behind_the_kernel,
	&modules_need_memory,
	&strings_need_memory,
	&information_avoids_low_kernels,
	&image_may_not_be_cut_off,
	&memory_must_be_a_pcs,
	&mutated_images_are_harmless,
	&begins_in_protected_mode,
};

Suite *multiboot_suite(void)
{
	return suite_of("multiboot", tests, ARRAY_SIZE(tests));
}
