/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels for the Multiboot Specification, version 0.6.96 ("multiboot 1") */
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
 * struct svmrun_multiboot_module - a file for the kernel
 * @bytes: what it has; may be NULL if @size is 0
 * @size: how many
 * @command_line: the string beside it; NULL for an empty one
 * @reserved: zero
 */
struct svmrun_multiboot_module {
	const void *bytes;
	size_t size;
	const char *command_line;
	uint64_t reserved[2];
};

/**
 * struct svmrun_multiboot_boot - what to boot
 * @kernel: the image
 * @kernel_size: bytes
 * @command_line: NULL for an empty one
 * @modules: the modules, in their order
 * @module_count: how many
 * @reserved: zero
 */
struct svmrun_multiboot_boot {
	const void *kernel;
	size_t kernel_size;
	const char *command_line;
	const struct svmrun_multiboot_module *modules;
	size_t module_count;
	uint64_t reserved[4];
};

/**
 * struct svmrun_multiboot_entry - how a loaded kernel is entered
 * @eip: entry point
 * @ebx: guest physical address of the information
 * @reserved: zero
 */
struct svmrun_multiboot_entry {
	uint32_t eip;
	uint32_t ebx;
	uint64_t reserved[4];
};

/**
 * svmrun_multiboot_is() - does the image have a multiboot header?
 * @image: the file's bytes
 * @size: how many
 *
 * Return: true if there is one, with the right checksum, where it must be.
 */
bool svmrun_multiboot_is(const void *image, size_t size);

/**
 * svmrun_multiboot_load() - kernel, modules and information into guest memory
 * @memories: as svmrun_e820_build() takes them; all goes into the one from 0 on
 * @count: how many
 * @boot: what
 * @entry: filled in for svmrun_multiboot_begin()
 *
 * The kernel goes where its header says or, if that does not, where ELF's program
 * headers do. Modules are above 1 MiB, each at the beginning of a page. Nothing
 * is written unless all is fit to be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as said;
 * -ENOEXEC: there is no multiboot header in the first 8192 bytes;
 * -ENODEV: the kernel wants a video mode, and there is no display;
 * -EOPNOTSUPP: it requires something else that multiboot 0.6.96 does not have;
 * -EMEDIUMTYPE: it says no addresses, and is no ELF executable for x86 either;
 * -EBADMSG: the addresses in its header contradict each other;
 * -ENODATA: the image is cut off, or there is nothing to load;
 * -ERANGE: the kernel, or its entry, is not where there is memory below 4 GiB;
 * -EFBIG: there is no room for the modules: more memory is wanted;
 * -E2BIG: there is no room for the command lines and the information.
 */
int svmrun_multiboot_load(const struct svmrun_memory *memories, size_t count,
			  const struct svmrun_multiboot_boot *boot,
			  struct svmrun_multiboot_entry *entry);

/**
 * svmrun_multiboot_begin() - the registers that a kernel expects
 * @vcpu: the vCPU
 * @entry: from svmrun_multiboot_load()
 *
 * 32-bit protected mode, flat segments, interrupts off, EBX at the information.
 *
 * Return: 0.
 */
int svmrun_multiboot_begin(struct svmrun_vcpu *vcpu,
			   const struct svmrun_multiboot_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_MULTIBOOT_H */
