/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's fw_cfg device, by which firmware gets the machine's configuration (QEMU's
 * docs/specs/fw_cfg). It has the two ports, and no DMA interface.
 */
#ifndef SVMRUN_FWCFG_H
#define SVMRUN_FWCFG_H

#include <stddef.h>
#include <stdint.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_FWCFG_PORT 0x510
#define SVMRUN_FWCFG_PORTS 2
#define SVMRUN_FWCFG_FILES 8
#define SVMRUN_FWCFG_ITEMS 16 /* including files */
#define SVMRUN_FWCFG_NAME 56 /* bytes of a file's name, including the final 0 */

/**
 * struct svmrun_fwcfg_entry - directory entry of a file; numbers are big-endian
 * @size: size of the file in bytes
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
 * struct svmrun_fwcfg_directory - the file directory, as firmware reads it
 * @count: number of used @entries, big-endian
 * @entries: the entries
 *
 * It never grows.
 */
struct svmrun_fwcfg_directory {
	uint8_t count[4];
	struct svmrun_fwcfg_entry entries[SVMRUN_FWCFG_FILES];
};

/**
 * struct svmrun_fwcfg_item - an item that firmware can select
 * @key: its key
 * @bytes: its contents
 * @size: their size in bytes
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
 * @key: key of the selected item
 * @offset: offset of the next byte to read in the selected item
 * @memory: bytes of memory below 4 GiB, as firmware reads it
 * @cpus: number of processors, as firmware reads it
 * @directory: the file directory
 * @items: the items that were added
 * @used: number of @items
 * @files: number of those that are files
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
 * svmrun_fwcfg_init() - initialize a device that has only the built-in items
 * @fwcfg: filled in
 */
void svmrun_fwcfg_init(struct svmrun_fwcfg *fwcfg);

/**
 * svmrun_fwcfg_reset() - reset a device, so that no item has been read
 * @fwcfg: the device; it keeps its items
 */
void svmrun_fwcfg_reset(struct svmrun_fwcfg *fwcfg);

/**
 * svmrun_fwcfg_set_cpus() - set the number of processors that firmware reads
 * @fwcfg: the device
 * @cpus: number of processors
 */
void svmrun_fwcfg_set_cpus(struct svmrun_fwcfg *fwcfg, uint16_t cpus);

/**
 * svmrun_fwcfg_set_memory() - set the size of memory that firmware reads
 * @fwcfg: the device
 * @bytes: bytes of memory below 4 GiB
 */
void svmrun_fwcfg_set_memory(struct svmrun_fwcfg *fwcfg, uint64_t bytes);

/**
 * svmrun_fwcfg_add() - add an item that firmware can read
 * @fwcfg: the device
 * @key: its key
 * @bytes: its contents, which are not copied
 * @size: their size in bytes
 *
 * Return: 0 or a negative errno; -ENOSPC: there are SVMRUN_FWCFG_ITEMS already; -EEXIST:
 * the key is in use; -EINVAL: the key is reserved for files, or has bit 14 set and cannot
 * be selected.
 */
int svmrun_fwcfg_add(struct svmrun_fwcfg *fwcfg, uint16_t key,
		     const void *bytes, size_t size);

/**
 * svmrun_fwcfg_add_file() - add a file that firmware can read
 * @fwcfg: the device
 * @name: its name, shorter than SVMRUN_FWCFG_NAME
 * @bytes: its contents, which are not copied
 * @size: their size in bytes, less than 4 GiB
 *
 * Return: 0 or a negative errno; -ENOSPC: there are SVMRUN_FWCFG_FILES files or
 * SVMRUN_FWCFG_ITEMS items already; -EEXIST: there is a file of this name;
 * -ENAMETOOLONG: @name is too long; -EFBIG: @size is too large.
 */
int svmrun_fwcfg_add_file(struct svmrun_fwcfg *fwcfg, const char *name,
			  const void *bytes, size_t size);

/**
 * svmrun_fwcfg_read() - read a port
 * @fwcfg: the device
 * @offset: offset of the port from SVMRUN_FWCFG_PORT
 * @size: bytes: 1, 2 or 4
 *
 * Return: for the second port, the next byte of the selected item, or 0 after its end;
 * for the first port, which is write-only, all ones.
 */
uint32_t svmrun_fwcfg_read(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			   unsigned int size);

/**
 * svmrun_fwcfg_write() - write a port
 * @fwcfg: the device
 * @offset: offset of the port from SVMRUN_FWCFG_PORT; a write of two bytes at 0 selects
 *	a key
 * @size: bytes: 1, 2 or 4
 * @value: the value
 */
void svmrun_fwcfg_write(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			unsigned int size, uint32_t value);

/**
 * svmrun_fwcfg_save() - write the state of a device, and its items, to a record
 * @fwcfg: the device
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_fwcfg_save(const struct svmrun_fwcfg *fwcfg,
		      struct svmrun_state *state);

/**
 * svmrun_fwcfg_load() - read the state of a device, and its items, from a record
 * @fwcfg: the initialized device; items that were added are lost; after an error, it must
 *	be initialized again
 * @state: the records; they must exist as long as the device, because the contents of items
 *	are not copied
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_fwcfg_load(struct svmrun_fwcfg *fwcfg, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_FWCFG_H */
