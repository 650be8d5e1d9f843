// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_bzimage_load() and svmrun_bzimage_begin(): Linux's boot protocol (its
 * Documentation/x86/boot.rst) in several versions, and malformed images.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>

#include <svmrun/bzimage.h>
#include <svmrun/e820.h>

#include "guest_ram.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define HEADER 0x1f1
#define JUMP_LENGTH (0x201 - HEADER) /* offset in the header */
#define SETUP 1024
#define CODE 64
#define KERNEL 0x110000
#define INIT_SIZE 0x8000
#define COMMAND_SIZE 64
#define PAGE 4096
#define MUTATIONS 1000000

struct image {
	uint8_t bytes[SETUP + CODE];
};

static struct setup_header *header_of(struct image *image)
{
	return (struct setup_header *)(image->bytes + HEADER);
}

static struct image good(void)
{
	struct image image;
	struct setup_header *header = header_of(&image);
	int i;

	memset(&image, 0xcc, sizeof(image));
	*header = (struct setup_header){
		.setup_sects = SETUP / 512 - 1,
		.syssize = CODE / 16,
		.boot_flag = 0xaa55,
		.jump = 0xeb | (sizeof(*header) + HEADER - 0x202) << 8,
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = COMMAND_SIZE,
		.pref_address = KERNEL,
		.init_size = INIT_SIZE,
	};
	for (i = 0; i < CODE; i++)
		image.bytes[SETUP + i] = i;
	return image;
}

static struct svmrun_bzimage_boot boot_of(const struct image *image)
{
	return (struct svmrun_bzimage_boot){
		.kernel = image->bytes,
		.kernel_size = sizeof(image->bytes),
	};
}

static struct boot_params *params_of(const struct svmrun_memory *ram,
				     const struct svmrun_bzimage_entry *entry)
{
	return guest_ram_at(ram, entry->rsi, sizeof(struct boot_params));
}

/* Loading fails, and no byte of guest memory has been written. */
static void check_error(const struct svmrun_bzimage_boot *boot, int error)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_bzimage_entry entry;

	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, boot, &entry), error);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

static void check_image(const struct image *image, int error)
{
	const struct svmrun_bzimage_boot boot = boot_of(image);

	check_error(&boot, error);
}

/* ELF with the note that Linux has, and with virtual addresses in the upper half */
struct vmlinux {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	struct {
		Elf64_Nhdr header;
		char name[8];
		uint32_t description;
	} note;
	uint8_t code[CODE];
};

static struct vmlinux good_vmlinux(void)
{
	struct vmlinux image = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = KERNEL + 4,
			.e_phoff = offsetof(struct vmlinux, segment),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.segment = {
			{
				.p_type = PT_LOAD,
				.p_offset = offsetof(struct vmlinux, code),
				.p_vaddr = 0xffffffff80000000 + KERNEL,
				.p_paddr = KERNEL,
				.p_filesz = CODE,
				.p_memsz = INIT_SIZE,
			}, {
				.p_type = PT_NOTE,
				.p_offset = offsetof(struct vmlinux, note),
				.p_filesz = sizeof(image.note),
			},
		},
		.note = { { 6, 4, 0x100 }, "Linux", 0 },
	};

	memset(image.code, 0x44, CODE);
	return image;
}

static void check_vmlinux(const struct vmlinux *image, int error)
{
	const struct svmrun_bzimage_boot boot = {
		.kernel = image,
		.kernel_size = sizeof(*image),
	};

	check_error(&boot, error);
}

START_TEST(note_makes_a_vmlinux)
{
	struct vmlinux image = good_vmlinux();

	ck_assert(svmrun_bzimage_is(&image, sizeof(image)));
	image.note.header.n_type++;
	ck_assert(!svmrun_bzimage_is(&image, sizeof(image)));
	image = good_vmlinux();
	image.header.e_machine = EM_ARM;
	check_vmlinux(&image, -EMEDIUMTYPE);
	image = good_vmlinux();
	image.header.e_entry = KERNEL + INIT_SIZE;
	check_vmlinux(&image, -ERANGE);
	image = good_vmlinux();
	image.segment[0].p_type = PT_NULL;
	check_vmlinux(&image, -ENODATA);
}

START_TEST(vmlinux_gets_a_zero_page)
{
	static const uint8_t bss[INIT_SIZE - CODE];
	struct svmrun_memory ram = guest_ram();
	const struct vmlinux image = good_vmlinux();
	const struct svmrun_bzimage_boot boot = {
		.kernel = &image,
		.kernel_size = sizeof(image),
		.initrd = "abc",
		.initrd_size = 3,
		.command_line = "quiet",
		.acpi_rsdp = 0xe0000,
	};
	struct svmrun_bzimage_entry entry;
	struct boot_params *params;

	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert(entry.long_mode);
	ck_assert_uint_eq(entry.rip, KERNEL + 4);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, CODE), image.code, CODE);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL + CODE, sizeof(bss)), bss,
			 sizeof(bss));
	params = params_of(&ram, &entry);
	ck_assert_uint_eq(params->hdr.header, 0x53726448);
	ck_assert_uint_eq(params->hdr.boot_flag, 0xaa55);
	ck_assert_uint_eq(params->hdr.version, 0x20f);
	ck_assert_uint_eq(params->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(params->hdr.ramdisk_image, GUEST_RAM_SIZE - PAGE);
	ck_assert_uint_eq(params->hdr.ramdisk_size, 3);
	ck_assert_uint_eq(params->acpi_rsdp_addr, 0xe0000);
	ck_assert_uint_eq(params->e820_entries, 4);
	ck_assert_str_eq(guest_ram_at(&ram, params->hdr.cmd_line_ptr, 6),
			 "quiet");
	guest_ram_free(&ram);
}

START_TEST(entry_in_real_mode_is_refused)
{
	struct image image = good();

	header_of(&image)->version = 0x207;
	header_of(&image)->code32_start = 0;
	check_image(&image, -EOPNOTSUPP);
}

START_TEST(magic_numbers_make_a_bzimage)
{
	struct image image = good();

	ck_assert(svmrun_bzimage_is(&image, sizeof(image)));
	ck_assert(!svmrun_bzimage_is(&image, 0x207));
	header_of(&image)->boot_flag = 0;
	ck_assert(!svmrun_bzimage_is(&image, sizeof(image)));
	check_image(&image, -ENOEXEC);
	image = good();
	header_of(&image)->header++;
	ck_assert(!svmrun_bzimage_is(&image, sizeof(image)));
	check_image(&image, -ENOEXEC);
}

START_TEST(kernel_goes_where_it_prefers)
{
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert(entry.long_mode);
	ck_assert_uint_eq(entry.rip, KERNEL + 0x200);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, CODE), image.bytes + SETUP,
			 CODE);
	ck_assert(guest_ram_is_rubbish(&ram, 0x9fc00, KERNEL - 0x9fc00));
	ck_assert(guest_ram_is_rubbish(&ram, KERNEL + CODE,
				       ram.size - KERNEL - CODE));
	guest_ram_free(&ram);
}

START_TEST(zero_page_has_the_header)
{
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;
	struct boot_params *params;

	boot.acpi_rsdp = 0xe0010;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	params = params_of(&ram, &entry);
	ck_assert_uint_eq(params->hdr.header, 0x53726448);
	ck_assert_uint_eq(params->hdr.version, 0x20f);
	ck_assert_uint_eq(params->hdr.pref_address, KERNEL);
	ck_assert_uint_eq(params->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(params->hdr.loadflags, LOADED_HIGH | CAN_USE_HEAP);
	ck_assert_uint_eq(params->hdr.heap_end_ptr, 0xde00);
	ck_assert_uint_eq(params->hdr.code32_start, KERNEL);
	ck_assert_uint_eq(params->hdr.vid_mode, 0xffff);
	ck_assert_uint_eq(params->hdr.ramdisk_image, 0);
	ck_assert_uint_eq(params->hdr.ramdisk_size, 0);
	ck_assert_uint_eq(params->acpi_rsdp_addr, 0xe0010);
	ck_assert_uint_eq(params->sentinel, 0);
	ck_assert_uint_eq(params->screen_info.orig_video_lines, 0);
	ck_assert_uint_eq(params->screen_info.orig_video_isVGA, 0);
	ck_assert_uint_eq(params->edd_mbr_sig_buffer[0], 0);
	guest_ram_free(&ram);
}

START_TEST(zero_page_has_the_memory_map)
{
	struct svmrun_memory ram = guest_ram();
	const struct svmrun_memory memories[] = {
		ram, { .gpa = 1ull << 32, .size = 1ull << 30 }
	};
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;
	struct boot_params *params;

	ck_assert_int_eq(svmrun_bzimage_load(memories, 2, &boot, &entry), 0);
	params = params_of(&ram, &entry);
	ck_assert_uint_eq(params->e820_entries, 5);
	ck_assert_int_eq(svmrun_e820_build(memories, 2, map, 5), 5);
	ck_assert_mem_eq(params->e820_table, map, sizeof(map));
	guest_ram_free(&ram);
}

/* Bytes of the image after its header are not copied to the zero page. */
/* Load an image, and return the address of the list of data in the zero page. */
static uint64_t setup_data_of(const struct svmrun_memory *ram,
			      const struct svmrun_bzimage_boot *boot)
{
	struct svmrun_bzimage_entry entry;

	ck_assert_int_eq(svmrun_bzimage_load(ram, 1, boot, &entry), 0);
	return params_of(ram, &entry)->hdr.setup_data;
}

START_TEST(seed_is_setup_data)
{
	static const char seed[] = "not at all random";
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);
	const struct setup_data *data;
	uint64_t gpa;

	ck_assert_uint_eq(setup_data_of(&ram, &boot), 0);
	boot.seed = seed;
	boot.seed_size = sizeof(seed);
	gpa = setup_data_of(&ram, &boot);
	ck_assert_uint_gt(gpa, 0);
	data = guest_ram_at(&ram, gpa, sizeof(*data) + sizeof(seed));
	ck_assert_uint_eq(data->next, 0);
	ck_assert_uint_eq(data->type, 9);
	ck_assert_uint_eq(data->len, sizeof(seed));
	ck_assert_mem_eq(data->data, seed, sizeof(seed));
	header_of(&image)->version = 0x208;
	ck_assert_uint_eq(setup_data_of(&ram, &boot), 0);
	guest_ram_free(&ram);
}

START_TEST(seed_is_not_too_large)
{
	static const uint8_t seed[SVMRUN_BZIMAGE_SEED + 1];
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);

	boot.seed = seed;
	boot.seed_size = sizeof(seed);
	check_error(&boot, -EINVAL);
}

START_TEST(zero_page_has_no_more_than_the_header)
{
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	header_of(&image)->jump = 0xffeb;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(params_of(&ram, &entry)->edd_mbr_sig_buffer[0], 0);
	header_of(&image)->handover_offset = 0x1234;
	header_of(&image)->jump = 0xeb | (HEADER +
					  offsetof(struct setup_header,
						   handover_offset) -
					  0x202) << 8;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(params_of(&ram, &entry)->hdr.handover_offset, 0);
	guest_ram_free(&ram);
}

START_TEST(command_line_has_the_kernels_limit)
{
	char line[COMMAND_SIZE + 2] = { 0 };
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	boot.command_line = line;
	memset(line, 'x', COMMAND_SIZE);
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_mem_eq(guest_ram_at(&ram,
				      params_of(&ram, &entry)->hdr.cmd_line_ptr,
				      COMMAND_SIZE + 1),
			 line, COMMAND_SIZE + 1);
	boot.command_line = NULL;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_str_eq(guest_ram_at(&ram,
				      params_of(&ram, &entry)->hdr.cmd_line_ptr,
				      1),
			 "");
	line[COMMAND_SIZE] = 'x';
	boot.command_line = line;
	check_error(&boot, -E2BIG);
	guest_ram_free(&ram);
}

START_TEST(command_line_is_no_longer_than_memory)
{
	const size_t length = 640 << 10;
	char *line = calloc(1, length + 1);
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);

	header_of(&image)->cmdline_size = UINT32_MAX;
	memset(line, 'x', length);
	boot.command_line = line;
	check_error(&boot, -E2BIG);
	free(line);
}

static uint32_t initrd_place(struct svmrun_bzimage_boot *boot,
			     const uint8_t *initrd, size_t size)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_bzimage_entry entry;
	uint32_t at;

	boot->initrd = initrd;
	boot->initrd_size = size;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, boot, &entry), 0);
	at = params_of(&ram, &entry)->hdr.ramdisk_image;
	ck_assert_uint_eq(params_of(&ram, &entry)->hdr.ramdisk_size, size);
	ck_assert_mem_eq(guest_ram_at(&ram, at, size), initrd, size);
	guest_ram_free(&ram);
	return at;
}

START_TEST(initrd_is_as_high_as_it_may_be)
{
	static uint8_t initrd[1 << 20];
	const uint32_t room = GUEST_RAM_SIZE - KERNEL - INIT_SIZE;
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);

	memset(initrd, 0x5a, sizeof(initrd));
	ck_assert_uint_eq(initrd_place(&boot, initrd, 5),
			  GUEST_RAM_SIZE - PAGE);
	ck_assert_uint_eq(initrd_place(&boot, initrd, PAGE + 1),
			  GUEST_RAM_SIZE - 2 * PAGE);
	ck_assert_uint_eq(initrd_place(&boot, initrd, room),
			  KERNEL + INIT_SIZE);
	header_of(&image)->initrd_addr_max = 0x17ffff;
	ck_assert_uint_eq(initrd_place(&boot, initrd, PAGE), 0x17f000);
	header_of(&image)->initrd_addr_max = 0x17fffe;
	ck_assert_uint_eq(initrd_place(&boot, initrd, PAGE), 0x17e000);
	/* If there is no other room, the RAM disk is below the kernel. */
	header_of(&image)->initrd_addr_max = KERNEL + INIT_SIZE;
	ck_assert_uint_eq(initrd_place(&boot, initrd, PAGE), KERNEL - PAGE);
}

START_TEST(initrd_needs_memory)
{
	static uint8_t initrd[2 << 20];
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);

	boot.initrd = initrd;
	header_of(&image)->initrd_addr_max = UINT32_MAX;
	boot.initrd_size = GUEST_RAM_SIZE - KERNEL - INIT_SIZE + 1;
	check_error(&boot, -ENOMEM);
	boot.initrd_size = sizeof(initrd);
	check_error(&boot, -ENOMEM);
	/* More memory is of no use where the kernel cannot use it. */
	header_of(&image)->initrd_addr_max = GUEST_RAM_SIZE - 1;
	check_error(&boot, -EFBIG);
	boot.initrd_size = SIZE_MAX;
	check_error(&boot, -EFBIG);
	boot.initrd_size = 1;
	header_of(&image)->initrd_addr_max = 0xfffff;
	check_error(&boot, -EFBIG);
	header_of(&image)->initrd_addr_max = 0;
	check_error(&boot, -EFBIG);
}

START_TEST(kernel_needs_memory)
{
	struct image image = good();

	header_of(&image)->init_size = GUEST_RAM_SIZE - KERNEL + 1;
	check_image(&image, -ENOMEM);
	header_of(&image)->init_size = UINT32_MAX;
	check_image(&image, -ERANGE);
	image = good();
	header_of(&image)->pref_address = GUEST_RAM_SIZE - CODE + 1;
	header_of(&image)->init_size = 0;
	check_image(&image, -ENOMEM);
}

START_TEST(kernel_needs_an_address)
{
	const uint64_t wrong[] = { 0,	       0x1000,	   0xfffff,
				   0xc0000000, 1ull << 32, UINT64_MAX };
	struct image image = good();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		header_of(&image)->pref_address = wrong[i];
		check_image(&image, -ERANGE);
	}
}

START_TEST(old_protocols_are_refused)
{
	struct image image = good();

	header_of(&image)->version = 0x205;
	check_image(&image, -EPROTONOSUPPORT);
	image = good();
	header_of(&image)->loadflags = 0;
	check_image(&image, -EPROTONOSUPPORT);
}

START_TEST(older_protocols_say_less)
{
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	header_of(&image)->version = 0x20b;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert(!entry.long_mode);
	ck_assert_uint_eq(entry.rip, KERNEL);
	header_of(&image)->version = 0x209;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_uint_eq(entry.rip, 0x100000);
	header_of(&image)->version = 0x20c;
	header_of(&image)->xloadflags = ~XLF_KERNEL_64;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert(!entry.long_mode);
	guest_ram_free(&ram);
}

START_TEST(no_sectors_are_four)
{
	static uint8_t bytes[5 * 512 + 16];
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	struct svmrun_bzimage_boot boot = { .kernel = bytes,
					    .kernel_size = sizeof(bytes) };
	struct svmrun_bzimage_entry entry;

	header_of(&image)->setup_sects = 0;
	header_of(&image)->syssize = 1;
	memcpy(bytes, &image, SETUP);
	memset(bytes + 5 * 512, 0x77, 16);
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_mem_eq(guest_ram_at(&ram, KERNEL, 16), bytes + 5 * 512, 16);
	boot.kernel_size = 5 * 512;
	check_error(&boot, -ENODATA);
	guest_ram_free(&ram);
}

/* The size of the kernel is in units of 16 bytes; the last unit may be incomplete. */
START_TEST(image_may_not_be_cut_off)
{
	struct image image = good();
	struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_memory ram = guest_ram();
	struct svmrun_bzimage_entry entry;
	void *copy;
	size_t size;
	int ret;

	for (size = 0; size < sizeof(image); size++) {
		copy = guest_ram_image(&image, size);
		boot.kernel = copy;
		boot.kernel_size = size;
		ret = svmrun_bzimage_load(&ram, 1, &boot, &entry);
		if (size < 0x208)
			ck_assert_int_eq(ret, -ENOEXEC);
		else if (size <= sizeof(image) - 16)
			ck_assert_int_eq(ret, -ENODATA);
		else
			ck_assert_int_eq(ret, 0);
		free(copy);
	}
	guest_ram_free(&ram);
}

START_TEST(memory_must_be_a_pcs)
{
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_memory ram = guest_ram_of(1 << 20);
	struct svmrun_bzimage_entry entry;

	ck_assert_int_eq(svmrun_bzimage_load(NULL, 0, &boot, &entry), -EINVAL);
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), -ENOMEM);
	ram.gpa = PAGE;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), -EINVAL);
	guest_ram_free(&ram);
}

/* All addresses of the entry must be in guest memory. */
static void check_entry(struct svmrun_memory *ram,
			const struct svmrun_bzimage_entry *entry)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);

	guest_ram_at(ram, entry->rsi, PAGE);
	guest_ram_at(ram, entry->gdt, 32);
	ck_assert_uint_lt(entry->rip, ram->size + 0x200);
	ck_assert_int_eq(svmrun_bzimage_begin(&vcpu, ram, entry), 0);
}

START_TEST(mutated_headers_are_harmless)
{
	const struct image valid = good();
	struct svmrun_memory ram = guest_ram();
	struct svmrun_bzimage_entry entry;
	struct svmrun_bzimage_boot boot;
	uint64_t random = xorshift_seed(1);
	unsigned int i, bytes, size, loaded = 0;
	static const uint8_t initrd[5000];
	/* Each image is at the end of the space, so that overruns are detected. */
	uint8_t *space = malloc(sizeof(valid)), *copy;

	ck_assert_ptr_nonnull(space);
	for (i = 0; i < MUTATIONS; i++) {
		size = i % 4 ? sizeof(valid) :
			       xorshift_below(&random, sizeof(valid) + 1);
		copy = space + sizeof(valid) - size;
		memcpy(copy, &valid, size);
		for (bytes = i % 8; bytes && size > HEADER + 0x80; bytes--)
			copy[HEADER + xorshift_below(&random, 0x80)] =
				xorshift(&random) >> 32;
		boot = (struct svmrun_bzimage_boot){
			.kernel = copy,
			.kernel_size = size,
			.initrd = initrd,
			.initrd_size = xorshift_below(&random, 5000),
		};
		if (!svmrun_bzimage_load(&ram, 1, &boot, &entry)) {
			if (!(loaded++ % 64))
				check_entry(&ram, &entry);
		}
	}
	ck_assert_uint_gt(loaded, MUTATIONS / 10);
	ck_assert_uint_lt(loaded, MUTATIONS / 10 * 9);
	free(space);
	guest_ram_free(&ram);
}

static void check_segments(const struct svm_vmcb_save *save, uint16_t code)
{
	ck_assert_uint_eq(save->cs.selector, 0x10);
	ck_assert_uint_eq(save->cs.attrib, code);
	ck_assert_uint_eq(save->ds.selector, 0x18);
	ck_assert_uint_eq(save->es.selector, 0x18);
	ck_assert_uint_eq(save->ss.selector, 0x18);
	ck_assert_uint_eq(save->ss.attrib, 0xc93);
	ck_assert_uint_eq(save->rflags, 2);
}

/* The descriptors in the GDT match the segment registers. */
static void check_gdt(const struct svmrun_memory *ram,
		      const struct svm_vmcb_save *save, uint64_t code)
{
	const uint64_t *gdt = guest_ram_at(ram, save->gdtr.base, 32);

	ck_assert_uint_eq(save->gdtr.limit, 31);
	ck_assert_uint_eq(gdt[0], 0);
	ck_assert_uint_eq(gdt[1], 0);
	ck_assert_uint_eq(gdt[2], code);
	ck_assert_uint_eq(gdt[3], 0x00cf93000000ffff);
}

START_TEST(begins_in_long_mode)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	const struct svm_vmcb_save *save = &pages.vmcb.save;
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_int_eq(svmrun_bzimage_begin(&vcpu, &ram, &entry), 0);
	check_segments(save, 0xa9b);
	check_gdt(&ram, save, 0x00af9b000000ffff);
	ck_assert_uint_eq(save->rip, KERNEL + 0x200);
	ck_assert_uint_eq(save->cr3, entry.tables);
	ck_assert_uint_eq(pages.regs.rsi, entry.rsi);
	ck_assert_uint_eq(params_of(&ram, &entry)->hdr.header, 0x53726448);
	entry.gdt = ram.size;
	ck_assert_int_eq(svmrun_bzimage_begin(&vcpu, &ram, &entry), -ERANGE);
	guest_ram_free(&ram);
}

START_TEST(begins_in_protected_mode)
{
	static struct vcpu_pages pages;
	struct svmrun_vcpu vcpu = vcpu_pages_fill(&pages);
	const struct svm_vmcb_save *save = &pages.vmcb.save;
	struct svmrun_memory ram = guest_ram();
	struct image image = good();
	const struct svmrun_bzimage_boot boot = boot_of(&image);
	struct svmrun_bzimage_entry entry;

	header_of(&image)->xloadflags = 0;
	ck_assert_int_eq(svmrun_bzimage_load(&ram, 1, &boot, &entry), 0);
	ck_assert_int_eq(svmrun_bzimage_begin(&vcpu, &ram, &entry), 0);
	check_segments(save, 0xc9b);
	check_gdt(&ram, save, 0x00cf9b000000ffff);
	ck_assert_uint_eq(save->rip, KERNEL);
	ck_assert_uint_eq(save->cr0 >> 31, 0);
	ck_assert_uint_eq(pages.regs.rsi, entry.rsi);
	ck_assert_uint_eq(pages.regs.rbp, 0);
	ck_assert_uint_eq(pages.regs.rdi, 0);
	ck_assert_uint_eq(pages.regs.rbx, 0);
	guest_ram_free(&ram);
}

static const TTest **const tests[] = {
	&note_makes_a_vmlinux,
	&vmlinux_gets_a_zero_page,
	&entry_in_real_mode_is_refused,
	&magic_numbers_make_a_bzimage,
	&kernel_goes_where_it_prefers,
	&zero_page_has_the_header,
	&zero_page_has_the_memory_map,
	&seed_is_setup_data,
	&seed_is_not_too_large,
	&zero_page_has_no_more_than_the_header,
	&command_line_has_the_kernels_limit,
	&command_line_is_no_longer_than_memory,
	&initrd_is_as_high_as_it_may_be,
	&initrd_needs_memory,
	&kernel_needs_memory,
	&kernel_needs_an_address,
	&old_protocols_are_refused,
	&older_protocols_say_less,
	&no_sectors_are_four,
	&image_may_not_be_cut_off,
	&memory_must_be_a_pcs,
	&mutated_headers_are_harmless,
	&begins_in_long_mode,
	&begins_in_protected_mode,
};

Suite *bzimage_suite(void)
{
	return suite_of("bzimage", tests, ARRAY_SIZE(tests));
}
