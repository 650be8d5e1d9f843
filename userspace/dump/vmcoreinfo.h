/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMCOREINFO, an ELF note with which Linux describes itself to debuggers: its version, its
 * place in memory and its structures (Documentation/admin-guide/kdump/vmcoreinfo.rst of
 * Linux). A kernel with support for kdump has it at the beginning of a page.
 */
#ifndef VMCOREINFO_H
#define VMCOREINFO_H

#include "vmm/saved.h"

/* A header, the name with padding, and at most a page of lines (VMCOREINFO_BYTES of Linux) */
#define VMCOREINFO_MAX (12 + 12 + 4096)

/**
 * struct vmcoreinfo - the note
 * @bytes: the note, and a zero
 * @size: its size; 0 if there is none
 */
struct vmcoreinfo {
	char bytes[VMCOREINFO_MAX + 1];
	size_t size;
};

/* Find the first one in the memory. Return 0 or a negative errno. */
int vmcoreinfo_find(struct vmcoreinfo *info, const struct saved *saved);

/* Return by how much Linux has moved its addresses; 0 if it does not say so. */
uint64_t vmcoreinfo_kernel_offset(const struct vmcoreinfo *info);

#endif /* VMCOREINFO_H */
