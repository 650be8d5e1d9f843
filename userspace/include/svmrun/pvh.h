/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uncompressed kernels with a PVH entry (Xen's docs/misc/pvh.pandoc): ELF with
 * the note XEN_ELFNOTE_PHYS32_ENTRY, as vmlinux of Linux and the BSDs have it.
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
 * struct svmrun_pvh_boot - what to boot
 * @kernel: the image
 * @kernel_size: bytes
 * @initrd: the initial RAM disk; may be NULL if @initrd_size is 0
 * @initrd_size: bytes, 0 for none
 * @command_line: NULL for none
 * @acpi_rsdp: guest physical address of the ACPI root pointer; 0: the kernel
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
 * struct svmrun_pvh_entry - how a loaded kernel is entered
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
 * svmrun_pvh_is() - is the image an ELF executable with a PVH entry?
 * @image: the file's bytes
 * @size: how many
 *
 * Return: true if it is one.
 */
bool svmrun_pvh_is(const void *image, size_t size);

/**
 * svmrun_pvh_load() - kernel, RAM disk and start info into guest memory
 * @memories: as svmrun_e820_build() takes them; all goes into the one from 0 on
 * @count: how many
 * @boot: what
 * @entry: filled in for svmrun_pvh_begin()
 *
 * Segments go to their physical addresses, the RAM disk as high as memory allows.
 * Nothing is written unless all is fit to be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as said;
 * -ENOEXEC: not a little-endian ELF executable, or its headers are wrong;
 * -EMEDIUMTYPE: it is for another machine than x86;
 * -ENOMSG: it has no PVH entry;
 * -ENODATA: the image is cut off, or there is nothing to load;
 * -ERANGE: a segment, or the entry, is not where there is memory below 4 GiB;
 * -EFBIG: there is no room for the RAM disk: more memory is wanted;
 * -E2BIG: there is no room for the command line and the start info.
 */
int svmrun_pvh_load(const struct svmrun_memory *memories, size_t count,
		    const struct svmrun_pvh_boot *boot,
		    struct svmrun_pvh_entry *entry);

/**
 * svmrun_pvh_begin() - the registers that a kernel expects
 * @vcpu: the vCPU
 * @entry: from svmrun_pvh_load()
 *
 * 32-bit protected mode, flat segments, interrupts off, EBX at the start info.
 *
 * Return: 0.
 */
int svmrun_pvh_begin(struct svmrun_vcpu *vcpu,
		     const struct svmrun_pvh_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PVH_H */
