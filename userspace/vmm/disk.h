/* SPDX-License-Identifier: GPL-2.0 */
/* Disks of the guest: --disk FILE[,ro] */
#ifndef DISK_H
#define DISK_H

#include <svmrun/block.h>

/**
 * struct disk - a file or block device that the guest has as a disk
 * @fd: the file
 * @sectors: its size in sectors
 * @read_only: the guest cannot write to it
 * @block: the device
 */
struct disk {
	int fd;
	uint64_t sectors;
	bool read_only;
	struct svmrun_block block;
};

/* Open the file that the option names. Return 0, or the exit status after a message. */
int disk_open(struct disk *disk, const char *option);
void disk_close(struct disk *disk);

/* Initialise the device. @memories: the guest's memory, which it reads and writes */
void disk_init(struct disk *disk, unsigned int number,
	       const struct svmrun_memory *memories, size_t memory_count);

#endif /* DISK_H */
