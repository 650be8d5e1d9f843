// SPDX-License-Identifier: LGPL-2.1-or-later
/* Section numbers are those of the Multiboot2 Specification, version 2.0. */
#include <errno.h>
#include <string.h>

#include <svmrun/e820.h>
#include <svmrun/multiboot2.h>

#include "executable.h"
#include "layout.h"
#include "raw.h"

#define SEARCH 32768 /* bytes that the header is in: 3.1.1 */
#define ALIGN 8ull /* of the header, of tags and of the information */
#define MAGIC 0xe85250d6
#define ARCHITECTURE_I386 0
#define LOADER_MAGIC 0x36d76289
#define LOADER_NAME "svmrun"
#define KIB 1024
#define RSDP_OLD 20 /* bytes of ACPI 1.0's root pointer */
#define RSDP_NEW 36

/* 3.1.2 */
struct header {
	uint32_t magic;
	uint32_t architecture;
	uint32_t length;
	uint32_t checksum;
};

/* Tags of the header: 3.1.3 */
enum {
	TAG_END,
	TAG_REQUEST,
	TAG_ADDRESS,
	TAG_ENTRY,
	TAG_CONSOLE,
	TAG_FRAMEBUFFER,
	TAG_ALIGN,
	TAG_EFI_SERVICES,
	TAG_EFI_ENTRY_32,
	TAG_EFI_ENTRY_64,
	TAG_RELOCATABLE,
};

#define TAG_OPTIONAL 1
#define CONSOLE_REQUIRED 1

struct tag {
	uint16_t type;
	uint16_t flags;
	uint32_t size;
};

/* Tags of the information: 3.6 */
enum {
	INFO_END,
	INFO_COMMAND_LINE,
	INFO_LOADER_NAME,
	INFO_MODULE,
	INFO_MEMORY,
	INFO_MAP = 6,
	INFO_ACPI_OLD = 14,
	INFO_ACPI_NEW,
	INFO_LAST = 21,
};

/* Both follow the type and the size of a tag. */
struct info_map {
	uint32_t entry_size;
	uint32_t entry_version;
};

struct info_range {
	uint64_t base;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct header) == 16, "3.1.2");
_Static_assert(sizeof(struct tag) == 8, "3.1.3");
_Static_assert(sizeof(struct info_range) == 24, "3.6.8");

/**
 * struct kernel - the header of a kernel
 * @has_addresses: @raw is valid
 * @has_entry: @entry is valid
 * @raw: the addresses in the header
 * @entry: the entry point in the header
 */
struct kernel {
	bool has_addresses;
	bool has_entry;
	struct raw_kernel raw;
	uint32_t entry;
};

/**
 * struct plan - a kernel, and where its parts go
 * @kernel: its header
 * @executable: the kernel by ELF's headers, if its own has no addresses
 * @entry: guest physical address, like all below
 * @modules: of the first one; each takes whole pages
 * @info: of the information
 */
struct plan {
	struct kernel kernel;
	struct executable executable;
	uint32_t entry;
	uint64_t modules;
	uint64_t info;
};

/**
 * struct writer - the information while it is written
 * @bytes: where it is, or NULL to find its size
 * @at: offset of the next byte
 */
struct writer {
	uint8_t *bytes;
	uint64_t at;
};

static const char *text(const char *string)
{
	return string ? string : "";
}

static uint64_t round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) & ~(to - 1);
}

/* ---- the header ---------------------------------------------------------- */

/* Return the offset of the header, or -1. */
static int64_t header_find(struct header *header, const uint8_t *image,
			   size_t size)
{
	size_t end = size < SEARCH ? size : SEARCH;
	size_t at;

	for (at = 0; at + sizeof(*header) <= end; at += ALIGN) {
		memcpy(header, image + at, sizeof(*header));
		if (header->magic == MAGIC &&
		    header->architecture == ARCHITECTURE_I386 &&
		    header->magic + header->architecture + header->length +
				    header->checksum ==
			    0)
			return at;
	}
	return -1;
}

bool svmrun_multiboot2_is(const void *image, size_t size)
{
	struct header header;

	return header_find(&header, image, size) >= 0;
}

/* 3.1.4: information that is known but not available may be missing. */
static int tag_request(const uint8_t *body, size_t size)
{
	uint32_t type;
	size_t at;

	for (at = 0; at + sizeof(type) <= size; at += sizeof(type)) {
		memcpy(&type, body + at, sizeof(type));
		if (type > INFO_LAST)
			return -EOPNOTSUPP;
	}
	return 0;
}

static int tag_addresses(struct kernel *kernel, const uint8_t *body,
			 size_t size, uint64_t header, size_t image_size)
{
	struct raw_addresses addresses;

	if (size < sizeof(addresses))
		return -EBADMSG;
	memcpy(&addresses, body, sizeof(addresses));
	/* 3.1.5: all ones for the beginning of the file */
	if (addresses.load == UINT32_MAX)
		addresses.load = addresses.header - header;
	kernel->has_addresses = true;
	return raw_read(&kernel->raw, &addresses, header, image_size);
}

static int tag_entry(struct kernel *kernel, const uint8_t *body, size_t size)
{
	if (size < sizeof(kernel->entry))
		return -EBADMSG;
	memcpy(&kernel->entry, body, sizeof(kernel->entry));
	kernel->has_entry = true;
	return 0;
}

static int tag_console(const uint8_t *body, size_t size)
{
	return size && body[0] & CONSOLE_REQUIRED ? -ENODEV : 0;
}

/* Tags for EFI are for loaders that EFI has started. */
static int tag_read(struct kernel *kernel, const struct tag *tag,
		    const uint8_t *body, uint64_t header, size_t image_size)
{
	size_t size = tag->size - sizeof(*tag);

	switch (tag->type) {
	case TAG_ADDRESS:
		return tag_addresses(kernel, body, size, header, image_size);
	case TAG_ENTRY:
		return tag_entry(kernel, body, size);
	case TAG_ALIGN:
	case TAG_EFI_SERVICES:
	case TAG_EFI_ENTRY_32:
	case TAG_EFI_ENTRY_64:
	case TAG_RELOCATABLE:
		return 0;
	}
	if (tag->flags & TAG_OPTIONAL)
		return 0;
	switch (tag->type) {
	case TAG_REQUEST:
		return tag_request(body, size);
	case TAG_CONSOLE:
		return tag_console(body, size);
	case TAG_FRAMEBUFFER:
		return -ENODEV;
	default:
		return -EOPNOTSUPP;
	}
}

static int tags_read(struct kernel *kernel, const uint8_t *image, size_t size,
		     uint64_t header, uint32_t length)
{
	uint64_t at = header + sizeof(struct header);
	uint64_t end = header + length;
	struct tag tag;
	int ret;

	if (end > size)
		return -ENODATA;
	while (at + sizeof(tag) <= end) {
		memcpy(&tag, image + at, sizeof(tag));
		if (tag.type == TAG_END)
			return 0;
		if (tag.size < sizeof(tag) || tag.size > end - at)
			return -EBADMSG;
		ret = tag_read(kernel, &tag, image + at + sizeof(tag), header,
			       size);
		if (ret)
			return ret;
		at = round_up(at + tag.size, ALIGN);
	}
	return -EBADMSG;
}

/* ---- the plan ------------------------------------------------------------ */

static int plan_executable(struct plan *plan, struct layout *layout,
			   const struct svmrun_multiboot_boot *boot)
{
	int ret = executable_open(&plan->executable, boot->kernel,
				  boot->kernel_size);

	if (ret == -ENOEXEC) /* it need not have been ELF */
		return -EMEDIUMTYPE;
	if (ret)
		return ret;
	ret = executable_occupy(&plan->executable, layout);
	if (ret)
		return ret == -ENOEXEC ? -EBADMSG : ret;
	if (!plan->kernel.has_entry)
		return executable_entry(&plan->executable, &plan->entry);
	plan->entry = plan->kernel.entry;
	return executable_has(&plan->executable, plan->entry) ? 0 : -ERANGE;
}

/* 3.1.5: a header with addresses has the entry point as well. */
static int plan_raw(struct plan *plan, struct layout *layout)
{
	if (!plan->kernel.has_entry)
		return -EBADMSG;
	plan->entry = plan->kernel.entry;
	return raw_occupy(&plan->kernel.raw, layout, plan->entry);
}

static int plan_kernel(struct plan *plan, struct layout *layout,
		       const struct svmrun_multiboot_boot *boot)
{
	struct header header;
	int64_t at = header_find(&header, boot->kernel, boot->kernel_size);
	int ret;

	if (at < 0)
		return -ENOEXEC;
	ret = tags_read(&plan->kernel, boot->kernel, boot->kernel_size, at,
			header.length);
	if (ret)
		return ret;
	return plan->kernel.has_addresses ? plan_raw(plan, layout) :
					    plan_executable(plan, layout, boot);
}

static int plan_modules(struct plan *plan, struct layout *layout,
			const struct svmrun_multiboot_boot *boot)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < boot->module_count; i++) {
		if (boot->modules[i].size > SVMRUN_E820_HOLE ||
		    size > SVMRUN_E820_HOLE)
			return -EFBIG;
		size += round_up(boot->modules[i].size, PAGE_SIZE);
	}
	plan->modules = layout_take(&layout->high, size, PAGE_SIZE);
	return plan->modules ? 0 : -EFBIG;
}

/* ---- the information: 3.6 ------------------------------------------------ */

static void put(struct writer *writer, const void *bytes, size_t size)
{
	if (writer->bytes && size)
		memcpy(writer->bytes + writer->at, bytes, size);
	writer->at += size;
}

static void put_u32(struct writer *writer, uint32_t value)
{
	put(writer, &value, sizeof(value));
}

/* Tags are padded, and the padding does not count. */
static void put_tag(struct writer *writer, uint32_t type, uint32_t size)
{
	static const uint8_t zeros[ALIGN];

	put(writer, zeros, -writer->at & (ALIGN - 1));
	put_u32(writer, type);
	put_u32(writer, sizeof(struct tag) + size);
}

static void put_text(struct writer *writer, uint32_t type, const char *string)
{
	put_tag(writer, type, strlen(string) + 1);
	put(writer, string, strlen(string) + 1);
}

static void put_modules(struct writer *writer, uint64_t at,
			const struct svmrun_multiboot_boot *boot)
{
	size_t i, size;

	for (i = 0; i < boot->module_count; i++) {
		const struct svmrun_multiboot_module *module = &boot->modules[i];

		size = strlen(text(module->command_line)) + 1;
		put_tag(writer, INFO_MODULE, 2 * sizeof(uint32_t) + size);
		put_u32(writer, at);
		put_u32(writer, at + module->size);
		put(writer, text(module->command_line), size);
		at += round_up(module->size, PAGE_SIZE);
	}
}

static void put_memory(struct writer *writer, uint64_t size)
{
	put_tag(writer, INFO_MEMORY, 2 * sizeof(uint32_t));
	put_u32(writer, SVMRUN_E820_LOW_END / KIB);
	put_u32(writer, (size - SVMRUN_E820_HIGH) / KIB);
}

static void put_map(struct writer *writer,
		    const struct svmrun_e820_entry *entries, int count)
{
	const struct info_map map = { sizeof(struct info_range), 0 };
	int i;

	put_tag(writer, INFO_MAP,
		sizeof(map) + count * sizeof(struct info_range));
	put(writer, &map, sizeof(map));
	for (i = 0; i < count; i++) {
		const struct info_range range = {
			.base = entries[i].base,
			.length = entries[i].size,
			.type = entries[i].type,
		};

		put(writer, &range, sizeof(range));
	}
}

static void put_acpi(struct writer *writer, const struct svmrun_memory *low,
		     uint64_t gpa)
{
	const void *rsdp = svmrun_memory_at(low, gpa, RSDP_NEW);

	if (!gpa || !rsdp)
		return;
	put_tag(writer, INFO_ACPI_OLD, RSDP_OLD);
	put(writer, rsdp, RSDP_OLD);
	put_tag(writer, INFO_ACPI_NEW, RSDP_NEW);
	put(writer, rsdp, RSDP_NEW);
}

/**
 * struct machine - what the kernel is informed about, besides the plan
 * @low: memory from address 0 on
 * @map: memory map
 * @entries: of @map
 */
struct machine {
	const struct svmrun_memory *low;
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	int entries;
};

/* Return the size. Nothing is written to NULL. */
static uint64_t info_put(uint8_t *bytes, const struct machine *machine,
			 const struct svmrun_multiboot_boot *boot,
			 uint64_t modules)
{
	struct writer writer = { .bytes = bytes, .at = 2 * sizeof(uint32_t) };
	struct writer front = { .bytes = bytes };

	put_text(&writer, INFO_COMMAND_LINE, text(boot->command_line));
	put_text(&writer, INFO_LOADER_NAME, LOADER_NAME);
	put_modules(&writer, modules, boot);
	put_memory(&writer, machine->low->size);
	put_map(&writer, machine->map, machine->entries);
	put_acpi(&writer, machine->low, boot->acpi_rsdp);
	put_tag(&writer, INFO_END, 0);
	put_u32(&front, writer.at);
	put_u32(&front, 0);
	return writer.at;
}

/* Conventional memory is what a kernel is least likely to use for something else. */
static int plan_info(struct plan *plan, struct layout *layout, uint64_t size)
{
	plan->info = layout_take(&layout->low, size, PAGE_SIZE);
	if (!plan->info)
		plan->info = layout_take(&layout->high, size, PAGE_SIZE);
	return plan->info ? 0 : -E2BIG;
}

static int plan_in(struct plan *plan, uint64_t size,
		   const struct machine *machine,
		   const struct svmrun_multiboot_boot *boot)
{
	struct layout layout = layout_of(size);
	int ret;

	*plan = (struct plan){ 0 };
	ret = plan_kernel(plan, &layout, boot);
	if (ret)
		return ret;
	ret = plan_modules(plan, &layout, boot);
	if (ret)
		return ret;
	return plan_info(plan, &layout, info_put(NULL, machine, boot, 0));
}

static int plan_find(struct plan *plan, const struct machine *machine,
		     const struct svmrun_multiboot_boot *boot)
{
	int ret = plan_in(plan, machine->low->size, machine, boot);

	if (layout_is_short(ret) &&
	    !plan_in(plan, SVMRUN_E820_HOLE, machine, boot))
		return -ENOMEM;
	return ret;
}

static void kernel_load(const struct plan *plan, const void *image,
			const struct svmrun_memory *low)
{
	if (plan->kernel.has_addresses)
		raw_load(&plan->kernel.raw, image, low->base);
	else
		executable_load(&plan->executable, low);
}

static void modules_load(const struct plan *plan, uint8_t *low,
			 const struct svmrun_multiboot_boot *boot)
{
	uint64_t at = plan->modules;
	size_t i;

	for (i = 0; i < boot->module_count; i++) {
		if (boot->modules[i].size)
			memcpy(low + at, boot->modules[i].bytes,
			       boot->modules[i].size);
		at += round_up(boot->modules[i].size, PAGE_SIZE);
	}
}

int svmrun_multiboot2_load(const struct svmrun_memory *memories, size_t count,
			   const struct svmrun_multiboot_boot *boot,
			   struct svmrun_multiboot_entry *entry)
{
	struct machine machine = { .low = memories };
	struct plan plan;
	uint8_t *low;
	int ret;

	machine.entries = svmrun_e820_build(memories, count, machine.map,
					    SVMRUN_E820_ENTRIES);
	if (machine.entries < 0)
		return machine.entries;
	ret = plan_find(&plan, &machine, boot);
	if (ret)
		return ret;
	low = memories->base;
	kernel_load(&plan, boot->kernel, memories);
	modules_load(&plan, low, boot);
	info_put(low + plan.info, &machine, boot, plan.modules);
	*entry = (struct svmrun_multiboot_entry){
		.eip = plan.entry,
		.ebx = plan.info,
	};
	return 0;
}

/* 3.3 */
int svmrun_multiboot2_begin(struct svmrun_vcpu *vcpu,
			    const struct svmrun_multiboot_entry *entry)
{
	svmrun_mode_protected(vcpu, entry->eip, 0);
	vcpu->vmcb->save.rax = LOADER_MAGIC;
	vcpu->regs->rbx = entry->ebx;
	return 0;
}
