// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loader for ELF kernels with a PVH entry point */
#include <errno.h>
#include <string.h>

#include <svmrun/e820.h>
#include <svmrun/pvh.h>

#include "executable.h"
#include "layout.h"

#define NOTE_NAME "Xen"
#define NOTE_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

#define START_MAGIC 0x336ec578 /* "xEn3", with the highest bit set */
#define START_VERSION 1
#define TSS_LIMIT 0x67

/* Xen's public/arch-x86/hvm/start_info.h */
struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t map;
	uint32_t map_entries;
	uint32_t reserved;
};

struct start_module {
	uint64_t address;
	uint64_t size;
	uint64_t command_line;
	uint64_t reserved;
};

struct start_map {
	uint64_t address;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "start_info.h");
_Static_assert(sizeof(struct start_module) == 32, "start_info.h");
_Static_assert(sizeof(struct start_map) == 24, "start_info.h");

/* The start info, and what it points to; the command line follows. */
struct start_data {
	struct start_info start;
	struct start_module module;
	struct start_map map[SVMRUN_E820_ENTRIES];
};

/**
 * struct pvh_plan - the addresses that the parts of a kernel are loaded at
 * @entry: guest physical address of the entry point
 * @start_data: guest physical address of struct start_data
 * @initrd: guest physical address of the RAM disk, 0 for none
 * @executable: the kernel
 */
struct pvh_plan {
	uint64_t entry;
	uint64_t start_data;
	uint64_t initrd;
	struct executable executable;
};

static const char *pvh_command_line(const struct svmrun_pvh_boot *boot)
{
	return boot->command_line ? boot->command_line : "";
}

/* The entry point is stored in 4 or 8 bytes. */
static int find_pvh_entry(const struct executable *executable, uint64_t *entry)
{
	uint32_t size;
	const void *note = executable_note(executable, NOTE_NAME, NOTE_ENTRY,
					   &size);

	if (!note || (size != 4 && size != 8))
		return -ENOMSG;
	*entry = 0;
	memcpy(entry, note, size);
	return 0;
}

static int read_pvh_image(struct executable *executable, const void *image,
			  size_t size, uint64_t *entry)
{
	int ret = executable_open(executable, image, size);

	return ret ? ret : find_pvh_entry(executable, entry);
}

bool svmrun_pvh_is(const void *image, size_t size)
{
	struct executable executable;
	uint64_t entry;

	return !read_pvh_image(&executable, image, size, &entry);
}

static int plan_pvh_kernel(const struct pvh_plan *plan, struct layout *layout)
{
	int ret = executable_occupy(&plan->executable, layout);

	if (ret)
		return ret;
	return executable_has(&plan->executable, plan->entry) ? 0 : -ERANGE;
}

/* Prefer conventional memory, which a kernel is least likely to use for itself. */
static int plan_start_data(struct pvh_plan *plan, struct layout *layout,
			   size_t length)
{
	uint64_t size = sizeof(struct start_data) + length + 1;

	plan->start_data = layout_take(&layout->low, size, PAGE_SIZE);
	if (!plan->start_data)
		plan->start_data = layout_take(&layout->high, size, PAGE_SIZE);
	return plan->start_data ? 0 : -E2BIG;
}

static int plan_pvh_initrd(struct pvh_plan *plan, struct layout *layout,
			   size_t size)
{
	if (!size)
		return 0;
	plan->initrd = layout_take_highest(&layout->high, size,
					   SVMRUN_E820_ABOVE);
	return plan->initrd ? 0 : -EFBIG;
}

static int plan_pvh(struct pvh_plan *plan, struct layout *layout,
		    const struct svmrun_pvh_boot *boot)
{
	int ret;

	ret = read_pvh_image(&plan->executable, boot->kernel, boot->kernel_size,
			     &plan->entry);
	if (ret)
		return ret;
	ret = plan_pvh_kernel(plan, layout);
	if (ret)
		return ret;
	ret = plan_start_data(plan, layout, strlen(pvh_command_line(boot)));
	if (ret)
		return ret;
	return plan_pvh_initrd(plan, layout, boot->initrd_size);
}

/* Plan for @size bytes of memory from address 0 on. */
static int plan_pvh_in(struct pvh_plan *plan, uint64_t size,
		       const struct svmrun_pvh_boot *boot)
{
	struct layout layout = layout_of(size);

	*plan = (struct pvh_plan){ 0 };
	return plan_pvh(plan, &layout, boot);
}

static int find_pvh_plan(struct pvh_plan *plan, uint64_t size,
			 const struct svmrun_pvh_boot *boot)
{
	int ret = plan_pvh_in(plan, size, boot);

	if (layout_is_short(ret) && !plan_pvh_in(plan, SVMRUN_E820_HOLE, boot))
		return -ENOMEM;
	return ret;
}

static struct start_info pvh_start_info(const struct pvh_plan *plan,
					const struct svmrun_pvh_boot *boot,
					int entries)
{
	uint64_t data = plan->start_data;

	return (struct start_info){
		.magic = START_MAGIC,
		.version = START_VERSION,
		.module_count = !!boot->initrd_size,
		.modules = boot->initrd_size ?
				   data + offsetof(struct start_data, module) :
				   0,
		.command_line = boot->command_line ?
					data + sizeof(struct start_data) :
					0,
		.rsdp = boot->acpi_rsdp,
		.map = data + offsetof(struct start_data, map),
		.map_entries = entries,
	};
}

static void fill_pvh_map(struct start_map *map,
			 const struct svmrun_e820_entry *entries, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		map[i].address = entries[i].base;
		map[i].size = entries[i].size;
		map[i].type = entries[i].type;
	}
}

static void fill_start_data(struct start_data *data,
			    const struct pvh_plan *plan,
			    const struct svmrun_pvh_boot *boot,
			    const struct svmrun_e820_entry *entries, int count)
{
	memset(data, 0, sizeof(*data));
	data->start = pvh_start_info(plan, boot, count);
	data->module.address = plan->initrd;
	data->module.size = boot->initrd_size;
	fill_pvh_map(data->map, entries, count);
	memcpy(data + 1, pvh_command_line(boot),
	       strlen(pvh_command_line(boot)) + 1);
}

int svmrun_pvh_load(const struct svmrun_memory *memories, size_t count,
		    const struct svmrun_pvh_boot *boot,
		    struct svmrun_pvh_entry *entry)
{
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	uint8_t *low;
	struct pvh_plan plan;
	int entries, ret;

	entries = svmrun_e820_build(memories, count, map, SVMRUN_E820_ENTRIES);
	if (entries < 0)
		return entries;
	low = memories->base;
	ret = find_pvh_plan(&plan, memories->size, boot);
	if (ret)
		return ret;
	executable_load(&plan.executable, memories);
	if (boot->initrd_size)
		memcpy(low + plan.initrd, boot->initrd, boot->initrd_size);
	fill_start_data((struct start_data *)(low + plan.start_data), &plan,
			boot, map, entries);
	*entry = (struct svmrun_pvh_entry){
		.eip = plan.entry,
		.ebx = plan.start_data,
	};
	return 0;
}

/* PE is the only writable bit of CR0 that may be set. */
int svmrun_pvh_begin(struct svmrun_vcpu *vcpu,
		     const struct svmrun_pvh_entry *entry)
{
	svmrun_mode_protected(vcpu, entry->eip, 0);
	vcpu->vmcb->save.cr0 = SVM_CR0_PE | SVM_CR0_ET;
	vcpu->vmcb->save.tr.limit = TSS_LIMIT;
	vcpu->regs->rbx = entry->ebx;
	return 0;
}
