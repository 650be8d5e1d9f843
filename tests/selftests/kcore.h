/* SPDX-License-Identifier: GPL-2.0 */
/* The running kernel's memory, as root sees it: symbols and bytes. */
#ifndef KCORE_H
#define KCORE_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A symbol's address, 0 if there is none */
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

/* Where /proc/kcore has an address, or a negative errno */
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
