/* SPDX-License-Identifier: GPL-2.0 */
/* The running kernel's symbols and memory, read as root */
#ifndef KCORE_H
#define KCORE_H

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Return a symbol's address, or 0 if there is none. */
static inline uint64_t kernel_symbol(const char *name)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	uint64_t address, found = 0;
	char line[512], symbol[256];

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, symbol) ==
			    2 &&
		    !strcmp(symbol, name))
			found = address;
	if (symbols)
		fclose(symbols);
	return found;
}

/* Return the address of a module's section, or 0 if it cannot be read. */
static inline uint64_t section_address(int sections, const char *name)
{
	int fd = openat(sections, name, O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	ssize_t length = 0;

	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return length > 0 ? strtoull(text, NULL, 0) : 0;
}

/*
 * Find a module's code, from .text to the section that follows. Return false if the
 * sections cannot be read.
 */
static inline bool module_code(const char *sections, uint64_t *first,
			       uint64_t *end)
{
	DIR *directory = opendir(sections);
	struct dirent *entry;

	*first = 0;
	*end = UINT64_MAX;
	if (!directory)
		return false;
	*first = section_address(dirfd(directory), ".text");
	while ((entry = readdir(directory))) {
		uint64_t at = section_address(dirfd(directory), entry->d_name);

		if (at > *first && at < *end)
			*end = at;
	}
	closedir(directory);
	return *first && *end != UINT64_MAX;
}

/* Return the offset of an address in /proc/kcore, or a negative errno. */
static inline off_t kcore_offset(int fd, uint64_t address)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return -EIO;
	for (int i = 0; i < header.e_phnum; i++) {
		off_t at = header.e_phoff + i * sizeof(segment);

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return -EIO;
		if (address - segment.p_vaddr < segment.p_memsz)
			return segment.p_offset + address - segment.p_vaddr;
	}
	return -ENXIO;
}

static inline int kernel_read(uint64_t address, void *bytes, size_t size)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	off_t offset;
	ssize_t got = -1;

	if (fd < 0)
		return -errno;
	offset = kcore_offset(fd, address);
	if (offset >= 0)
		got = pread(fd, bytes, size, offset);
	close(fd);
	return got == (ssize_t)size ? 0 : -EIO;
}

#endif /* KCORE_H */
