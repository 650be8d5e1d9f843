/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What firmware asks of the machine: QEMU's fw_cfg, by its two ports, without DMA
 * (QEMU's docs/specs/fw_cfg).
 */
#ifndef SVMRUN_FWCFG_H
#define SVMRUN_FWCFG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_FWCFG_PORT 0x510
#define SVMRUN_FWCFG_PORTS 2
#define SVMRUN_FWCFG_FILES 8
#define SVMRUN_FWCFG_ITEMS 16 /* files, and what all machines do not have */
#define SVMRUN_FWCFG_NAME 56 /* bytes of a file's name, with a zero */

/**
 * struct svmrun_fwcfg_entry - a file's entry in the directory, big-endian
 * @size: bytes
 * @select: its key
 * @reserved: 0
 * @name: its name
 *
 * It never grows.
 */
struct svmrun_fwcfg_entry {
	uint8_t size[4];
	uint8_t select[2];
	uint8_t reserved[2];
	char name[SVMRUN_FWCFG_NAME];
};

/**
 * struct svmrun_fwcfg_directory - the files, as firmware reads of them
 * @count: of @entries, big-endian
 * @entries: the first of them are used
 *
 * It never grows.
 */
struct svmrun_fwcfg_directory {
	uint8_t count[4];
	struct svmrun_fwcfg_entry entries[SVMRUN_FWCFG_FILES];
};

/**
 * struct svmrun_fwcfg_item - what a key selects
 * @key: the key
 * @bytes: what is read
 * @size: how many
 *
 * It never grows.
 */
struct svmrun_fwcfg_item {
	uint16_t key;
	const void *bytes;
	size_t size;
};

/**
 * struct svmrun_fwcfg - the device
 * @key: what is selected
 * @offset: of the next byte of it
 * @memory: bytes of memory, little-endian as all numbers but the directory's
 * @cpus: processors
 * @directory: of the files
 * @items: the first of them are used
 * @used: how many of @items
 * @files: how many of these are files
 * @reserved: zero
 */
struct svmrun_fwcfg {
	uint16_t key;
	size_t offset;
	uint64_t memory;
	uint16_t cpus;
	struct svmrun_fwcfg_directory directory;
	struct svmrun_fwcfg_item items[SVMRUN_FWCFG_ITEMS];
	unsigned int used;
	unsigned int files;
	uint64_t reserved[4];
};

/**
 * svmrun_fwcfg_init() - a device with nothing but its signature
 * @fwcfg: filled in
 */
void svmrun_fwcfg_init(struct svmrun_fwcfg *fwcfg);

/**
 * svmrun_fwcfg_set_cpus() - how many processors the machine has
 * @fwcfg: the device
 * @cpus: that many
 */
void svmrun_fwcfg_set_cpus(struct svmrun_fwcfg *fwcfg, uint16_t cpus);

/**
 * svmrun_fwcfg_set_memory() - how much memory the machine has
 * @fwcfg: the device
 * @bytes: that much, below 4 GiB
 */
void svmrun_fwcfg_set_memory(struct svmrun_fwcfg *fwcfg, uint64_t bytes);

/**
 * svmrun_fwcfg_add() - an item for firmware to read
 * @fwcfg: the device
 * @key: its key
 * @bytes: what it has; not copied
 * @size: how many
 *
 * Return: 0, or -ENOSPC if there are SVMRUN_FWCFG_ITEMS already, -EEXIST if the key
 * is taken, -EINVAL if it is one of a file, or cannot be selected (bit 14).
 */
int svmrun_fwcfg_add(struct svmrun_fwcfg *fwcfg, uint16_t key,
		     const void *bytes, size_t size);

/**
 * svmrun_fwcfg_add_file() - a file for firmware to read
 * @fwcfg: the device
 * @name: its name
 * @bytes: what it has; not copied
 * @size: how many, below 4 GiB
 *
 * Return: 0, or -ENOSPC if there are SVMRUN_FWCFG_FILES, or as many items as there
 * may be, -EEXIST if there is one of that name, -ENAMETOOLONG or -EFBIG.
 */
int svmrun_fwcfg_add_file(struct svmrun_fwcfg *fwcfg, const char *name,
			  const void *bytes, size_t size);

/**
 * svmrun_fwcfg_read() - read a port
 * @fwcfg: the device
 * @offset: from SVMRUN_FWCFG_PORT
 * @size: bytes: 1, 2 or 4
 *
 * Return: of the second port, the next byte of what is selected, 0 beyond its end; all
 * ones of the first, which can only be written.
 */
uint32_t svmrun_fwcfg_read(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			   unsigned int size);

/**
 * svmrun_fwcfg_write() - write a port
 * @fwcfg: the device
 * @offset: from SVMRUN_FWCFG_PORT: at 0, two bytes select a key
 * @size: bytes: 1, 2 or 4
 * @value: what
 */
void svmrun_fwcfg_write(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			unsigned int size, uint32_t value);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_FWCFG_H */
