// SPDX-License-Identifier: GPL-2.0
/* Prints the information of a Multiboot 2 loader (specification 2.0, 3.6). */
#include "guest.h"

#define LOADER_MAGIC 0x36d76289

enum { FAILED_MAGIC = 1, FAILED_SIZE, FAILED_END };
enum { END, COMMAND_LINE, MODULE = 3, MEMORY_MAP = 6, ACPI_NEW = 15 };

struct tag {
	uint32_t type, size;
};

struct module {
	struct tag tag;
	uint32_t start, end;
	char command_line[];
};

struct range {
	uint64_t base, length;
	uint32_t type, reserved;
};

struct map {
	struct tag tag;
	uint32_t entry_size, entry_version;
	struct range ranges[];
};

static void print_command_line(const struct tag *tag)
{
	serial_puts("command line \"");
	serial_puts((const char *)(tag + 1));
	serial_puts("\"\n");
}

static void print_module(const struct tag *tag)
{
	const struct module *module = (const struct module *)tag;
	uint32_t at;

	serial_puts("module \"");
	serial_puts(module->command_line);
	serial_puts("\" ");
	serial_put_decimal(module->end - module->start);
	serial_puts(module->start % 4096 ? " bytes, not aligned: " :
					   " bytes: ");
	for (at = module->start; at < module->end; at++)
		serial_putc(*(const char *)at);
	serial_puts("\n");
}

static void print_map(const struct tag *tag)
{
	const struct map *map = (const struct map *)tag;
	const struct range *range = map->ranges;

	while ((uint32_t)range < (uint32_t)tag + tag->size) {
		serial_puts("memory ");
		serial_put_hex(range->base, 16);
		serial_puts(" ");
		serial_put_hex(range->length, 16);
		serial_puts(" type ");
		serial_put_decimal(range->type);
		serial_puts("\n");
		range = (const void *)((uint32_t)range + map->entry_size);
	}
}

/* Print the signature of the root pointer. */
static void print_acpi(const struct tag *tag)
{
	const char *signature = (const char *)(tag + 1);
	unsigned int i;

	serial_puts("ACPI ");
	for (i = 0; i < 8; i++)
		serial_putc(signature[i]);
	serial_puts("\n");
}

static void print_tag(const struct tag *tag)
{
	switch (tag->type) {
	case COMMAND_LINE:
		print_command_line(tag);
		break;
	case MODULE:
		print_module(tag);
		break;
	case MEMORY_MAP:
		print_map(tag);
		break;
	case ACPI_NEW:
		print_acpi(tag);
		break;
	}
}

/* Called by startmb2.S with the values of EAX and EBX */
int multiboot2(uint32_t magic, const uint32_t *info)
{
	uint32_t end = (uint32_t)info + info[0];
	const struct tag *tag = (const struct tag *)(info + 2);

	if (magic != LOADER_MAGIC)
		return FAILED_MAGIC;
	if ((uint32_t)info % 8)
		return FAILED_SIZE;
	for (; (uint32_t)tag < end;
	     tag = (const void *)(((uint32_t)tag + tag->size + 7) & ~7u)) {
		if (tag->type == END)
			return (uint32_t)(tag + 1) == end ? 0 : FAILED_SIZE;
		print_tag(tag);
	}
	return FAILED_END;
}
