/* SPDX-License-Identifier: GPL-2.0 */
/* Swap space: the machine's own, or a RAM disk */
#ifndef SWAP_H
#define SWAP_H

#include <stdio.h>
#include <sys/swap.h>
#include <sys/syscall.h>

#include "machine.h"

#define SWAP_MODULE "/lib/modules/brd.ko" /* path in the nested VM */
#define SWAP_DEVICE "/dev/ram0"
#define SWAP_PAGES 4096

static inline bool swap_there_is(void)
{
	FILE *swaps = fopen("/proc/swaps", "r");
	char line[256];
	int lines = 0;

	while (swaps && fgets(line, sizeof(line), swaps))
		lines++;
	if (swaps)
		fclose(swaps);
	return lines > 1;
}

static inline int swap_module_insert(void)
{
	int fd = open(SWAP_MODULE, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "rd_nr=1 rd_size=16384", 0) &&
	    errno != EEXIST)
		err = -errno;
	close(fd);
	return err;
}

/* Write the header that mkswap(8) writes. */
static inline int swap_format(void)
{
	struct {
		uint8_t boot[1024];
		uint32_t version, last_page, bad_pages;
		uint8_t rest[PAGE - 1024 - 3 * sizeof(uint32_t) - 10];
		char magic[10];
	} header = {
		.version = 1,
		.last_page = SWAP_PAGES - 1,
		.magic = "SWAPSPACE2",
	};
	int fd = open(SWAP_DEVICE, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, &header, sizeof(header)) != sizeof(header))
		err = -EIO;
	close(fd);
	return err;
}

/* Set @own if swap space had to be created, for swap_end(). */
static inline int swap_begin(bool *own)
{
	int err;

	*own = !swap_there_is();
	if (!*own)
		return 0;
	err = swap_module_insert();
	if (!err)
		err = swap_format();
	if (!err && swapon(SWAP_DEVICE, 0))
		err = -errno;
	return err;
}

static inline int swap_end(bool own)
{
	return own && swapoff(SWAP_DEVICE) ? -errno : 0;
}

#endif /* SWAP_H */
