// SPDX-License-Identifier: LGPL-2.1-or-later
/* QEMU's fw_cfg device: built-in items, items that were added, and the ports */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <svmrun/fwcfg.h>

#include "lib/array_size.h"

#define KEY_SIGNATURE 0x00
#define KEY_ID 0x01
#define KEY_MEMORY 0x03
#define KEY_CPUS 0x05
#define KEY_MAX_CPUS 0x0f
#define KEY_DIRECTORY 0x19
#define KEY_FILE 0x20 /* the first file */
#define KEY_WRITE 0x4000 /* selects for writing, which is ignored */
#define PORT_SELECT 0

static const char signature[] = { 'Q', 'E', 'M', 'U' };
static const uint8_t interface_version[] = { 1, 0, 0, 0 }; /* ports, no DMA */

/* Return a built-in item. Its bytes are NULL if there is none with this key. */
static struct svmrun_fwcfg_item find_built_in(const struct svmrun_fwcfg *fwcfg,
					      uint16_t key)
{
	const struct svmrun_fwcfg_item items[] = {
		{ KEY_SIGNATURE, signature, sizeof(signature) },
		{ KEY_ID, interface_version, sizeof(interface_version) },
		{ KEY_MEMORY, &fwcfg->memory, sizeof(fwcfg->memory) },
		{ KEY_CPUS, &fwcfg->cpus, sizeof(fwcfg->cpus) },
		{ KEY_MAX_CPUS, &fwcfg->cpus, sizeof(fwcfg->cpus) },
		{ KEY_DIRECTORY, &fwcfg->directory, sizeof(fwcfg->directory) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		if (items[i].key == key)
			return items[i];
	return (struct svmrun_fwcfg_item){ .key = key };
}

static const struct svmrun_fwcfg_item *
find_added(const struct svmrun_fwcfg *fwcfg, uint16_t key)
{
	unsigned int i;

	for (i = 0; i < fwcfg->used; i++)
		if (fwcfg->items[i].key == key)
			return &fwcfg->items[i];
	return NULL;
}

void svmrun_fwcfg_init(struct svmrun_fwcfg *fwcfg)
{
	*fwcfg = (struct svmrun_fwcfg){ 0 };
}

void svmrun_fwcfg_reset(struct svmrun_fwcfg *fwcfg)
{
	fwcfg->key = KEY_SIGNATURE;
	fwcfg->offset = 0;
}

void svmrun_fwcfg_set_cpus(struct svmrun_fwcfg *fwcfg, uint16_t cpus)
{
	fwcfg->cpus = cpus;
}

void svmrun_fwcfg_set_memory(struct svmrun_fwcfg *fwcfg, uint64_t bytes)
{
	fwcfg->memory = bytes;
}

static void put_big_endian(uint8_t *bytes, size_t count, uint32_t value)
{
	while (count--) {
		bytes[count] = value;
		value >>= 8;
	}
}

static int add_item(struct svmrun_fwcfg *fwcfg, uint16_t key, const void *bytes,
		    size_t size)
{
	if (find_added(fwcfg, key) || find_built_in(fwcfg, key).bytes)
		return -EEXIST;
	if (fwcfg->used == SVMRUN_FWCFG_ITEMS)
		return -ENOSPC;
	fwcfg->items[fwcfg->used] = (struct svmrun_fwcfg_item){ key, bytes,
								size };
	fwcfg->used++;
	return 0;
}

int svmrun_fwcfg_add(struct svmrun_fwcfg *fwcfg, uint16_t key,
		     const void *bytes, size_t size)
{
	bool is_file = key >= KEY_FILE && key < KEY_FILE + SVMRUN_FWCFG_FILES;

	if (is_file || (key & KEY_WRITE))
		return -EINVAL;
	return add_item(fwcfg, key, bytes, size);
}

static bool has_file(const struct svmrun_fwcfg *fwcfg, const char *name)
{
	unsigned int i;

	for (i = 0; i < fwcfg->files; i++)
		if (!strcmp(fwcfg->directory.entries[i].name, name))
			return true;
	return false;
}

static void add_directory_entry(struct svmrun_fwcfg *fwcfg, const char *name,
				uint32_t size)
{
	struct svmrun_fwcfg_directory *directory = &fwcfg->directory;
	struct svmrun_fwcfg_entry *entry = &directory->entries[fwcfg->files];

	put_big_endian(entry->size, sizeof(entry->size), size);
	put_big_endian(entry->select, sizeof(entry->select),
		       KEY_FILE + fwcfg->files);
	strcpy(entry->name, name);
	fwcfg->files++;
	put_big_endian(directory->count, sizeof(directory->count),
		       fwcfg->files);
}

int svmrun_fwcfg_add_file(struct svmrun_fwcfg *fwcfg, const char *name,
			  const void *bytes, size_t size)
{
	int error;

	if (strlen(name) >= SVMRUN_FWCFG_NAME)
		return -ENAMETOOLONG;
	if (size > UINT32_MAX)
		return -EFBIG;
	if (has_file(fwcfg, name))
		return -EEXIST;
	if (fwcfg->files == SVMRUN_FWCFG_FILES)
		return -ENOSPC;
	error = add_item(fwcfg, KEY_FILE + fwcfg->files, bytes, size);
	if (!error)
		add_directory_entry(fwcfg, name, size);
	return error;
}

static uint8_t next_byte(struct svmrun_fwcfg *fwcfg)
{
	const struct svmrun_fwcfg_item *found = find_added(fwcfg, fwcfg->key);
	struct svmrun_fwcfg_item item = found ? *found :
						find_built_in(fwcfg,
							      fwcfg->key);

	if (fwcfg->offset >= item.size)
		return 0;
	return ((const uint8_t *)item.bytes)[fwcfg->offset++];
}

/* The data port is one byte wide, and the selector is write-only. */
uint32_t svmrun_fwcfg_read(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			   unsigned int size)
{
	uint32_t nothing = UINT32_MAX >> (32 - 8 * size);

	if (offset == PORT_SELECT)
		return nothing;
	return (nothing & ~0xffu) | next_byte(fwcfg);
}

/* The ports overlap: two bytes at the first are a key, one byte at the second is data. */
void svmrun_fwcfg_write(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			unsigned int size, uint32_t value)
{
	if (offset != PORT_SELECT || size != 2)
		return;
	fwcfg->key = value & ~KEY_WRITE;
	fwcfg->offset = 0;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member fwcfg_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, key),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, offset),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, memory),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, cpus),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, directory),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, used),
	SVMRUN_STATE_MEMBER(struct svmrun_fwcfg, files),
};

int svmrun_fwcfg_save(const struct svmrun_fwcfg *fwcfg,
		      struct svmrun_state *state)
{
	const struct svmrun_fwcfg_item *item = fwcfg->items;
	unsigned int left;

	svmrun_state_begin(state, SVMRUN_STATE_FWCFG, STATE_VERSION);
	svmrun_state_put_members(state, fwcfg, fwcfg_members,
				 ARRAY_SIZE(fwcfg_members));
	for (left = fwcfg->used; left; left--, item++) {
		svmrun_state_put(state, &item->key, sizeof(item->key));
		svmrun_state_put(state, &item->size, sizeof(item->size));
		svmrun_state_put(state, item->bytes, item->size);
	}
	return svmrun_state_end(state);
}

static bool get_item(struct svmrun_fwcfg *fwcfg, struct svmrun_state *state)
{
	const void *bytes;
	uint16_t key;
	size_t size;

	svmrun_state_get(state, &key, sizeof(key));
	svmrun_state_get(state, &size, sizeof(size));
	bytes = svmrun_state_take(state, size);
	return bytes && !add_item(fwcfg, key, bytes, size);
}

/* Names in the directory are strings. */
static bool directory_is_valid(const struct svmrun_fwcfg *fwcfg)
{
	unsigned int i;

	for (i = 0; i < SVMRUN_FWCFG_FILES; i++)
		if (fwcfg->directory.entries[i].name[SVMRUN_FWCFG_NAME - 1])
			return false;
	return fwcfg->files <= SVMRUN_FWCFG_FILES;
}

int svmrun_fwcfg_load(struct svmrun_fwcfg *fwcfg, struct svmrun_state *state)
{
	unsigned int left;
	bool valid;

	svmrun_state_open(state, SVMRUN_STATE_FWCFG, STATE_VERSION);
	svmrun_state_get_members(state, fwcfg, fwcfg_members,
				 ARRAY_SIZE(fwcfg_members));
	valid = directory_is_valid(fwcfg) && fwcfg->used <= SVMRUN_FWCFG_ITEMS;
	left = valid ? fwcfg->used : 0;
	for (fwcfg->used = 0; left && valid; left--)
		valid = get_item(fwcfg, state);
	return svmrun_state_close(state, valid);
}
