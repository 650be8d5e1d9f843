/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest that a command line asks for: its memory, filled, and where and how
 * it begins. Made before the device is opened, so that bad input is reported
 * whatever the machine is.
 */
#ifndef GUEST_H
#define GUEST_H

#include <svmrun.h>
#include <svmrun/bzimage.h>
#include <svmrun/multiboot.h>
#include <svmrun/pvh.h>

#include "common/file.h"
#include "vmm/machine.h"
#include "vmm/run_options.h"

/**
 * struct guest - a guest that is ready to be run
 * @memories: its memory: from 0 up to 3 GiB at most, the rest from 4 GiB on, and
 *	firmware's below that
 * @memory_count: how many
 * @rom_count: how many of them, the last, are not to be written to
 * @is_pc: it expects a PC: a console, and nothing where nothing is
 * @format: what it is
 * @pvh: a Linux that is entered as PVH has it
 * @mode: the mode it begins in
 * @entry: where
 * @stack: top of its stack: below the page tables, if there are any
 * @bzimage: how Linux begins
 * @pvh_entry: the same of PVH
 * @multiboot: the same of a multiboot kernel
 */
struct guest {
	struct svmrun_memory memories[MACHINE_MEMORIES];
	size_t memory_count;
	size_t rom_count;
	bool is_pc;
	enum format format;
	bool pvh;
	enum mode mode;
	uint64_t entry;
	uint64_t stack;
	struct svmrun_bzimage_entry bzimage;
	struct svmrun_pvh_entry pvh_entry;
	struct svmrun_multiboot_entry multiboot;
};

/* Return 0, or the exit status after a message. */
int guest_create(struct guest *guest, const struct run_options *options);
void guest_destroy(struct guest *guest);

/* Set up the first processor and the devices. The same. */
int guest_begin(struct guest *guest, struct machine *machine);

#endif /* GUEST_H */
