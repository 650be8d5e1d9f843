/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels for the Multiboot2 Specification, version 2.0 */
#ifndef SVMRUN_MULTIBOOT2_H
#define SVMRUN_MULTIBOOT2_H

#include <stdbool.h>
#include <stddef.h>

#include <svmrun/multiboot.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * svmrun_multiboot2_is() - does the image have a Multiboot 2 header?
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: true if there is one, with the right checksum, in the first 32768 bytes.
 */
bool svmrun_multiboot2_is(const void *image, size_t size);

/**
 * svmrun_multiboot2_load() - load a kernel, its modules and its boot information
 * @memories: as for svmrun_e820_build(); everything is loaded into the one from 0 on
 * @count: number of @memories
 * @boot: the kernel and its parameters
 * @entry: filled in for svmrun_multiboot2_begin()
 *
 * The boot information has the command line, the modules, the memory map, the name of the
 * loader and, if @boot has its address, a copy of the ACPI root pointer. Kernels are loaded
 * at the addresses in their header or in ELF's program headers, and never relocated.
 * Modules begin at a page. Nothing is written if an error is returned.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as for svmrun_e820_build();
 * -ENOEXEC: there is no Multiboot 2 header in the first 32768 bytes;
 * -ENODEV: the kernel requires a display;
 * -EOPNOTSUPP: it requires another feature that Multiboot 2.0 does not define;
 * -EMEDIUMTYPE: its header has no addresses, and it is not an ELF executable for x86;
 * -EBADMSG: the addresses in its header are inconsistent;
 * -ENODATA: the image is truncated, or there is nothing to load;
 * -ENOMEM: something does not fit, but would if the first of @memories were larger;
 * -ERANGE: the kernel, or its entry point, is where no PC has memory below 3 GiB;
 * -EFBIG: the modules do not fit into the memory of any PC;
 * -E2BIG: the command lines and the information do not.
 */
int svmrun_multiboot2_load(const struct svmrun_memory *memories, size_t count,
			   const struct svmrun_multiboot_boot *boot,
			   struct svmrun_multiboot_entry *entry);

/**
 * svmrun_multiboot2_begin() - set the registers as a kernel expects them
 * @vcpu: the vCPU
 * @entry: from svmrun_multiboot2_load()
 *
 * 32-bit protected mode, flat segments, interrupts off, the address of the boot information
 * in EBX.
 *
 * Return: 0.
 */
int svmrun_multiboot2_begin(struct svmrun_vcpu *vcpu,
			    const struct svmrun_multiboot_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_MULTIBOOT2_H */
