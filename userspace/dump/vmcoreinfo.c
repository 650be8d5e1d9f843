// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "lib/x86.h"
#include "vmcoreinfo.h"

#define NAME "VMCOREINFO"
#define CONTENTS (sizeof(Elf64_Nhdr) + 12) /* offset */
#define FIRST_LINE "OSRELEASE="
#define OFFSET_LINE "\nKERNELOFFSET="

#define FOUND 1

/* Return the size of the note at the beginning of a page, or 0. */
static size_t note_size(const uint8_t *page, size_t left)
{
	Elf64_Nhdr header;
	size_t size;

	memcpy(&header, page, sizeof(header));
	size = CONTENTS + header.n_descsz;
	if (header.n_namesz != sizeof(NAME) || header.n_type ||
	    header.n_descsz > PAGE_SIZE || size > left ||
	    memcmp(page + sizeof(header), NAME, sizeof(NAME)) ||
	    memcmp(page + CONTENTS, FIRST_LINE, strlen(FIRST_LINE)))
		return 0;
	return size;
}

static int find_in_chunk(void *owner, const uint8_t *bytes, size_t size,
			 uint64_t offset)
{
	struct vmcoreinfo *info = owner;
	size_t at;

	for (at = 0; at < size; at += PAGE_SIZE) {
		info->size = note_size(bytes + at, size - at);
		if (!info->size)
			continue;
		memcpy(info->bytes, bytes + at, info->size);
		return FOUND;
	}
	return 0;
}

int vmcoreinfo_find(struct vmcoreinfo *info, const struct saved *saved)
{
	int ret;

	memset(info, 0, sizeof(*info));
	ret = chunks_visit(saved, find_in_chunk, info);
	return ret == FOUND ? 0 : ret;
}

uint64_t vmcoreinfo_kernel_offset(const struct vmcoreinfo *info)
{
	const char *line = info->size ?
				   strstr(info->bytes + CONTENTS, OFFSET_LINE) :
				   NULL;

	return line ? strtoull(line + strlen(OFFSET_LINE), NULL, 16) : 0;
}
