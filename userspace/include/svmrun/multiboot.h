/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loader for kernels of the Multiboot Specification, version 0.6.96 ("multiboot 1") */
#ifndef SVMRUN_MULTIBOOT_H
#define SVMRUN_MULTIBOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct svmrun_multiboot_module - a boot module
 * @bytes: its contents; may be NULL if @size is 0
 * @size: their size in bytes
 * @command_line: its string; NULL for an empty one
 * @reserved: zero
 */
struct svmrun_multiboot_module {
	const void *bytes;
	size_t size;
	const char *command_line;
	uint64_t reserved[2];
};

/**
 * struct svmrun_multiboot_boot - a kernel and its parameters
 * @kernel: the image
 * @kernel_size: its size in bytes
 * @command_line: the kernel command line; NULL for an empty one
 * @modules: the boot modules, in order
 * @module_count: number of @modules
 * @acpi_rsdp: guest physical address of the ACPI root pointer, of which a Multiboot 2 kernel
 *	gets a copy; 0 for none
 * @reserved: zero
 */
struct svmrun_multiboot_boot {
	const void *kernel;
	size_t kernel_size;
	const char *command_line;
	const struct svmrun_multiboot_module *modules;
	size_t module_count;
	uint64_t acpi_rsdp;
	uint64_t reserved[3];
};

/**
 * struct svmrun_multiboot_entry - the state in which a loaded kernel is entered
 * @eip: entry point
 * @ebx: guest physical address of the Multiboot information
 * @reserved: zero
 */
struct svmrun_multiboot_entry {
	uint32_t eip;
	uint32_t ebx;
	uint64_t reserved[4];
};

/**
 * svmrun_multiboot_is() - does the image have a multiboot header?
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: true if there is one with the right checksum in the first 8192 bytes.
 */
bool svmrun_multiboot_is(const void *image, size_t size);

/**
 * svmrun_multiboot_load() - load kernel, modules and information into guest memory
 * @memories: as for svmrun_e820_build(); everything is loaded into the first one
 * @count: number of @memories
 * @boot: the kernel and its parameters
 * @entry: filled in for svmrun_multiboot_begin()
 *
 * The kernel is loaded at the addresses in its Multiboot header or, if that has none, in
 * the ELF program headers. Modules are above 1 MiB, each at the beginning of a page.
 * Nothing is written unless everything can be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as svmrun_e820_build() requires;
 * -ENOEXEC: there is no Multiboot header in the first 8192 bytes;
 * -ENODEV: the kernel requires a video mode, and there is no display;
 * -EOPNOTSUPP: it requires another feature that Multiboot 0.6.96 does not define;
 * -EMEDIUMTYPE: its header has no addresses, and it is not an ELF executable for x86;
 * -EBADMSG: the addresses in its header are inconsistent;
 * -ENODATA: the image is truncated, or there is nothing to load;
 * -ENOMEM: something does not fit, but would if the first of @memories were larger;
 * -ERANGE: the kernel, or its entry point, is where no PC has memory below 3 GiB;
 * -EFBIG: the modules do not fit into the memory of any PC;
 * -E2BIG: the command lines and the information do not.
 */
int svmrun_multiboot_load(const struct svmrun_memory *memories, size_t count,
			  const struct svmrun_multiboot_boot *boot,
			  struct svmrun_multiboot_entry *entry);

/**
 * svmrun_multiboot_begin() - set the registers that the specification requires
 * @vcpu: the vCPU
 * @entry: from svmrun_multiboot_load()
 *
 * The mode is 32-bit protected mode with flat segments and disabled interrupts, and EBX
 * points to the information.
 *
 * Return: 0.
 */
int svmrun_multiboot_begin(struct svmrun_vcpu *vcpu,
			   const struct svmrun_multiboot_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_MULTIBOOT_H */
