/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file with a saved machine (Documentation/snapshots.rst): a header, records, and from a
 * multiple of the page size on the guest's memory.
 */
#ifndef SAVED_H
#define SAVED_H

#include "machine_state.h"

#define SAVED_VERSION 1

/**
 * struct saved_header - what the file begins with; numbers are little-endian
 * @magic: SAVED_MAGIC
 * @version: SAVED_VERSION
 * @crc: CRC-32 of the header, with this member set to 0, and the records
 * @records: bytes of records, which follow the header
 * @memory: offset of memory in the file
 * @size: size of the file
 * @reserved: 0
 */
struct saved_header {
	char magic[8];
	uint32_t version;
	uint32_t crc;
	uint64_t records;
	uint64_t memory;
	uint64_t size;
	uint64_t reserved[3];
};

/**
 * struct saved - a file that is open for reading
 * @name: its name, for messages
 * @fd: the file
 * @header: its header
 * @bytes: its records
 * @state: the records that have not been read yet
 * @plan: the first of them
 */
struct saved {
	const char *name;
	int fd;
	struct saved_header header;
	uint8_t *bytes;
	struct svmrun_state state;
	struct machine_plan plan;
};

/* Fill in the header of a file with these records and memory. */
void saved_fill_header(struct saved_header *header, const void *records,
		       size_t size, uint64_t memory);

/*
 * Open a file, check it, and read the machine's options and plan from it. No one can save
 * to it while it is open. Return 0, or the exit status after a message.
 */
int saved_open(struct saved *saved, const char *name,
	       struct run_options *options);
void saved_close(struct saved *saved);

/* The same with a descriptor, which saved_close() closes. */
int saved_read(struct saved *saved, int fd, struct run_options *options);

/*
 * Map the file's memory privately: the guest's writes do not change the file, and pages
 * that are only read are shared with all machines that are resumed from it. Return 0, or the
 * exit status after a message. After an error, ranges that are mapped have a base.
 */
int saved_map_memory(const struct saved *saved, struct svmrun_memory *memories);

/* Check that the disks, which are open, are as they were. Return the same. */
int saved_check_disks(const struct saved *saved, const struct machine *machine);

/* Load the state into a machine that has been created from the plan. Return the same. */
int saved_load(struct saved *saved, struct machine *machine);

#endif /* SAVED_H */
