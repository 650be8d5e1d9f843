// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "disk_format.h"
#include "lib/array_size.h"

/**
 * struct disk_format - a format
 * @offset: of the bytes that identify it
 * @size: how many
 * @bytes: the bytes
 * @name: its name
 */
struct disk_format {
	size_t offset;
	size_t size;
	const char *bytes;
	const char *name;
};

#define BYTES(string) sizeof(string) - 1, string

static const struct disk_format formats[] = {
	{ 0, BYTES("QFI\xfb"), "a qcow2 disk image" },
	{ 0, BYTES("QED\0"), "a QED disk image" },
	{ 0, BYTES("KDMV"), "a VMDK disk image" },
	{ 0, BYTES("COWD"), "a VMDK disk image" },
	{ 0, BYTES("# Disk DescriptorFile"), "a VMDK disk image" },
	{ 0, BYTES("conectix"), "a VHD disk image" },
	{ 0, BYTES("vhdxfile"), "a VHDX disk image" },
	{ 0x40, BYTES("\x7f\x10\xda\xbe"), "a VDI disk image" },
	{ 0, BYTES("WithoutFreeSpace"), "a Parallels disk image" },
	{ 0, BYTES("WithouFreSpacExt"), "a Parallels disk image" },
};

const char *disk_format_find(const void *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].offset + formats[i].size <= size &&
		    !memcmp((const char *)bytes + formats[i].offset,
			    formats[i].bytes, formats[i].size))
			return formats[i].name;
	return NULL;
}
