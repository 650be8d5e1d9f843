// SPDX-License-Identifier: GPL-2.0
/* Print the information of a multiboot loader (specification 0.6.96, 3.3). */
#include "guest.h"

#define LOADER_MAGIC 0x2badb002

enum { FAILED_MAGIC = 1, FAILED_FLAGS };

#define WANTED (1u << 0 | 1u << 2 | 1u << 3 | 1u << 6)

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, command_line;
	uint32_t module_count, modules, symbols[4], map_length, map;
};

struct module {
	uint32_t start, end, command_line, reserved;
};

struct range {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

static void print_map(const struct info *info)
{
	uint32_t at = info->map;
	const struct range *range;

	while (at < info->map + info->map_length) {
		range = (const struct range *)at;
		serial_puts("memory ");
		serial_put_hex(range->base, 16);
		serial_puts(" ");
		serial_put_hex(range->length, 16);
		serial_puts(" type ");
		serial_put_decimal(range->type);
		serial_puts("\n");
		at += range->size + sizeof(range->size);
	}
}

static void print_module(const struct module *module)
{
	uint32_t at;

	serial_puts("module \"");
	serial_puts((const char *)module->command_line);
	serial_puts("\" ");
	serial_put_decimal(module->end - module->start);
	serial_puts(module->start % 4096 ? " bytes, not aligned: " :
					   " bytes: ");
	for (at = module->start; at < module->end; at++)
		serial_putc(*(const char *)at);
	serial_puts("\n");
}

/* Called by startmb.S with the loader's EAX and EBX */
int multiboot(uint32_t magic, const struct info *info)
{
	const struct module *modules;
	uint32_t i;

	if (magic != LOADER_MAGIC)
		return FAILED_MAGIC;
	if ((info->flags & WANTED) != WANTED)
		return FAILED_FLAGS;
	serial_puts("command line \"");
	serial_puts((const char *)info->command_line);
	serial_puts("\"\n");
	print_map(info);
	modules = (const struct module *)info->modules;
	for (i = 0; i < info->module_count; i++)
		print_module(&modules[i]);
	return 0;
}
