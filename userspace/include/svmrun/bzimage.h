/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linux kernels as they are installed: bzImages, and what else is loaded like
 * them (Documentation/x86/boot.rst: the 64-bit protocol and, where an image has
 * no 64-bit entry, the 32-bit one).
 */
#ifndef SVMRUN_BZIMAGE_H
#define SVMRUN_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Selectors that the protocol promises, in a table of four descriptors */
#define SVMRUN_BZIMAGE_CS 0x10
#define SVMRUN_BZIMAGE_DS 0x18

/**
 * struct svmrun_bzimage_boot - what to boot
 * @kernel: the image
 * @kernel_size: bytes
 * @initrd: the initial RAM disk; may be NULL if @initrd_size is 0
 * @initrd_size: bytes, 0 for none
 * @command_line: NULL for an empty one
 * @acpi_rsdp: guest physical address of the ACPI root pointer; 0: the kernel
 *	searches for it
 * @reserved: zero
 */
struct svmrun_bzimage_boot {
	const void *kernel;
	size_t kernel_size;
	const void *initrd;
	size_t initrd_size;
	const char *command_line;
	uint64_t acpi_rsdp;
	uint64_t reserved[4];
};

/**
 * struct svmrun_bzimage_entry - how a loaded kernel is entered
 * @rip: entry point
 * @rsi: guest physical address of struct boot_params, the zero page
 * @long_mode: 64-bit mode with the low 4 GiB mapped 1:1; otherwise 32-bit
 *	protected mode
 * @tables: SVMRUN_LONG_TABLES_SIZE bytes for page tables, not yet written; also
 *	the top of a small stack
 * @gdt: the descriptor table
 * @reserved: zero
 */
struct svmrun_bzimage_entry {
	uint64_t rip;
	uint64_t rsi;
	bool long_mode;
	uint64_t tables;
	uint64_t gdt;
	uint64_t reserved[4];
};

/**
 * svmrun_bzimage_is() - does the image have the header of the boot protocol?
 * @image: the file's bytes
 * @size: how many
 *
 * Return: true if it has its magic numbers, of whatever version it is.
 */
bool svmrun_bzimage_is(const void *image, size_t size);

/**
 * svmrun_bzimage_load() - kernel, RAM disk and zero page into guest memory
 * @memories: as svmrun_e820_build() takes them; all goes into the one from 0 on
 * @count: how many
 * @boot: what
 * @entry: filled in for svmrun_bzimage_begin()
 *
 * The kernel goes where it prefers to be, the RAM disk as high as the kernel and
 * the memory allow, the rest below 640 KiB. Nothing is written unless all is fit
 * to be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as said;
 * -ENOEXEC: no bzImage: a magic number is wrong;
 * -ENODATA: the image is cut off: shorter than its header says;
 * -EPROTONOSUPPORT: the boot protocol is older than 2.06, or the image is a
 *  zImage, which is loaded below 640 KiB;
 * -ERANGE: it wants to be below 1 MiB or beyond 4 GiB;
 * -ENOMEM: there is not enough memory where the kernel goes;
 * -EFBIG: there is no room for the RAM disk: more memory is wanted;
 * -E2BIG: the command line is longer than the kernel takes.
 */
int svmrun_bzimage_load(const struct svmrun_memory *memories, size_t count,
			const struct svmrun_bzimage_boot *boot,
			struct svmrun_bzimage_entry *entry);

/**
 * svmrun_bzimage_begin() - the registers that a kernel expects
 * @vcpu: the vCPU
 * @low: the memory from 0 on: the page tables are written
 * @entry: from svmrun_bzimage_load()
 *
 * Flat segments, interrupts off, RSI at the zero page, EBP, EDI and EBX 0.
 *
 * Return: 0, or -ERANGE if @low is not the memory that it was loaded into.
 */
int svmrun_bzimage_begin(struct svmrun_vcpu *vcpu, struct svmrun_memory *low,
			 const struct svmrun_bzimage_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BZIMAGE_H */
