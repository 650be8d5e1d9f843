/* SPDX-License-Identifier: GPL-2.0 */
/* The file of an ELF core: headers, notes, and from a multiple of the page size on the memory */
#ifndef CORE_H
#define CORE_H

#include "mapping.h"
#include "vcpus.h"
#include "vmcoreinfo.h"

/*
 * Memory also has virtual addresses that no processor has, so that debuggers find all of it:
 * these, plus the physical address.
 */
#define CORE_PHYSICAL (1ull << 56)

/* Mappings that a file can have, with its notes and its memory, without another format */
#define CORE_MAPPINGS_MAX (0xffff - 2 - MACHINE_MEMORIES)

/**
 * struct core - contents of a core
 * @saved: the machine, with its memory
 * @memories: its memory
 * @vcpus: its processors
 * @mappings: virtual addresses of the memory
 * @info: Linux's note
 */
struct core {
	const struct saved *saved;
	const struct svmrun_memory *memories;
	const struct vcpus *vcpus;
	struct mappings mappings;
	struct vmcoreinfo info;
};

/* Write the core to an empty file. Return 0 or a negative errno. */
int core_write(const struct core *core, int fd);

#endif /* CORE_H */
