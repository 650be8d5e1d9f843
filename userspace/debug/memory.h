/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory as a debugger sees it, and breakpoints in it. */
#ifndef DEBUG_MEMORY_H
#define DEBUG_MEMORY_H

#include "debug.h"

/*
 * Translate a linear address as an access of the supervisor, or else of a user: with SMAP
 * neither may access all pages (APM 5.6.6). Return false if the address is not mapped.
 */
bool debug_translate(const struct cpu *cpu, uint64_t gva, uint64_t *gpa);

/*
 * Read and write at a linear address of @cpu. Return how many bytes could be accessed.
 * Breakpoints are not visible in what is read.
 */
size_t debug_read(const struct cpu *cpu, uint64_t gva, void *bytes,
		  size_t size);
size_t debug_write(const struct cpu *cpu, uint64_t gva, const void *bytes,
		   size_t size);

/* Return 0; -EFAULT; -ENOSPC; or -EINVAL if the range cannot be watched. */
int debug_insert(const struct cpu *cpu, enum debug_kind kind, uint64_t address,
		 unsigned int size);
/* It is no error if there is none. */
void debug_remove(struct machine *machine, enum debug_kind kind,
		  uint64_t address, unsigned int size);

/*
 * After a reset, insert the breakpoints in memory again where the same code has been loaded.
 * At other addresses, an INT3 could be in the middle of data, such as a compressed kernel.
 */
void debug_insert_again(struct machine *machine);

/* Return the breakpoint in memory at @gva, NULL if there is none. */
const struct debug_breakpoint *debug_breakpoint_at(const struct cpu *cpu,
						   uint64_t gva);

#endif /* DEBUG_MEMORY_H */
