// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loader for bzImages; quoted section names are those of Linux's boot.rst */
#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

#include <svmrun/bzimage.h>
#include <svmrun/e820.h>

#include "executable.h"
#include "layout.h"

#define SECTOR 512ull
#define SETUP_SECTORS 4 /* if setup_sects is 0 */
#define PARAGRAPH 16ull

#define HEADER 0x1f1 /* offset in the image and in the zero page */
#define HEADER_LENGTH 0x201 /* offset of the jump's operand: the header's end */
#define HEADER_BASE 0x202ul /* address that the jump is relative to */
#define HEADER_MAX (offsetof(struct boot_params, edd_mbr_sig_buffer) - HEADER)
#define MAGIC 0x53726448 /* "HdrS" */
#define BOOT_FLAG 0xaa55

#define PROTOCOL_OLDEST 0x206 /* first version with cmdline_size */
#define PROTOCOL_DATA 0x209 /* first version with setup_data */
#define PROTOCOL_PLACE 0x20a /* first version with pref_address */
#define PROTOCOL_LONG 0x20c /* first version with xloadflags */
#define PROTOCOL_VMLINUX 0x20f /* version that a vmlinux is started with */
#define VMLINUX_COMMAND_MAX 2047
#define LONG_ENTRY 0x200 /* offset of the 64-bit entry point */
#define NOTE_NAME "Linux" /* of a vmlinux: include/linux/build-salt.h */
#define NOTE_BUILD_SALT 0x100

#define DATA_SEED 9 /* SETUP_RNG_SEED, which older headers lack */
#define LOADER_UNKNOWN 0xff
#define VIDEO_NORMAL 0xffff
#define HEAP_END (0xe000 - 0x200)

#define GDT_CODE_64 0x00af9b000000ffffull
#define GDT_CODE_32 0x00cf9b000000ffffull
#define GDT_DATA 0x00cf93000000ffffull

_Static_assert(offsetof(struct boot_params, hdr) == HEADER,
	       "the zero page has the header at the offset of the image");
_Static_assert(sizeof(struct svmrun_e820_entry) ==
		       sizeof(struct boot_e820_entry),
	       "the zero page has entries in the format of the BIOS");

/* The header of struct setup_data, and the seed, which Linux overwrites */
struct seed_data {
	uint64_t next;
	uint32_t type;
	uint32_t size;
	uint8_t bytes[SVMRUN_BZIMAGE_SEED];
};

/* Data in conventional memory; the command line follows. */
struct bzimage_data {
	uint8_t stack[PAGE_SIZE];
	uint8_t tables[SVMRUN_LONG_TABLES_SIZE];
	struct boot_params params;
	uint64_t gdt[4];
	struct seed_data seed;
};

_Static_assert(offsetof(struct seed_data, bytes) == sizeof(struct setup_data),
	       "the seed follows the header");

/**
 * struct bzimage_plan - the parts of a kernel, and the addresses they are loaded at
 * @is_vmlinux: the kernel is @executable, not @code
 * @executable: the kernel by its ELF program headers
 * @header: the setup header; fields that the image does not have are 0
 * @code: the protected-mode kernel in the image
 * @code_size: its size in bytes
 * @long_mode: it has a 64-bit entry point
 * @kernel: guest physical address of the protected-mode kernel
 * @entry: guest physical address of the entry point
 * @initrd: guest physical address of the RAM disk, 0 for none
 * @boot_data: guest physical address of struct bzimage_data
 */
struct bzimage_plan {
	bool is_vmlinux;
	struct executable executable;
	struct setup_header header;
	const uint8_t *code;
	uint64_t code_size;
	bool long_mode;
	uint64_t kernel;
	uint64_t entry;
	uint64_t initrd;
	uint64_t boot_data;
};

static const char *bzimage_command_line(const struct svmrun_bzimage_boot *boot)
{
	return boot->command_line ? boot->command_line : "";
}

/* Copy only as much as the image has: newer kernels have longer headers. */
static void read_setup_header(struct setup_header *header, const uint8_t *image,
			      size_t size)
{
	size_t length = HEADER_BASE + image[HEADER_LENGTH] - HEADER;

	if (length > sizeof(*header))
		length = sizeof(*header);
	if (length > size - HEADER)
		length = size - HEADER;
	memset(header, 0, sizeof(*header));
	memcpy(header, image + HEADER, length);
}

static bool has_setup_header(const void *image, size_t size)
{
	struct setup_header header;

	if (size < HEADER + offsetof(struct setup_header, realmode_swtch))
		return false;
	read_setup_header(&header, image, size);
	return header.boot_flag == BOOT_FLAG && header.header == MAGIC;
}

static bool is_vmlinux(const void *image, size_t size)
{
	struct executable executable;
	uint32_t note;

	return !executable_open(&executable, image, size) &&
	       executable_note(&executable, NOTE_NAME, NOTE_BUILD_SALT, &note);
}

bool svmrun_bzimage_is(const void *image, size_t size)
{
	return has_setup_header(image, size) || is_vmlinux(image, size);
}

/* Check that header, setup code and kernel are inside the image. */
static int plan_code(struct bzimage_plan *plan, const uint8_t *image,
		     size_t size)
{
	uint64_t sectors = plan->header.setup_sects;
	uint64_t setup = ((sectors ? sectors : SETUP_SECTORS) + 1) * SECTOR;

	if (size < HEADER_BASE + image[HEADER_LENGTH] || size <= setup)
		return -ENODATA;
	plan->code = image + setup;
	plan->code_size = size - setup;
	/* Some images lack the padding at the end of the last paragraph. */
	if ((plan->code_size + PARAGRAPH - 1) / PARAGRAPH <
	    plan->header.syssize)
		return -ENODATA;
	return 0;
}

static int plan_protocol(struct bzimage_plan *plan)
{
	const struct setup_header *header = &plan->header;

	if (header->version < PROTOCOL_OLDEST ||
	    !(header->loadflags & LOADED_HIGH))
		return -EPROTONOSUPPORT;
	plan->long_mode = header->version >= PROTOCOL_LONG &&
			  header->xloadflags & XLF_KERNEL_64;
	/* Kernels that are entered in real mode only do not use this field. */
	if (header->version < PROTOCOL_PLACE && !header->code32_start)
		return -EOPNOTSUPP;
	return 0;
}

static int plan_bzimage_kernel(struct bzimage_plan *plan, struct layout *layout)
{
	bool place = plan->header.version >= PROTOCOL_PLACE;
	uint64_t size = plan->code_size;

	plan->kernel = place ? plan->header.pref_address :
			       plan->header.code32_start;
	if (place && size < plan->header.init_size)
		size = plan->header.init_size;
	plan->entry = plan->kernel + (plan->long_mode ? LONG_ENTRY : 0);
	if (plan->kernel < SVMRUN_E820_HIGH || plan->kernel >= SVMRUN_E820_HOLE)
		return -ERANGE;
	return layout_occupy(layout, plan->kernel, size) ? 0 : -ERANGE;
}

static int plan_setup_header(struct bzimage_plan *plan, struct layout *layout,
			     const struct svmrun_bzimage_boot *boot)
{
	int ret;

	read_setup_header(&plan->header, boot->kernel, boot->kernel_size);
	ret = plan_code(plan, boot->kernel, boot->kernel_size);
	if (ret)
		return ret;
	ret = plan_protocol(plan);
	return ret ? ret : plan_bzimage_kernel(plan, layout);
}

/* A vmlinux has no setup header. Use one with the values that current kernels have. */
static int plan_vmlinux(struct bzimage_plan *plan, struct layout *layout,
			const struct svmrun_bzimage_boot *boot)
{
	struct executable *executable = &plan->executable;
	uint32_t entry = 0;
	int ret;

	ret = executable_open(executable, boot->kernel, boot->kernel_size);
	if (ret)
		return ret;
	plan->is_vmlinux = true;
	plan->long_mode = executable->wide;
	plan->header = (struct setup_header){
		.boot_flag = BOOT_FLAG,
		.header = MAGIC,
		.version = PROTOCOL_VMLINUX,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = SVMRUN_E820_HOLE - 1,
		.cmdline_size = VMLINUX_COMMAND_MAX,
	};
	ret = executable_occupy(executable, layout);
	if (ret)
		return ret;
	ret = executable_entry(executable, &entry);
	plan->entry = entry;
	return ret;
}

static int plan_bzimage_initrd(struct bzimage_plan *plan, struct layout *layout,
			       size_t size)
{
	if (!size)
		return 0;
	plan->initrd = layout_take_highest(&layout->high, size,
					   plan->header.initrd_addr_max + 1ull);
	return plan->initrd ? 0 : -EFBIG;
}

static int plan_boot_data(struct bzimage_plan *plan, struct layout *layout,
			  size_t length)
{
	if (length > plan->header.cmdline_size)
		return -E2BIG;
	plan->boot_data = layout_take(&layout->low,
				      sizeof(struct bzimage_data) + length + 1,
				      PAGE_SIZE);
	return plan->boot_data ? 0 : -E2BIG;
}

static int plan_bzimage(struct bzimage_plan *plan, struct layout *layout,
			const struct svmrun_bzimage_boot *boot)
{
	int ret;

	if (has_setup_header(boot->kernel, boot->kernel_size))
		ret = plan_setup_header(plan, layout, boot);
	else
		ret = plan_vmlinux(plan, layout, boot);
	if (ret)
		return ret;
	ret = plan_bzimage_initrd(plan, layout, boot->initrd_size);
	if (ret)
		return ret;
	return plan_boot_data(plan, layout, strlen(bzimage_command_line(boot)));
}

/* Plan for @size bytes of memory from address 0 on. */
static int plan_bzimage_in(struct bzimage_plan *plan, uint64_t size,
			   const struct svmrun_bzimage_boot *boot)
{
	struct layout layout = layout_of(size);

	*plan = (struct bzimage_plan){ 0 };
	return plan_bzimage(plan, &layout, boot);
}

static int find_bzimage_plan(struct bzimage_plan *plan, uint64_t size,
			     const struct svmrun_bzimage_boot *boot)
{
	int ret = plan_bzimage_in(plan, size, boot);

	if (layout_is_short(ret) &&
	    !plan_bzimage_in(plan, SVMRUN_E820_HOLE, boot))
		return -ENOMEM;
	return ret;
}

/* Set the fields that a loader must write, see also "The kernel command line". */
static void fill_setup_header(struct setup_header *header,
			      const struct bzimage_plan *plan,
			      const struct svmrun_bzimage_boot *boot)
{
	header->vid_mode = VIDEO_NORMAL;
	header->type_of_loader = LOADER_UNKNOWN;
	header->loadflags |= CAN_USE_HEAP;
	header->heap_end_ptr = HEAP_END;
	header->code32_start = plan->is_vmlinux ? plan->entry : plan->kernel;
	header->ramdisk_image = plan->initrd;
	header->ramdisk_size = boot->initrd_size;
	header->cmd_line_ptr = plan->boot_data + sizeof(struct bzimage_data);
}

static void copy_setup_header(struct boot_params *params, const uint8_t *image)
{
	size_t length = HEADER_BASE + image[HEADER_LENGTH] - HEADER;

	if (length > HEADER_MAX)
		length = HEADER_MAX;
	memcpy((uint8_t *)params + HEADER, image + HEADER, length);
}

/*
 * Fill in the "zero page". The remaining fields are 0: there is no EDD and no APM, and a
 * screen with 0 columns means that there is none.
 */
static void fill_boot_params(struct boot_params *params,
			     const struct bzimage_plan *plan,
			     const struct svmrun_bzimage_boot *boot,
			     const struct svmrun_e820_entry *map, int entries)
{
	memset(params, 0, sizeof(*params));
	if (plan->is_vmlinux)
		params->hdr = plan->header;
	else
		copy_setup_header(params, boot->kernel);
	fill_setup_header(&params->hdr, plan, boot);
	params->acpi_rsdp_addr = boot->acpi_rsdp;
	params->e820_entries = entries;
	memcpy(params->e820_table, map, entries * sizeof(*map));
}

/* "setup_data": a list, here of one element at most */
static void fill_seed(struct bzimage_data *data, uint64_t gpa,
		      const struct svmrun_bzimage_boot *boot)
{
	struct setup_header *header = &data->params.hdr;

	data->seed = (struct seed_data){
		.type = DATA_SEED,
		.size = boot->seed_size,
	};
	if (!boot->seed_size || header->version < PROTOCOL_DATA)
		return;
	memcpy(data->seed.bytes, boot->seed, boot->seed_size);
	header->setup_data = gpa + offsetof(struct bzimage_data, seed);
}

static void fill_bzimage_data(struct bzimage_data *data,
			      const struct bzimage_plan *plan,
			      const struct svmrun_bzimage_boot *boot,
			      const struct svmrun_e820_entry *map, int entries)
{
	const uint64_t gdt[] = {
		[SVMRUN_BZIMAGE_CS / 8] = plan->long_mode ? GDT_CODE_64 :
							    GDT_CODE_32,
		[SVMRUN_BZIMAGE_DS / 8] = GDT_DATA,
	};

	fill_boot_params(&data->params, plan, boot, map, entries);
	fill_seed(data, plan->boot_data, boot);
	memcpy(data->gdt, gdt, sizeof(data->gdt));
	memcpy(data + 1, bzimage_command_line(boot),
	       strlen(bzimage_command_line(boot)) + 1);
}

static struct svmrun_bzimage_entry
bzimage_entry(const struct bzimage_plan *plan)
{
	uint64_t data = plan->boot_data;

	return (struct svmrun_bzimage_entry){
		.rip = plan->entry,
		.rsi = data + offsetof(struct bzimage_data, params),
		.long_mode = plan->long_mode,
		.tables = data + offsetof(struct bzimage_data, tables),
		.gdt = data + offsetof(struct bzimage_data, gdt),
	};
}

int svmrun_bzimage_load(const struct svmrun_memory *memories, size_t count,
			const struct svmrun_bzimage_boot *boot,
			struct svmrun_bzimage_entry *entry)
{
	struct svmrun_e820_entry map[SVMRUN_E820_ENTRIES];
	struct bzimage_plan plan;
	uint8_t *low;
	int entries, ret;

	entries = svmrun_e820_build(memories, count, map, SVMRUN_E820_ENTRIES);
	if (entries < 0)
		return entries;
	if (boot->seed_size > SVMRUN_BZIMAGE_SEED)
		return -EINVAL;
	low = memories->base;
	ret = find_bzimage_plan(&plan, memories->size, boot);
	if (ret)
		return ret;
	if (plan.is_vmlinux)
		executable_load(&plan.executable, memories);
	else
		memcpy(low + plan.kernel, plan.code, plan.code_size);
	if (boot->initrd_size)
		memcpy(low + plan.initrd, boot->initrd, boot->initrd_size);
	fill_bzimage_data((struct bzimage_data *)(low + plan.boot_data), &plan,
			  boot, map, entries);
	*entry = bzimage_entry(&plan);
	return 0;
}

static void set_selectors(struct svm_vmcb_save *save)
{
	save->cs.selector = SVMRUN_BZIMAGE_CS;
	save->ds.selector = SVMRUN_BZIMAGE_DS;
	save->es.selector = SVMRUN_BZIMAGE_DS;
	save->ss.selector = SVMRUN_BZIMAGE_DS;
	save->fs.selector = SVMRUN_BZIMAGE_DS;
	save->gs.selector = SVMRUN_BZIMAGE_DS;
}

/* "32-bit Boot Protocol", "64-bit Boot Protocol" */
int svmrun_bzimage_begin(struct svmrun_vcpu *vcpu, struct svmrun_memory *low,
			 const struct svmrun_bzimage_entry *entry)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;
	const size_t gdt_size = sizeof(((struct bzimage_data *)0)->gdt);
	int ret = 0;

	if (!svmrun_memory_at(low, entry->gdt, gdt_size))
		return -ERANGE;
	if (entry->long_mode)
		ret = svmrun_mode_long(vcpu, low, entry->tables, entry->rip,
				       entry->tables);
	else
		svmrun_mode_protected(vcpu, entry->rip, entry->tables);
	if (ret)
		return ret;
	set_selectors(save);
	save->gdtr.base = entry->gdt;
	save->gdtr.limit = gdt_size - 1;
	vcpu->regs->rsi = entry->rsi;
	return 0;
}
