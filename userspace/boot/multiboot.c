// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loader for Multiboot kernels; section numbers of the specification, version 0.6.96 */
#include <errno.h>
#include <string.h>

#include <svmrun/e820.h>
#include <svmrun/multiboot.h>

#include "executable.h"
#include "layout.h"
#include "raw.h"

#define SEARCH 8192 /* the header is inside the first 8192 bytes (3.1) */
#define MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define LOADER_NAME "svmrun"
#define KIB 1024

/* Flags of the header (3.1.2). Those in the lower half are requirements. */
#define ALIGNED (1u << 0)
#define MEMORY (1u << 1)
#define VIDEO (1u << 2)
#define REQUIRED 0xffffu
#define ADDRESSES (1u << 16)

/* Flags of the information (3.3) */
#define HAS_MEMORY (1u << 0)
#define HAS_COMMAND (1u << 2)
#define HAS_MODULES (1u << 3)
#define HAS_MAP (1u << 6)
#define HAS_LOADER (1u << 9)

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
};

/* Follows the header if the flag ADDRESSES is set (3.1.3). */
struct addresses {
	struct raw_addresses raw;
	uint32_t entry;
};

/* 3.3 */
struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower;
	uint32_t mem_upper;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t module_count;
	uint32_t modules;
	uint32_t symbols[4];
	uint32_t map_length;
	uint32_t map;
	uint32_t drives_length;
	uint32_t drives;
	uint32_t config_table;
	uint32_t loader_name;
	uint32_t apm_table;
	uint32_t vbe[4];
};

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t command_line;
	uint32_t reserved;
};

/* @size does not include itself. */
struct map_entry {
	uint32_t size;
	struct svmrun_e820_entry range;
} __attribute__((packed));

_Static_assert(sizeof(struct multiboot_info) == 88, "3.3");
_Static_assert(sizeof(struct multiboot_module) == 16, "3.3");
_Static_assert(sizeof(struct map_entry) == 24, "3.3");

/* The boot information; the list of modules follows, then all strings. */
struct boot_info {
	struct multiboot_info info;
	struct map_entry map[SVMRUN_E820_ENTRIES];
	char loader_name[sizeof(LOADER_NAME)];
	char pad[8 - sizeof(LOADER_NAME) % 8];
	struct multiboot_module modules[];
};

/**
 * struct multiboot_plan - a kernel, and the addresses its parts are loaded at
 * @is_raw: @raw is used, not @executable
 * @raw: the kernel as its Multiboot header describes it
 * @executable: the kernel as its ELF headers describe it
 * @entry: guest physical address of the entry point
 * @modules: guest physical address of the first module; each takes whole pages
 * @boot_info: guest physical address of struct boot_info
 */
struct multiboot_plan {
	bool is_raw;
	struct raw_kernel raw;
	struct executable executable;
	uint32_t entry;
	uint64_t modules;
	uint64_t boot_info;
};

static const char *string_or_empty(const char *string)
{
	return string ? string : "";
}

static uint64_t round_up_to_pages(uint64_t size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Return the offset of the header, which is a multiple of 4 (3.1), or -1. */
static int64_t find_multiboot_header(struct multiboot_header *header,
				     const uint8_t *image, size_t size)
{
	size_t end = size < SEARCH ? size : SEARCH;
	size_t at;

	for (at = 0; at + sizeof(*header) <= end; at += 4) {
		memcpy(header, image + at, sizeof(*header));
		if (header->magic == MAGIC &&
		    header->magic + header->flags + header->checksum == 0)
			return at;
	}
	return -1;
}

bool svmrun_multiboot_is(const void *image, size_t size)
{
	struct multiboot_header header;

	return find_multiboot_header(&header, image, size) >= 0;
}

static int check_multiboot_header(const struct multiboot_header *header)
{
	uint32_t required = header->flags & REQUIRED;

	if (required & VIDEO)
		return -ENODEV;
	return required & ~(ALIGNED | MEMORY) ? -EOPNOTSUPP : 0;
}

static int plan_raw(struct multiboot_plan *plan, struct layout *layout,
		    uint64_t header, const uint8_t *image, size_t size)
{
	uint64_t at = header + sizeof(struct multiboot_header);
	struct addresses addresses;
	int ret;

	if (size - at < sizeof(addresses))
		return -ENODATA;
	memcpy(&addresses, image + at, sizeof(addresses));
	ret = raw_read(&plan->raw, &addresses.raw, header, size);
	if (ret)
		return ret;
	plan->entry = addresses.entry;
	return raw_occupy(&plan->raw, layout, plan->entry);
}

static int plan_executable(struct multiboot_plan *plan, struct layout *layout,
			   const void *image, size_t size)
{
	int ret = executable_open(&plan->executable, image, size);

	/* Multiboot kernels need not be ELF, but this one has no addresses. */
	if (ret == -ENOEXEC)
		return -EMEDIUMTYPE;
	if (ret)
		return ret;
	ret = executable_occupy(&plan->executable, layout);
	/* The ELF header is valid, but a segment is not. */
	if (ret == -ENOEXEC)
		return -EBADMSG;
	if (ret)
		return ret;
	return executable_entry(&plan->executable, &plan->entry);
}

static int plan_multiboot_kernel(struct multiboot_plan *plan,
				 struct layout *layout, const void *image,
				 size_t size)
{
	struct multiboot_header header;
	int64_t at = find_multiboot_header(&header, image, size);
	int ret;

	if (at < 0)
		return -ENOEXEC;
	ret = check_multiboot_header(&header);
	if (ret)
		return ret;
	plan->is_raw = header.flags & ADDRESSES;
	if (!plan->is_raw)
		return plan_executable(plan, layout, image, size);
	return plan_raw(plan, layout, at, image, size);
}

static int plan_modules(struct multiboot_plan *plan, struct layout *layout,
			const struct svmrun_multiboot_boot *boot)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < boot->module_count; i++) {
		if (boot->modules[i].size > SVMRUN_E820_HOLE ||
		    size > SVMRUN_E820_HOLE)
			return -EFBIG;
		size += round_up_to_pages(boot->modules[i].size);
	}
	plan->modules = layout_take(&layout->high, size, PAGE_SIZE);
	return plan->modules ? 0 : -EFBIG;
}

static uint64_t boot_info_size(const struct svmrun_multiboot_boot *boot)
{
	uint64_t size = sizeof(struct boot_info);
	size_t i;

	size += boot->module_count * sizeof(struct multiboot_module);
	size += strlen(string_or_empty(boot->command_line)) + 1;
	for (i = 0; i < boot->module_count; i++)
		size += strlen(string_or_empty(boot->modules[i].command_line)) +
			1;
	return size;
}

/* Prefer conventional memory, which a kernel is least likely to use for itself. */
static int plan_boot_info(struct multiboot_plan *plan, struct layout *layout,
			  const struct svmrun_multiboot_boot *boot)
{
	uint64_t size = boot_info_size(boot);

	plan->boot_info = layout_take(&layout->low, size, PAGE_SIZE);
	if (!plan->boot_info)
		plan->boot_info = layout_take(&layout->high, size, PAGE_SIZE);
	return plan->boot_info ? 0 : -E2BIG;
}

static int plan_multiboot(struct multiboot_plan *plan, struct layout *layout,
			  const struct svmrun_multiboot_boot *boot)
{
	int ret;

	ret = plan_multiboot_kernel(plan, layout, boot->kernel,
				    boot->kernel_size);
	if (ret)
		return ret;
	ret = plan_modules(plan, layout, boot);
	return ret ? ret : plan_boot_info(plan, layout, boot);
}

/* Plan for @size bytes of memory from address 0 on. */
static int plan_multiboot_in(struct multiboot_plan *plan, uint64_t size,
			     const struct svmrun_multiboot_boot *boot)
{
	struct layout layout = layout_of(size);

	*plan = (struct multiboot_plan){ 0 };
	return plan_multiboot(plan, &layout, boot);
}

static int find_multiboot_plan(struct multiboot_plan *plan, uint64_t size,
			       const struct svmrun_multiboot_boot *boot)
{
	int ret = plan_multiboot_in(plan, size, boot);

	if (layout_is_short(ret) &&
	    !plan_multiboot_in(plan, SVMRUN_E820_HOLE, boot))
		return -ENOMEM;
	return ret;
}

static void load_multiboot_kernel(const struct multiboot_plan *plan,
				  const void *image,
				  const struct svmrun_memory *low)
{
	if (plan->is_raw)
		raw_load(&plan->raw, image, low->base);
	else
		executable_load(&plan->executable, low);
}

/* This and put_module() return the address of the next string. */
static uint64_t put_string(uint8_t *low, uint64_t at, const char *string)
{
	size_t size = strlen(string) + 1;

	memcpy(low + at, string, size);
	return at + size;
}

static uint64_t put_module(struct multiboot_module *to, uint64_t strings,
			   uint64_t at,
			   const struct svmrun_multiboot_module *module,
			   uint8_t *low)
{
	if (module->size)
		memcpy(low + at, module->bytes, module->size);
	*to = (struct multiboot_module){
		.start = at,
		.end = at + module->size,
		.command_line = strings,
	};
	return put_string(low, strings, string_or_empty(module->command_line));
}

static void put_modules(const struct multiboot_plan *plan, uint64_t strings,
			const struct svmrun_multiboot_boot *boot, uint8_t *low)
{
	struct boot_info *boot_info = (struct boot_info *)(low +
							   plan->boot_info);
	uint64_t at = plan->modules;
	size_t i;

	for (i = 0; i < boot->module_count; i++) {
		strings = put_module(&boot_info->modules[i], strings, at,
				     &boot->modules[i], low);
		at += round_up_to_pages(boot->modules[i].size);
	}
}

static void fill_multiboot_map(struct boot_info *boot_info,
			       const struct svmrun_e820_entry *entries,
			       int count)
{
	int i;

	for (i = 0; i < count; i++) {
		boot_info->map[i].size = sizeof(boot_info->map[i].range);
		boot_info->map[i].range = entries[i];
	}
}

static struct multiboot_info
multiboot_info(const struct multiboot_plan *plan,
	       const struct svmrun_multiboot_boot *boot, uint64_t memory,
	       uint64_t strings, int entries)
{
	uint64_t boot_info = plan->boot_info;

	return (struct multiboot_info){
		.flags = HAS_MEMORY | HAS_COMMAND | HAS_MODULES | HAS_MAP |
			 HAS_LOADER,
		.mem_lower = SVMRUN_E820_LOW_END / KIB,
		.mem_upper = (memory - SVMRUN_E820_HIGH) / KIB,
		.command_line = strings,
		.module_count = boot->module_count,
		.modules = boot_info + sizeof(struct boot_info),
		.map_length = entries * sizeof(struct map_entry),
		.map = boot_info + offsetof(struct boot_info, map),
		.loader_name = boot_info +
			       offsetof(struct boot_info, loader_name),
	};
}

static void put_boot_info(const struct multiboot_plan *plan,
			  const struct svmrun_multiboot_boot *boot,
			  const struct svmrun_memory *memory,
			  const struct svmrun_e820_entry *entries, int count)
{
	uint8_t *low = memory->base;
	struct boot_info *boot_info = (struct boot_info *)(low +
							   plan->boot_info);
	uint64_t strings = plan->boot_info + sizeof(*boot_info) +
			   boot->module_count * sizeof(struct multiboot_module);

	memset(boot_info, 0, sizeof(*boot_info));
	boot_info->info = multiboot_info(plan, boot, memory->size, strings,
					 count);
	memcpy(boot_info->loader_name, LOADER_NAME, sizeof(LOADER_NAME));
	fill_multiboot_map(boot_info, entries, count);
	strings = put_string(low, strings, string_or_empty(boot->command_line));
	put_modules(plan, strings, boot, low);
}

int svmrun_multiboot_load(const struct svmrun_memory *memories, size_t count,
			  const struct svmrun_multiboot_boot *boot,
			  struct svmrun_multiboot_entry *entry)
{
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	struct multiboot_plan plan;
	int entries, ret;

	entries = svmrun_e820_build(memories, count, map, SVMRUN_E820_ENTRIES);
	if (entries < 0)
		return entries;
	ret = find_multiboot_plan(&plan, memories->size, boot);
	if (ret)
		return ret;
	load_multiboot_kernel(&plan, boot->kernel, memories);
	put_boot_info(&plan, boot, memories, map, entries);
	*entry = (struct svmrun_multiboot_entry){
		.eip = plan.entry,
		.ebx = plan.boot_info,
	};
	return 0;
}

/* The machine state of 3.2 */
int svmrun_multiboot_begin(struct svmrun_vcpu *vcpu,
			   const struct svmrun_multiboot_entry *entry)
{
	svmrun_mode_protected(vcpu, entry->eip, 0);
	vcpu->vmcb->save.rax = LOADER_MAGIC;
	vcpu->regs->rbx = entry->ebx;
	return 0;
}
