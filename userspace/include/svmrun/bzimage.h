/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loader for Linux kernels: bzImages, as they are installed, other images with the same
 * header, and vmlinux, the ELF executable in a bzImage (Documentation/x86/boot.rst). The
 * 64-bit boot protocol is used, or the 32-bit one if the image has no 64-bit entry point.
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

/* Selectors that the protocol prescribes, in a table of four descriptors */
#define SVMRUN_BZIMAGE_CS 0x10
#define SVMRUN_BZIMAGE_DS 0x18

#define SVMRUN_BZIMAGE_SEED 64 /* bytes that a seed has at most */

/**
 * struct svmrun_bzimage_boot - a kernel and its parameters
 * @kernel: the image
 * @kernel_size: its size in bytes
 * @initrd: the initial RAM disk; may be NULL if @initrd_size is 0
 * @initrd_size: its size in bytes, 0 for none
 * @command_line: the kernel command line; NULL for an empty one
 * @acpi_rsdp: guest physical address of the ACPI root pointer (RSDP); 0: the kernel
 *	searches for it
 * @seed: random bytes for the kernel's generator of random numbers; may be NULL if
 *	@seed_size is 0
 * @seed_size: their number, at most SVMRUN_BZIMAGE_SEED, 0 for none. Linux uses them
 *	since 6.0
 * @reserved: zero
 */
struct svmrun_bzimage_boot {
	const void *kernel;
	size_t kernel_size;
	const void *initrd;
	size_t initrd_size;
	const char *command_line;
	uint64_t acpi_rsdp;
	const void *seed;
	size_t seed_size;
	uint64_t reserved[2];
};

/**
 * struct svmrun_bzimage_entry - the state in which a loaded kernel is entered
 * @rip: entry point
 * @rsi: guest physical address of struct boot_params, the zero page
 * @long_mode: 64-bit mode with the low 4 GiB mapped 1:1; otherwise 32-bit
 *	protected mode
 * @tables: guest physical address of SVMRUN_LONG_TABLES_SIZE bytes for page tables, which
 *	svmrun_bzimage_begin() writes; also the top of a small stack
 * @gdt: guest physical address of the descriptor table
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
 * svmrun_bzimage_is() - is the image a Linux kernel?
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: true if it has the magic numbers of the boot protocol, whatever the version is, or
 * is an ELF executable with the note that Linux has had since 4.19.
 */
bool svmrun_bzimage_is(const void *image, size_t size);

/**
 * svmrun_bzimage_load() - load kernel, RAM disk and zero page into guest memory
 * @memories: as for svmrun_e820_build(); everything is loaded into the first one
 * @count: number of @memories
 * @boot: the kernel and its parameters
 * @entry: filled in for svmrun_bzimage_begin()
 *
 * The kernel is loaded at its preferred address, the RAM disk as high as the kernel and
 * the memory permit, the rest below 640 KiB. Nothing is written unless everything can
 * be loaded.
 *
 * Return: 0 or a negative errno:
 * -EINVAL: @memories are not as svmrun_e820_build() requires, or the seed is too large;
 * -ENOEXEC: it is neither a bzImage nor an ELF executable;
 * -EMEDIUMTYPE: it is an ELF executable for a machine other than x86;
 * -ENODATA: the image is shorter than its header says;
 * -EOPNOTSUPP: it has only a 16-bit entry point, which needs firmware;
 * -EPROTONOSUPPORT: the boot protocol is older than 2.06, or the image is a
 *  zImage, which is loaded below 640 KiB;
 * -ENOMEM: kernel, RAM disk and command line do not fit, but would if the first of
 *  @memories were larger;
 * -ERANGE: the load address is below 1 MiB, or the kernel ends above 3 GiB;
 * -EFBIG: the RAM disk does not fit into the memory of any PC, or not where the kernel can
 *  use it;
 * -E2BIG: the command line is longer than the kernel supports, or than conventional memory.
 */
int svmrun_bzimage_load(const struct svmrun_memory *memories, size_t count,
			const struct svmrun_bzimage_boot *boot,
			struct svmrun_bzimage_entry *entry);

/**
 * svmrun_bzimage_begin() - set the registers that the boot protocol requires
 * @vcpu: the vCPU
 * @low: the memory that the kernel was loaded into; page tables are written to it
 * @entry: from svmrun_bzimage_load()
 *
 * Segments are flat, interrupts are disabled, RSI points to the zero page, and EBP, EDI
 * and EBX are 0.
 *
 * Return: 0 or a negative errno; -ERANGE: @low is not the memory that the kernel was
 * loaded into.
 */
int svmrun_bzimage_begin(struct svmrun_vcpu *vcpu, struct svmrun_memory *low,
			 const struct svmrun_bzimage_entry *entry);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BZIMAGE_H */
