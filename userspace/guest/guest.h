/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest that the command line describes: its memory with the image in it, and its
 * entry point. It is created before the device is opened, so that bad input is reported
 * on any machine.
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
#include "vmm/saved.h"

struct firmware_files;
struct modules;

/**
 * struct guest - a guest that is ready to be run
 * @memories: its memory: from 0 up to 3 GiB at most, the rest from 4 GiB on; and that of
 *	firmware, below 4 GiB
 * @memory_count: how many
 * @rom_count: how many of them, the last, the guest cannot write to
 * @is_pc: it expects a PC, with a console and an open bus
 * @format: format of the image
 * @pvh: the image is a Linux with a PVH entry point
 * @multiboot2: the image has a header of Multiboot 2, and none of Multiboot 1
 * @file: the image, if it is mapped at virtual addresses or may be loaded again
 * @initrd: the initial RAM disk, likewise
 * @modules: the modules of a multiboot kernel, likewise
 * @tables: size of the page tables for them
 * @mode: mode of the processor at the entry point
 * @entry: address of the entry point
 * @stack: top of its stack, below the page tables if there are any
 * @bzimage: entry state of Linux
 * @pvh_entry: entry state for PVH
 * @multiboot: entry state of a multiboot kernel
 * @files: contents of files for firmware
 */
struct guest {
	struct svmrun_memory memories[MACHINE_MEMORIES];
	size_t memory_count;
	size_t rom_count;
	bool is_pc;
	enum format format;
	bool pvh;
	bool multiboot2;
	struct file file;
	struct file initrd;
	struct modules *modules;
	uint64_t tables;
	enum mode mode;
	uint64_t entry;
	uint64_t stack;
	struct svmrun_bzimage_entry bzimage;
	struct svmrun_pvh_entry pvh_entry;
	struct svmrun_multiboot_entry multiboot;
	struct firmware_files *files;
};

/* Return 0, or the exit status after a message. */
int guest_create(struct guest *guest, const struct run_options *options);

/* The same for a guest that has been saved. */
int guest_resume(struct guest *guest, const struct saved *saved);

void guest_destroy(struct guest *guest);

/*
 * Set up the first processor and the devices, and the function that does so after a reset.
 * Return the same.
 */
int guest_begin(struct guest *guest, struct machine *machine);

#endif /* GUEST_H */
