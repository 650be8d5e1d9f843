// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include <svmrun/fwcfg.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define KEY_SIGNATURE 0x00
#define KEY_ID 0x01
#define KEY_MEMORY 0x03
#define KEY_CPUS 0x05
#define KEY_MAX_CPUS 0x0f
#define KEY_DIRECTORY 0x19
#define KEY_FILE 0x20 /* the first */
#define PORT_SELECT 0

static const char signature[] = { 'Q', 'E', 'M', 'U' };
static const uint8_t id[] = { 1, 0, 0, 0 }; /* ports, and no DMA */

struct item {
	const void *bytes;
	size_t size;
};

static struct item selected(const struct svmrun_fwcfg *fwcfg)
{
	const struct {
		uint16_t key;
		struct item item;
	} items[] = {
		{ KEY_SIGNATURE, { signature, sizeof(signature) } },
		{ KEY_ID, { id, sizeof(id) } },
		{ KEY_MEMORY, { &fwcfg->memory, sizeof(fwcfg->memory) } },
		{ KEY_CPUS, { &fwcfg->cpus, sizeof(fwcfg->cpus) } },
		{ KEY_MAX_CPUS, { &fwcfg->cpus, sizeof(fwcfg->cpus) } },
		{ KEY_DIRECTORY,
		  { &fwcfg->directory, sizeof(fwcfg->directory) } },
	};
	unsigned int file = fwcfg->key - KEY_FILE;
	size_t i;

	if (fwcfg->key >= KEY_FILE && file < fwcfg->used)
		return (struct item){ fwcfg->files[file], fwcfg->sizes[file] };
	for (i = 0; i < ARRAY_SIZE(items); i++)
		if (items[i].key == fwcfg->key)
			return items[i].item;
	return (struct item){ 0 };
}

void svmrun_fwcfg_init(struct svmrun_fwcfg *fwcfg)
{
	*fwcfg = (struct svmrun_fwcfg){ 0 };
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

int svmrun_fwcfg_add_file(struct svmrun_fwcfg *fwcfg, const char *name,
			  const void *bytes, size_t size)
{
	struct svmrun_fwcfg_entry *entry;
	unsigned int file = fwcfg->used;

	if (file == SVMRUN_FWCFG_FILES)
		return -ENOSPC;
	if (strlen(name) >= SVMRUN_FWCFG_NAME)
		return -ENAMETOOLONG;
	entry = &fwcfg->directory.entries[file];
	put_big_endian(entry->size, sizeof(entry->size), size);
	put_big_endian(entry->select, sizeof(entry->select), KEY_FILE + file);
	strcpy(entry->name, name);
	fwcfg->files[file] = bytes;
	fwcfg->sizes[file] = size;
	fwcfg->used++;
	put_big_endian(fwcfg->directory.count, sizeof(fwcfg->directory.count),
		       fwcfg->used);
	return 0;
}

static uint8_t next_byte(struct svmrun_fwcfg *fwcfg)
{
	struct item item = selected(fwcfg);

	if (fwcfg->offset >= item.size)
		return 0;
	return ((const uint8_t *)item.bytes)[fwcfg->offset++];
}

/* The ports overlap: a word at the first is the key, a byte at the second data. */
uint32_t svmrun_fwcfg_read(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			   unsigned int size)
{
	if (offset == PORT_SELECT)
		return fwcfg->key;
	return next_byte(fwcfg);
}

void svmrun_fwcfg_write(struct svmrun_fwcfg *fwcfg, unsigned int offset,
			unsigned int size, uint32_t value)
{
	if (offset != PORT_SELECT || size != 2)
		return;
	fwcfg->key = value;
	fwcfg->offset = 0;
}
