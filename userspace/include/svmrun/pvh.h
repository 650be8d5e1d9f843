/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loader for uncompressed kernels with a PVH entry point (Xen's docs/misc/pvh.pandoc):
 * ELF executables with the note XEN_ELFNOTE_PHYS32_ENTRY, such as vmlinux and kernels
 * of BSDs.
 */
#ifndef SVMRUN_PVH_H
#define SVMRUN_PVH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct svmrun_pvh_boot - a kernel and its parameters
 * @kernel: the image
 * @kernel_size: its size in bytes
 * @initrd: the initial RAM disk; may be NULL if @initrd_size is 0
 * @initrd_size: its size in bytes, 0 for none
 * @command_line: the kernel command line; NULL for none
 * @acpi_rsdp: guest physical address of the ACPI root pointer (RSDP); 0: the kernel
 *	searches for it
 * @reserved: zero
 */
struct svmrun_pvh_boot {
	const void *kernel;
	size_t kernel_size;
	const void *initrd;
	size_t initrd_size;
	const char *command_line;
	uint64_t acpi_rsdp;
	uint64_t reserved[4];
};

/**
 * struct svmrun_pvh_entry - the state in which a loaded kernel is entered
 * @eip: entry point
 * @ebx: guest physical address of struct hvm_start_info
 * @reserved: zero
 */
struct svmrun_pvh_entry {
	uint32_t eip;
	uint32_t ebx;
	uint64_t reserved[4];
};

/**
 * svmrun_pvh_is() - is the image an ELF executable with a PVH entry point?
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: true if it is one.
 */
bool svmrun_pvh_is(const void *image, size_t size);

/**
 * svmrun_pvh_load() - load kernel, RAM disk and start info into guest memory
 * @memories: as for svmrun_e820_build(); everything is loaded into the first one
 * @count: number of @memories
 * @boot: the kernel and its parameters
 * @entry: filled in for svmrun_pvh_begin()
 *
 * Segments are loaded at their physical addresses, the RAM disk as high as the memory
 * permits. Nothing is written unless everything can be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as svmrun_e820_build() requires;
 * -ENOEXEC: it is not a little-endian ELF executable, or its headers are invalid;
 * -EMEDIUMTYPE: it is for a machine other than x86;
 * -ENOMSG: it has no PVH entry point;
 * -ENODATA: the image is truncated, or there is nothing to load;
 * -ENOMEM: something does not fit, but would if the first of @memories were larger;
 * -ERANGE: a segment is where no PC has memory below 3 GiB, or the entry point is in none;
 * -EFBIG: the RAM disk does not fit into the memory of any PC;
 * -E2BIG: the command line and the start info do not.
 */
int svmrun_pvh_load(const struct svmrun_memory *memories, size_t count,
		    const struct svmrun_pvh_boot *boot,
		    struct svmrun_pvh_entry *entry);

/**
 * svmrun_pvh_begin() - set the registers that PVH requires
 * @vcpu: the vCPU
 * @entry: from svmrun_pvh_load()
 *
 * The mode is 32-bit protected mode with flat segments and disabled interrupts, and EBX
 * points to the start info.
 *
 * Return: 0.
 */
int svmrun_pvh_begin(struct svmrun_vcpu *vcpu,
		     const struct svmrun_pvh_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PVH_H */
