/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest virtual page, WINDOW, that tests map where they like; for guests in long
 * mode
 */
#ifndef PAGING_H
#define PAGING_H

#include "machine.h"

#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)

#define WINDOW (1ul << 30) /* virtual; first in the second directory */
#define WINDOW_ENTRY (MACHINE_TABLES + 3 * PAGE) /* in that directory */
#define WINDOW_TABLE                                                           \
	(MACHINE_TABLES + 6 * PAGE) /* after the library's tables */

/* Read WINDOW into RAX, and again each time the guest is run. */
#define READ_WINDOW "mov $0x40000000, %ebx\n 1: mov (%rbx), %rax\n hlt\n jmp 1b"

static inline void window_map(struct machine *m, uint64_t gpa)
{
	*(uint64_t *)machine_at(m, WINDOW_TABLE) = gpa | PTE_P | PTE_W;
	*(uint64_t *)machine_at(m, WINDOW_ENTRY) = WINDOW_TABLE | PTE_P | PTE_W;
}

#endif /* PAGING_H */
