// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <svmrun.h>
#include <svmrun/bzimage.h>
#include <svmrun/multiboot.h>
#include <svmrun/multiboot2.h>
#include <svmrun/pvh.h>

#include "common/disk_format.h"
#include "common/message.h"
#include "common/status.h"
#include "format.h"
#include "lib/array_size.h"

#define SECTOR 512
#define PE_OFFSET 0x3c /* in the DOS header: where the PE header is */
#define PARTITIONS 0x1be /* in the MBR: four entries */
#define PARTITION_SIZE 16
#define BOOT_SIGNATURE 0x1fe

/**
 * struct signature - bytes that identify files that cannot be run
 * @offset: of the bytes
 * @size: how many
 * @bytes: the bytes
 * @what: the file's format
 * @advice: how to use such a file, NULL if svmrun cannot
 */
struct signature {
	size_t offset;
	size_t size;
	const char *bytes;
	const char *what;
	const char *advice;
};

#define UNPACK "unpack it first"
#define DISK "boot it with --disk and firmware, see --format"
#define BYTES(string) sizeof(string) - 1, string

static const struct signature signatures[] = {
	{ 0, BYTES("\x1f\x8b\x08"), "a gzip file", UNPACK },
	{ 0, BYTES("\x28\xb5\x2f\xfd"), "a zstd file", UNPACK },
	{ 0, BYTES("\xfd\x37zXZ\0"), "an xz file", UNPACK },
	{ 0, BYTES("BZh"), "a bzip2 file", UNPACK },
	{ 0, BYTES("\x04\x22\x4d\x18"), "an lz4 file", UNPACK },
	{ 0, BYTES("\x02\x21\x4c\x18"), "an lz4 file", UNPACK },
	{ 0, BYTES("\x89LZO\0\r\n\x1a\n"), "an lzop file", UNPACK },
	{ 0, BYTES("\x5d\0\0\x80\0"), "an lzma file", UNPACK },
	{ 0, BYTES("PK\3\4"), "a zip file", UNPACK },
	{ 257, BYTES("ustar"), "a tar file", UNPACK },
	{ 0, BYTES("070701"), "a cpio archive", "use it with --initrd" },
	{ 0, BYTES("070702"), "a cpio archive", "use it with --initrd" },
	{ 0, BYTES("!<arch>\n"), "an archive", UNPACK },
	{ 0, BYTES("#!"), "a script", NULL },
	{ SECTOR, BYTES("EFI PART"), "a disk image", DISK },
	{ 0x8001, BYTES("CD001"), "an ISO 9660 image", DISK },
	{ 0, BYTES("hsqs"), "a squashfs file system", "use it with --disk" },
	{ 0x28, BYTES("_FVH"), "UEFI firmware", "use --format firmware" },
	{ 0, BYTES("\x27\x05\x19\x56"), "an image for U-Boot", NULL },
};

static bool has_bytes(const struct file *file, size_t offset, const void *bytes,
		      size_t size)
{
	return offset <= file->size && size <= file->size - offset &&
	       !memcmp(file->bytes + offset, bytes, size);
}

static uint32_t read_u32(const struct file *file, size_t offset)
{
	uint32_t value;

	memcpy(&value, file->bytes + offset, sizeof(value));
	return value;
}

static bool is_pe(const struct file *file)
{
	return has_bytes(file, 0, "MZ", 2) &&
	       file->size >= PE_OFFSET + sizeof(uint32_t) &&
	       has_bytes(file, read_u32(file, PE_OFFSET), "PE\0", 4);
}

/* An entry that is used: a status of 0 or 0x80, a type, a first sector, and a length */
static bool is_partition(const struct file *file, size_t offset)
{
	const uint8_t *entry = (const uint8_t *)file->bytes + offset;

	return !(entry[0] & 0x7f) && entry[4] && read_u32(file, offset + 8) &&
	       read_u32(file, offset + 12);
}

/* A disk with a partition table of the MBR. A boot sector alone can be a flat image. */
static bool is_partitioned(const struct file *file)
{
	size_t at;

	if (file->size <= SECTOR ||
	    !has_bytes(file, BOOT_SIGNATURE, "\x55\xaa", 2))
		return false;
	for (at = PARTITIONS; at < BOOT_SIGNATURE; at += PARTITION_SIZE)
		if (is_partition(file, at))
			return true;
	return false;
}

static const struct signature *find_signature(const struct file *file)
{
	static const struct signature pe = {
		.what = "a PE file for EFI or Windows"
	};
	static const struct signature disk = { .what = "a disk image",
					       .advice = DISK };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signatures); i++)
		if (has_bytes(file, signatures[i].offset, signatures[i].bytes,
			      signatures[i].size))
			return &signatures[i];
	if (is_pe(file))
		return &pe;
	return is_partitioned(file) ? &disk : NULL;
}

int format_check_flat(const struct file *file, const char *name)
{
	const struct signature *found = find_signature(file);
	const char *disk = disk_format_find(file->bytes, file->size);

	if (disk)
		return message_fail(STATUS_USAGE,
				    "%s: is %s, which svmrun cannot run; convert it to a raw image for --disk",
				    name, disk);
	if (!found)
		return 0;
	return message_fail(STATUS_USAGE,
			    "%s: is %s, which svmrun cannot run%s%s", name,
			    found->what, found->advice ? "; " : "",
			    found->advice ? found->advice : "");
}

/* Check for the specific formats first: some kernels are also ELF or PE executables. */
enum format format_detect(const struct file *file)
{
	if (svmrun_bzimage_is(file->bytes, file->size) ||
	    svmrun_pvh_is(file->bytes, file->size))
		return FORMAT_LINUX;
	if (svmrun_multiboot_is(file->bytes, file->size) ||
	    svmrun_multiboot2_is(file->bytes, file->size))
		return FORMAT_MULTIBOOT;
	return svmrun_image_is_elf(file->bytes, file->size) ? FORMAT_ELF :
							      FORMAT_FLAT;
}
